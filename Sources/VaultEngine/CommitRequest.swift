internal import Dispatch
internal import Synchronization

/// A batch that waits to be committed, and its caller, who waits for the outcome.
final class CommitRequest: Sendable {
  /// The versions of its writes, or why there are none.
  typealias Outcome = Result<[UInt64], VaultError>

  /// What a waiting thread is woken for.
  enum Wake {
    /// To commit what waits, its own request first.
    case lead
    /// To go on.
    case finished(Outcome)
  }

  private struct State {
    var wake: Wake?
    var thread: DispatchSemaphore?
    var task: CheckedContinuation<Outcome, Never>?
  }

  let batch: VaultBatch
  /// Its caller blocks a thread until it is done, which may as well do the work.
  let hasThread: Bool
  private let state = Mutex(State())

  init(_ batch: consuming VaultBatch, hasThread: Bool) {
    self.batch = batch
    self.hasThread = hasThread
  }

  /// Whether it has its outcome.
  var isFinished: Bool { state.withLock { if case .finished = $0.wake { true } else { false } } }

  /// Wakes whoever waits.
  func finish(_ outcome: Outcome) {
    let waiting = state.withLock { (state) in
      state.wake = .finished(outcome)
      return state
    }
    waiting.thread?.signal()
    waiting.task?.resume(returning: outcome)
  }

  /// Wakes the caller's thread to lead.
  func askToLead() {
    let thread = state.withLock { (state) in
      state.wake = .lead
      return state.thread
    }
    thread?.signal()
  }

  /// Blocks the thread until the outcome is there.
  func outcome() -> Outcome {
    while true {
      if case .finished(let outcome) = wait() { return outcome }
    }
  }

  /// Blocks the thread until there is something to do.
  func wait() -> Wake {
    while true {
      let (wake, thread) = state.withLock { (state) -> (Wake?, DispatchSemaphore?) in
        if let wake = state.wake {
          // Several threads may wait for the outcome of one request: each wakes the next.
          guard case .lead = wake else { return (wake, state.thread) }
          state.wake = nil
          return (wake, nil)
        }
        if state.thread == nil { state.thread = DispatchSemaphore(value: 0) }
        return (nil, state.thread)
      }
      if let wake {
        thread?.signal()
        return wake
      }
      thread?.wait()
    }
  }

  /// Suspends the task until the outcome is there.
  func outcome() async -> Outcome {
    await withCheckedContinuation { (continuation) in
      let outcome = state.withLock { (state) -> Outcome? in
        if case .finished(let outcome) = state.wake { return outcome }
        state.task = continuation
        return nil
      }
      if let outcome { continuation.resume(returning: outcome) }
    }
  }
}
