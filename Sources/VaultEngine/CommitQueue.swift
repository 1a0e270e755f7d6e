internal import Dispatch
internal import Synchronization

/// Brings commits that are asked for at the same time to the disk together, by one write and one sync.
///
/// One thread at a time leads: it waits for the writer, takes what has come together until then, commits it, and wakes the
/// callers. It is a caller's thread, if that blocks anyway, so that nobody changes threads for a commit that is alone; for
/// tasks it is one of Dispatch's. While it is at work, the next leader is at the writer's door already.
///
/// The queue has no bound of its own: everyone in it waits for the outcome. What is taken at once is bounded.
final class CommitQueue: Sendable {
  private struct State {
    var waiting: [CommitRequest] = []
    /// Somebody will take what waits.
    var isLed = false
    var isClosed = false
  }

  /// Bytes of names and values that one batch is made of, unless a single request has more.
  private static let groupBytes = 64 << 20
  private static let leaders = DispatchQueue(label: "tokenvault.commit", attributes: .concurrent)

  private let state = Mutex(State())
  private let writer: Mutex<Writer>

  init(_ writer: consuming Writer) { self.writer = Mutex(writer) }

  // MARK: Callers

  /// Commits `batch`; blocks the thread.
  func commit(_ batch: consuming VaultBatch) throws(VaultError) -> [UInt64] {
    let request = CommitRequest(batch, hasThread: true)
    if try enter(request) { lead() }
    return try outcome(of: request)
  }

  private func outcome(of request: CommitRequest) throws(VaultError) -> [UInt64] {
    while true {
      switch request.wait() {
      case .lead: lead()
      case .finished(let outcome): return try outcome.get()
      }
    }
  }

  /// Commits `batch`; suspends the task. A task that is cancelled before its batch was taken withdraws it.
  func commit(_ batch: consuming VaultBatch) async throws(VaultError) -> [UInt64] {
    guard !Task.isCancelled else { throw Self.cancelled }
    let request = CommitRequest(batch, hasThread: false)
    if try enter(request) { leadElsewhere() }
    return try await withTaskCancellationHandler {
      await request.outcome()
    } onCancel: {
      withdraw(request)
    }.get()
  }

  private static var cancelled: VaultError {
    VaultError(.cancelled, "the task was cancelled before its write had begun; nothing of it was written")
  }

  private func withdraw(_ request: CommitRequest) {
    let isWithdrawn = state.withLock { (state) in
      guard let place = state.waiting.firstIndex(where: { $0 === request }) else { return false }
      state.waiting.remove(at: place)
      return true
    }
    if isWithdrawn { request.finish(.failure(Self.cancelled)) }
  }

  /// Waits for all that was accepted, and refuses what comes later.
  func close() {
    // An empty request is behind all others.
    guard let batch = try? VaultBatch() else { return }
    let request = CommitRequest(batch, hasThread: true)
    guard let isLeader = try? enter(request, closing: true) else { return }
    if isLeader { lead() }
    _ = try? outcome(of: request)
    writer.withLock { $0.returnSpace() }
  }

  // MARK: Leading

  /// - Returns: whether the caller must see to it that somebody leads.
  private func enter(_ request: CommitRequest, closing: Bool = false) throws(VaultError) -> Bool {
    try state.withLock { (state) throws(VaultError) in
      guard !state.isClosed else { throw VaultError(.handleFailed, "the handle was closed") }
      state.isClosed = closing
      state.waiting.append(request)
      defer { state.isLed = true }
      return !state.isLed
    }
  }

  private func leadElsewhere() { Self.leaders.async { self.lead() } }

  private func lead() {
    var group = writer.withLock { (writer) in
      var group = CommitGroup(take())
      writer.commit(&group)
      return group
    }
    group.resume()
  }

  /// Takes what waits, and lets somebody else lead the rest.
  private func take() -> [CommitRequest] {
    let (taken, next) = state.withLock { (state) in
      let taken = Array(state.waiting.prefix(Self.groupSize(state.waiting)))
      state.waiting.removeFirst(taken.count)
      state.isLed = !state.waiting.isEmpty
      return (taken, state.waiting.first)
    }
    if let next {
      if next.hasThread { next.askToLead() } else { leadElsewhere() }
    }
    return taken
  }

  private static func groupSize(_ waiting: [CommitRequest]) -> Int {
    var (writes, bytes) = (0, 0)
    for (number, request) in waiting.enumerated() {
      writes += request.batch.count
      bytes += request.batch.byteCount
      guard number == 0 || writes <= VaultLimits.batch && bytes <= groupBytes else { return number }
    }
    return waiting.count
  }
}
