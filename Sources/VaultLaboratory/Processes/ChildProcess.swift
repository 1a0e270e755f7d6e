package import Glibc

/// A program that this process started, with its standard output at the other end of a channel.
package final class ChildProcess {
  package let id: pid_t
  /// This process's end of the channel; reading from it never blocks.
  package let channel: Int32
  private var rest: [UInt8] = []
  private var hasEnded = false
  /// Whether the program has closed its end, as it does when it ends, and all that it wrote was taken.
  package private(set) var isClosed = false

  /// Starts `words` without a shell. Nothing of this process's files is inherited but its standard input and error.
  ///
  /// - Parameters:
  ///   - input: a file to read from instead.
  ///   - errors: a file to make, where its standard error goes instead.
  package init(
    _ words: [String], environment: [String: String] = [:], input: String? = nil, errors: String? = nil
  ) throws {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw HelperError.system(errno) }
    channel = ends[0]
    defer { _ = close(ends[1]) }
    _ = fcntl(channel, F_SETFL, O_NONBLOCK)
    id = try Self.spawn(words, environment, input, output: ends[1], errors)
  }

  deinit {
    if !hasEnded { end(by: SIGKILL) }
    _ = close(channel)
  }

  private static func spawn(
    _ words: [String], _ environment: [String: String], _ input: String?, output: Int32, _ errors: String?
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    if let input { unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0) }
    if let errors {
      unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
    defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
    var child: pid_t = 0
    let number = unsafe posix_spawn(&child, words[0], &actions, nil, &arguments, &variables)
    guard number == 0 else { throw HelperError.system(number) }
    return child
  }

  /// Sends a signal and waits for the end.
  package func end(by signal: Int32) {
    kill(id, signal)
    _ = wait()
  }

  /// Waits for the end.
  ///
  /// - Returns: the exit code; 128 and the signal's number, if it was a signal.
  package func wait() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
    hasEnded = true
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }

  /// Stops the program, and returns when it stands still; false when it has ended instead.
  package func stop() -> Bool {
    kill(id, SIGSTOP)
    var status: Int32 = 0
    while unsafe waitpid(id, &status, WUNTRACED) < 0, errno == EINTR {}
    if status & 0xff == 0x7f { return true }
    hasEnded = true
    return false
  }

  /// Lets it go on.
  package func proceed() { kill(id, SIGCONT) }

  /// Waits for the end.
  ///
  /// - Returns: all that it wrote, and its code as ``wait()`` gives it.
  package func finish() -> (output: [UInt8], code: Int32) {
    while !isClosed {
      var descriptor = pollfd(fd: channel, events: Int16(POLLIN), revents: 0)
      unsafe _ = poll(&descriptor, 1, -1)
      take()
    }
    return (rest, wait())
  }

  /// The whole lines that it wrote since this was asked last. What it wrote of a line when it died is none.
  package func lines() -> [String] {
    take()
    guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    defer { rest.removeFirst(end + 1) }
    return rest[..<end].split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Reads what there is to be read.
  private func take() {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(channel, $0.baseAddress, $0.count) }
      if count == 0 { isClosed = true }
      guard count > 0 else { return }
      rest += buffer[..<count]
    }
  }
}
