internal import Dispatch

/// Runs tasks on threads of its own, as many as it takes.
///
/// Swift has a thread for each core, and tests that block take them: a task beside them that waits three times in turn waits
/// for minutes, in which what it holds expires.
package final class ThreadsForTasks: TaskExecutor {
  /// For all tests.
  package static let shared = ThreadsForTasks()

  private let queue = DispatchQueue(label: "tasks", attributes: .concurrent)

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
