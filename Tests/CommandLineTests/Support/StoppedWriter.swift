import Foundation
import Glibc
import Testing

/// A real `put` that is stopped where it syncs what it wrote, with the lock in its hands.
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
  init(_ name: String, on bench: Bench) throws {
    let trace = bench.folder + "/trace"
    // The tracer is a child of the command, so that the command is the process that is known here.
    var call = Call(
      "-D", "-f", "-qq", "-o", trace, "-e", "trace=fdatasync", "-e", "inject=fdatasync:signal=SIGSTOP:when=1",
      Bench.program, "put", name)
    call.program = "/usr/bin/strace"
    running = try Background(call, on: bench)
    running.send(Array(#"{"access_token":"of-\#(name)"}"#.utf8))
    running.finishInput()
    try waitUntil("the writer stands still") {
      let text = try? String(decoding: Data(contentsOf: URL(filePath: trace)), as: UTF8.self)
      return text?.contains("stopped by SIGSTOP") == true
    }
  }

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
