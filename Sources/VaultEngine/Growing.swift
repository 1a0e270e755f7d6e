internal import Synchronization

/// A value that is changed while its owner goes on with something else. One change comes after the other; who asks for the value
/// waits until the last is done. One thread at a time uses it.
final class Growing<Value: Sendable> {
  private final class State: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }
  }

  private let state: State
  private var work: WorkAside?

  init(_ value: Value) { state = State(value) }

  /// With all changes.
  var value: Value {
    work = nil
    return state.value.withLock { $0 }
  }

  /// Changes the value, when the change before is done.
  ///
  /// - Parameter aside: on a thread of its own, which little work is not worth.
  func change(aside: Bool, _ body: @escaping @Sendable (inout Value) -> Void) {
    work = nil
    let change = { @Sendable [state] in state.value.withLock { body(&$0) } }
    if aside { work = WorkAside(change) } else { change() }
  }
}
