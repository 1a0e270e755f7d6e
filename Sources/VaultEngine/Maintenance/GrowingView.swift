internal import Synchronization

/// The view of a file that is being written, which takes in batches while its writer goes on. Whoever asks for it waits until it
/// has taken in the last.
final class GrowingView {
  private final class State: Sendable {
    let view: Mutex<View>

    init(_ view: View) { self.view = Mutex(view) }
  }

  private let state: State
  private var taking: WorkAside?

  init(_ view: View) { state = State(view) }

  /// With all batches.
  var view: View {
    taking = nil
    return state.view.withLock { $0 }
  }

  /// Takes in a batch.
  ///
  /// - Parameter aside: on a thread of its own, which a small batch is not worth.
  func append(_ batch: AppendedBatch, aside: Bool = false) {
    taking = nil
    if aside {
      taking = WorkAside { [state] in state.view.withLock { $0.append(batch) } }
    } else {
      state.view.withLock { $0.append(batch) }
    }
  }
}
