import Foundation
import Glibc
import Testing

/// The real command while it runs, with a test at the other end of its standard input.
final class Background {
  let child: pid_t
  private let errorsPath: String
  private var input: Int32
  private var code: Int32?

  /// Starts `call`, whose input comes from ``send(_:)``.
  init(_ call: Call, on bench: Bench) throws {
    errorsPath = bench.folder + "/.errors-\(UUID().uuidString)"
    var ends: [Int32] = [-1, -1]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
    input = ends[0]
    defer { close(ends[1]) }
    var actions = try Spawning()
    actions.duplicate(ends[1], to: 0)
    actions.open(1, "/dev/null", O_WRONLY)
    actions.open(2, errorsPath, O_WRONLY | O_CREAT | O_TRUNC)
    child = try actions.spawn(call.program, call.arguments, bench.environment(of: call))
  }

  deinit {
    if code == nil {
      kill(child, SIGKILL)
      _ = Spawning.wait(for: child)
    }
    close(input)
  }

  /// What the process wrote to its standard error so far.
  var errors: String { (try? String(decoding: Data(contentsOf: URL(filePath: errorsPath)), as: UTF8.self)) ?? "" }

  /// Gives `bytes` to the process, and waits until it has taken them; that it has ended is no error.
  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes[sent...].withUnsafeBytes { (rest) in
        unsafe Glibc.send(input, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 || errno == EINTR else { return }
      sent += max(0, count)
    }
  }

  /// Ends the process's input.
  func finishInput() { shutdown(input, Int32(SHUT_WR)) }

  /// Ends the process's input and waits for its end; gives its code.
  func end() -> Int32 {
    finishInput()
    let code = Spawning.wait(for: child)
    self.code = code
    return code
  }
}

/// Asks again and again until `condition` holds, for a minute at most: for what no pipe can tell.
func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while try !condition() {
    try #require(ContinuousClock.now < deadline, "waited in vain: \(what)")
    usleep(2000)
  }
}
