internal import CSystemShims
internal import Glibc

/// A child process. When the value goes away before the child was waited for, it is killed.
struct RunningChild: ~Copyable {
  private let number: Int32
  private let leadsSession: Bool
  /// Can be read once the child has ended; none where the system has no such thing.
  let watch: OwnedDescriptor
  /// When it was seen that the child had ended.
  private(set) var endedAt: ContinuousClock.Instant?
  private var isGone = false

  /// - Parameters:
  ///   - leadsSession: whether signals are for all that the child has started, too.
  ///   - isWatched: false to do without ``watch``, as on a system that has none.
  init(_ number: Int32, leadsSession: Bool, isWatched: Bool) {
    self.number = number
    self.leadsSession = leadsSession
    watch = OwnedDescriptor(isWatched ? tv_process_descriptor(number) : -1)
  }

  deinit {
    guard !isGone else { return }
    Self.send(SIGKILL, number, leadsSession)
    _ = Self.wait(for: number)
  }

  /// Sees whether the child has ended. It stays there to be waited for, so that its number, and its group's, is no other's.
  mutating func look() {
    guard endedAt == nil else { return }
    var facts = unsafe siginfo_t()
    let result = unsafe waitid(P_PID, id_t(number), &facts, WEXITED | WNOHANG | WNOWAIT)
    // Where a process ignores SIGCHLD, the system forgets its children as soon as they end.
    if result < 0, errno == ECHILD { isGone = true }
    guard unsafe isGone || (result == 0 && facts.si_signo == SIGCHLD) else { return }
    endedAt = .now
  }

  func send(_ signal: Int32) {
    if !isGone { Self.send(signal, number, leadsSession) }
  }

  /// Waits for the child, and tells how it ended.
  mutating func end() -> ChildProgram.End {
    guard !isGone else { return .unknown }
    isGone = true
    guard let status = Self.wait(for: number) else { return .unknown }
    return ChildProgram.End(status: status)
  }

  private static func send(_ signal: Int32, _ number: Int32, _ leadsSession: Bool) {
    _ = kill(leadsSession ? -number : number, signal)
  }

  private static func wait(for number: Int32) -> Int32? {
    var status: Int32 = 0
    while unsafe waitpid(number, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    return status
  }
}
