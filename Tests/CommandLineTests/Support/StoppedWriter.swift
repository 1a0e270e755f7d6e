import Foundation
import Glibc
import Testing

/// A real command that is stopped at a system call: a `put` where it syncs what it wrote, with the lock in its hands.
final class StoppedWriter {
  /// Whether another process can be stopped at a system call here.
  static let isPossible: Bool = {
    guard let bench = try? Bench(withVault: false) else { return false }
    var call = Call("-qq", "-o", "/dev/null", "/bin/true")
    call.program = "/usr/bin/strace"
    return (try? bench.run(call).code) == 0
  }()

  private let running: Background

  /// Starts `put NAME`, and returns when it stands still.
  convenience init(_ name: String, on bench: Bench) throws {
    try self.init(
      Call("put", name), input: #"{"access_token":"of-\#(name)"}"#, at: "fdatasync", number: 1, on: bench)
  }

  /// Starts `call`, and returns when it stands still behind a system call.
  ///
  /// - Parameter number: of the call among those of its name, from 1.
  init(_ call: Call, input: String = "", at name: String, number: Int, on bench: Bench) throws {
    let trace = bench.folder + "/.trace-\(UUID().uuidString)"
    // The tracer is a child of the command, so that the command is the process that is known here.
    var traced = call
    traced.program = "/usr/bin/strace"
    traced.arguments =
      Call(
        "-D", "-f", "-qq", "-o", trace, "-e", "trace=\(name)", "-e", "inject=\(name):signal=SIGSTOP:when=\(number)",
        call.program
      ).arguments + call.arguments
    running = try Background(traced, on: bench)
    running.send(Array(input.utf8))
    running.finishInput()
    try waitUntil("the command stands still") {
      let text = try? String(decoding: Data(contentsOf: URL(filePath: trace)), as: UTF8.self)
      return text?.contains("stopped by SIGSTOP") == true
    }
  }

  /// What it wrote to its standard error so far.
  var errors: String { running.errors }

  /// Lets it go on; gives its code.
  func proceed() -> Int32 {
    kill(running.child, SIGCONT)
    return running.end()
  }

  /// Kills it; gives its code.
  func end() -> Int32 {
    kill(running.child, SIGKILL)
    return running.end()
  }
}
