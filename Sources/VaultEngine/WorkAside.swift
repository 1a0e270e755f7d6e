internal import Glibc
internal import Synchronization
internal import VaultFormat

/// Work on a thread of its own, while the caller goes on with something else. It has ended when this value is gone.
struct WorkAside: ~Copyable {
  private final class Outcome: Sendable {
    let failure = Mutex<VaultError?>(nil)
  }

  private let outcome = Outcome()
  /// `nil` when no thread could be had: then the work was done at once.
  private let thread: pthread_t?

  /// Begins.
  init(_ work: @escaping @Sendable () throws(VaultError) -> Void) {
    let body = { @Sendable [outcome] in
      do throws(VaultError) { try work() } catch { outcome.failure.withLock { $0 = error } }
    }
    thread = Threads.start(body)
    if thread == nil { body() }
  }

  deinit { if let thread { Threads.join(thread) } }

  /// Waits for the end.
  ///
  /// - Throws: what the work threw.
  consuming func finish() throws(VaultError) {
    let outcome = outcome
    _ = consume self
    if let failure = outcome.failure.withLock({ $0 }) { throw failure }
  }
}
