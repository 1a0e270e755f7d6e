import Glibc
import Testing

/// A terminal with a person at it, who types what a test says.
final class PseudoTerminal {
  private var master: Int32 = -1
  /// Kept open, so that the terminal's settings can still be seen when the command has ended.
  private var slave: Int32 = -1
  private let name: String
  /// All that was shown.
  private(set) var screen = ""

  init() throws {
    var path = [CChar](repeating: 0, count: 64)
    try #require(unsafe openpty(&master, &slave, &path, nil, nil) == 0)
    name = String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for descriptor in [master, slave] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
  }

  deinit {
    close(master)
    close(slave)
  }

  /// Whether what is typed is shown.
  var echoes: Bool {
    var settings = termios()
    unsafe tcgetattr(slave, &settings)
    return settings.c_lflag & tcflag_t(ECHO) != 0
  }

  /// Starts the command with this as its controlling terminal, and standard output in the bench's file `output`.
  func start(_ call: Call, on bench: Bench) throws -> pid_t {
    var actions = try Spawning()
    // The first terminal that the leader of a session opens becomes its own.
    actions.open(0, name, O_RDWR)
    actions.open(1, bench.folder + "/output", O_WRONLY | O_CREAT | O_TRUNC)
    actions.open(2, name, O_RDWR)
    return try actions.spawn(call.program, call.arguments, bench.environment(of: call))
  }

  /// Waits until `text` is shown, behind what was waited for before.
  func await(_ text: String) throws {
    var shown: [UInt8] = []
    while true {
      if String(decoding: shown, as: UTF8.self).contains(text) { break }
      let byte = try #require(next(), "waited for \(text), saw \(String(decoding: shown, as: UTF8.self))")
      shown.append(byte)
    }
    screen += String(decoding: shown, as: UTF8.self)
  }

  func type(_ text: String) throws {
    let bytes = Array(text.utf8)
    try #require(unsafe write(master, bytes, bytes.count) == bytes.count)
  }

  /// Waits for the end of `child`; gives its code. Then ``screen`` is complete.
  func end(of child: pid_t) -> Int32 {
    let code = Spawning.wait(for: child)
    var rest: [UInt8] = []
    while let byte = next(within: 0) { rest.append(byte) }
    screen += String(decoding: rest, as: UTF8.self)
    return code
  }

  private func next(within milliseconds: Int32 = 20_000) -> UInt8? {
    var waiting = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    var byte: UInt8 = 0
    guard unsafe poll(&waiting, 1, milliseconds) == 1, unsafe read(master, &byte, 1) == 1 else { return nil }
    return byte
  }
}
