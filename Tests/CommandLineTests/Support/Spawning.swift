import Glibc
import Testing

/// A process about to be started, in a session of its own, so that it has no terminal but one that it is given.
@safe
struct Spawning: ~Copyable {
  private var actions = unsafe posix_spawn_file_actions_t()
  private var attributes = posix_spawnattr_t()

  init() throws {
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    // Threads of a test hold nearly all signals back, and a child would inherit that.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    // 0x80 is POSIX_SPAWN_SETSID, which the module lacks.
    unsafe posix_spawnattr_setflags(&attributes, Int16(0x80 | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  }

  deinit {
    var (actions, attributes) = unsafe (actions, attributes)
    unsafe posix_spawn_file_actions_destroy(&actions)
    unsafe posix_spawnattr_destroy(&attributes)
  }

  mutating func open(_ descriptor: Int32, _ path: String, _ flags: Int32) {
    unsafe posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o600)
  }

  mutating func duplicate(_ descriptor: Int32, to target: Int32) {
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, target)
  }

  mutating func close(_ descriptor: Int32) { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }

  mutating func spawn(_ program: String, _ arguments: [[UInt8]], _ environment: [String: String]) throws -> pid_t {
    var child: pid_t = 0
    var words = unsafe ([Array(program.utf8)] + arguments).map { unsafe Self.text($0) } + [nil]
    var variables = unsafe environment.map { unsafe Self.text(Array("\($0.key)=\($0.value)".utf8)) } + [nil]
    defer { unsafe (words + variables).forEach { unsafe free($0) } }
    let number = unsafe posix_spawn(&child, program, &actions, &attributes, &words, &variables)
    try #require(number == 0, "\(program) can't be started")
    return child
  }

  private static func text(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar>? {
    unsafe strdup((bytes + [0]).map { CChar(bitPattern: $0) })
  }

  /// The exit code; 128 and the signal's number, if it was a signal.
  static func wait(for child: pid_t) -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }
}
