import Synchronization

/// What closures that may not throw came to.
final class Outcome: Sendable {
  private let error = Mutex<(any Error)?>(nil)

  /// Runs `body`, and keeps the first error.
  func note(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      self.error.withLock { $0 = $0 ?? error }
    }
  }

  /// - Throws: the error.
  func check() throws { if let error = error.withLock({ $0 }) { throw error } }
}
