internal import Glibc

/// A program that answers lines with lines, over one socket that is its standard input and output.
///
/// Closing it ends the program. One value serves one thread.
struct ChildProcess: ~Copyable {
  /// What keeps a line from being exchanged; one sentence.
  struct Fault: Error {
    let sentence: String
  }

  /// Bytes of one answer.
  private static let longestLine = 1 << 28

  private let process: pid_t
  private let socket: Int32
  private var pending: [UInt8] = []

  /// Starts a program.
  ///
  /// - Parameter arguments: the program, found along `PATH`, and its arguments.
  init(_ arguments: [String]) throws(Fault) {
    guard let program = arguments.first else { throw Fault(sentence: "no program is named") }
    var ends: [Int32] = [-1, -1]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw Fault(sentence: "no socket can be made")
    }
    defer { close(ends[1]) }
    let (status, process) = Self.spawn(program, arguments, on: ends[1])
    guard status == 0 else {
      close(ends[0])
      throw Fault(sentence: "\(program) can't be started: \(unsafe String(cString: strerror(status)))")
    }
    self.process = process
    socket = ends[0]
  }

  private static func spawn(_ program: String, _ arguments: [String], on end: Int32) -> (status: Int32, pid_t) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, end, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, end, 1)
    var argv = unsafe arguments.map { unsafe strdup($0) }
    unsafe argv.append(nil)
    defer { for unsafe argument in unsafe argv { unsafe free(argument) } }
    var process: pid_t = 0
    let status = unsafe posix_spawnp(&process, program, &actions, nil, argv, environ)
    return (status, process)
  }

  deinit {
    close(socket)
    kill(process, SIGKILL)
    var status: Int32 = 0
    unsafe waitpid(process, &status, 0)
  }

  /// Sends a line and waits for one.
  ///
  /// - Parameters:
  ///   - line: without the line feed.
  ///   - seconds: how long the program may take, from the first byte sent to the last received.
  mutating func exchange(_ line: [UInt8], within seconds: Int) throws(Fault) -> [UInt8] {
    let deadline = Self.now() + Int64(seconds) * 1000
    try send(line + [UInt8(ascii: "\n")], by: deadline)
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let answer = Array(pending[..<end])
        pending.removeSubrange(...end)
        return answer
      }
      guard pending.count < Self.longestLine else { throw Fault(sentence: "the program's answer has no end") }
      try receive(by: deadline)
    }
  }

  private func send(_ bytes: [UInt8], by deadline: Int64) throws(Fault) {
    var sent = 0
    while sent < bytes.count {
      try wait(for: Int16(POLLOUT), by: deadline)
      let count = unsafe bytes[sent...].withUnsafeBytes { (rest) in
        unsafe Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if count < 0 {
        guard errno == EAGAIN || errno == EINTR else { throw Fault(sentence: "the program has ended") }
        continue
      }
      sent += count
    }
  }

  private mutating func receive(by deadline: Int64) throws(Fault) {
    try wait(for: Int16(POLLIN), by: deadline)
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe chunk.withUnsafeMutableBytes { (room) in unsafe recv(socket, room.baseAddress, room.count, 0) }
    guard count != 0, count > 0 || errno == EINTR else { throw Fault(sentence: "the program has ended") }
    if count > 0 { pending += chunk.prefix(count) }
  }

  private func wait(for events: Int16, by deadline: Int64) throws(Fault) {
    while true {
      var poller = pollfd(fd: socket, events: events, revents: 0)
      let left = max(0, deadline - Self.now())
      let ready = unsafe poll(&poller, 1, Int32(clamping: left))
      if ready > 0 { return }
      guard ready < 0, errno == EINTR else { throw Fault(sentence: "the program does not answer in time") }
    }
  }

  /// Milliseconds of a clock that nobody sets.
  private static func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
