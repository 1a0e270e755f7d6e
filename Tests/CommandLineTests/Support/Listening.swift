import Glibc
import Testing

/// The real command while it runs, with a test at the other end of its standard output.
final class Listening {
  let child: pid_t
  private var output: Int32
  private let errorsPath: String
  private var received: [UInt8] = []
  private var code: Int32?
  private let bench: Bench

  /// Starts `call`, whose input is empty.
  init(_ call: Call, on bench: Bench) throws {
    self.bench = bench
    errorsPath = bench.folder + "/.errors-listening-\(UInt32.random(in: 0 ... .max))"
    var ends: [Int32] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    output = ends[0]
    defer { close(ends[1]) }
    var actions = try Spawning()
    actions.open(0, "/dev/null", O_RDONLY)
    actions.duplicate(ends[1], to: 1)
    actions.open(2, errorsPath, O_WRONLY | O_CREAT | O_TRUNC)
    child = try actions.spawn(call.program, call.arguments, bench.environment(of: call))
  }

  deinit {
    if code == nil {
      kill(child, SIGKILL)
      _ = Spawning.wait(for: child)
    }
    stopListening()
  }

  /// What the process wrote to its standard error so far.
  var errors: String { (try? String(decoding: bench.contents(of: errorsPath), as: UTF8.self)) ?? "" }

  /// The next line, without its end; waits for it a minute at most.
  func line() throws -> String {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeFirst(end + 1) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      try #require(try receive(), "the output ended: \(errors)")
    }
  }

  /// All lines to the end of the output.
  func rest() throws -> [String] {
    while try receive() {}
    return String(decoding: received, as: UTF8.self).split(separator: "\n").map { String($0) }
  }

  private func receive() throws -> Bool {
    var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    try #require(unsafe poll(&waiting, 1, 60_000) > 0, "waited in vain for output: \(errors)")
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe read(output, &bytes, bytes.count)
    try #require(count >= 0)
    received += bytes[..<count]
    return count > 0
  }

  /// Closes this end of the output.
  func stopListening() {
    if output >= 0 { close(output) }
    output = -1
  }

  /// Waits for the process's end; gives its code.
  func end() -> Int32 {
    let code = Spawning.wait(for: child)
    self.code = code
    return code
  }
}
