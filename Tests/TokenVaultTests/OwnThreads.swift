import Testing
import VaultLaboratory

/// A test whose tasks don't wait for those of Swift's threads that other tests block.
struct OwnThreads: TestTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ThreadsForTasks.shared) { try await function() }
  }
}

extension Trait where Self == OwnThreads {
  /// For every asynchronous test; a `Task` that it makes needs ``ThreadsForTasks/shared`` as its `executorPreference`.
  static var ownThreads: Self { OwnThreads() }
}
