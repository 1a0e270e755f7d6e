internal import Glibc
internal import Synchronization

/// Knows whether the process is still the one that made it. A child of fork(2) has only the thread that forked: whatever the
/// others were doing with a handle stays half done in it for ever.
struct ForkGuard: Sendable {
  /// How often the process, or one that it comes from, was forked: counted by pthread_atfork(3), so that asking costs no
  /// system call.
  private static let forks: @Sendable () -> Int = {
    _ = pthread_atfork(nil, nil, { ForkGuard.count.add(1, ordering: .relaxed) })
    return { count.load(ordering: .relaxed) }
  }()
  private static let count = Atomic(0)

  private let made = forks()

  /// Whether this is the process that made the guard.
  var isSameProcess: Bool { Self.forks() == made }

  /// - Throws: `handle-failed` in a child.
  func check() throws(VaultError) {
    guard isSameProcess else {
      throw VaultError(
        .handleFailed, "the handle belongs to the process from which this one was forked",
        remedy: "open the vault in the child")
    }
  }
}
