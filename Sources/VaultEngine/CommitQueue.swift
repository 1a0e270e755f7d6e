internal import Dispatch
internal import Synchronization
internal import VaultFormat

/// Brings commits that are asked for at the same time to the disk together, by one write and one sync.
///
/// One thread at a time leads: it waits for the writer, takes what has come together until then, commits it, and wakes the
/// callers. It is a caller's thread, if that blocks anyway, so that nobody changes threads for a commit that is alone; for
/// others it is one of Dispatch's. What is large is taken and sealed by the next leader while the batch before is being written.
final class CommitQueue: Sendable {
  /// Who sees to it that what waits is taken.
  private enum Lead: Equatable {
    case nobody
    /// A leader who has not sealed a group yet.
    case next
    /// The leader who is writing the group of this number, unless what comes meanwhile is worth sealing ahead.
    case writing(Int)
  }

  private struct State {
    var waiting: [CommitRequest] = []
    /// The end of the batch behind which somebody seals what waits, and a checkpoint if one is due there.
    var sealedBehind: Chain?
    var lead = Lead.nobody
    /// Groups that were sealed, or were about to be.
    var groups = 0
    /// The requests of the group before.
    var lastCount = 0
    var isClosed = false
    /// Threads for leaders that no caller gives one to: one writes, the other is at the door. Made for the first of them.
    var leaders: [DispatchQueue] = []
  }

  /// Bytes of names and values that one batch is made of, unless a single request has more; and beyond which, as beyond a
  /// number of requests, whoever hands over more waits until that is committed.
  private static let (queueBytes, queueRequests) = (64 << 20, 1024)

  private let state = Mutex(State())
  private let writer: Mutex<Writer>
  private let published: PublishedView
  private let sealing: Sealing

  init(_ environment: Environment, _ options: VaultOptions, _ follower: Follower, _ published: PublishedView) {
    let sealing = Sealing(environment)
    writer = Mutex(Writer(environment, options, follower, published, sealing))
    self.published = published
    self.sealing = sealing
  }

  // MARK: Callers

  /// Commits `batch`; blocks the thread.
  func commit(_ batch: consuming VaultBatch) throws(VaultError) -> [UInt64] {
    let request = CommitRequest(batch, hasThread: true)
    if try enter(request) { lead() }
    return try outcome(of: request)
  }

  /// Hands over a batch that is committed while the caller goes on; what is handed over later comes after it.
  func submit(_ batch: consuming VaultBatch) throws(VaultError) -> CommitRequest {
    let request = CommitRequest(batch, hasThread: false)
    if try enter(request) { leadElsewhere() }
    if isFull { _ = request.outcome() }
    return request
  }

  private var isFull: Bool {
    let waiting = waiting
    return waiting.count > Self.queueRequests || waiting.reduce(0) { $0 + $1.batch.byteCount } > Self.queueBytes
  }

  /// The requests that nobody has taken yet, in their order.
  var waiting: [CommitRequest] { state.withLock { $0.waiting } }

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

  // MARK: Key slots

  /// The time by which records are stamped: microseconds since 1970.
  var time: Int64 { sealing.time }

  /// Random bytes for what is derived before ``changeSlots(_:)``.
  ///
  /// - Throws: `crypto-failure`.
  func random() throws(VaultError) -> AnyRandomSource { try sealing.random() }

  /// Changes the key slots between two batches; blocks the thread. See ``Writer/changeSlots(_:)``.
  func changeSlots(
    _ change: (View, [KeySlot.Sealed], inout AnyRandomSource) throws(VaultError) -> (
      slots: [KeySlot.Sealed], own: UInt32?
    )
  ) throws(VaultError) {
    try writer.withLock { (writer) throws(VaultError) in try writer.changeSlots(change) }
  }

  // MARK: Leading

  /// - Returns: whether the caller must see to it that somebody leads.
  private func enter(_ request: CommitRequest, closing: Bool = false) throws(VaultError) -> Bool {
    try state.withLock { (state) throws(VaultError) in
      guard !state.isClosed else { throw VaultError(.handleFailed, "the handle was closed") }
      state.isClosed = closing
      state.waiting.append(request)
      switch state.lead {
      case .nobody: break
      case .next: return false
      case .writing: guard CommitGroup.canBeSealedAhead(state.waiting) else { return false }
      }
      state.lead = .next
      return true
    }
  }

  private func leadElsewhere() {
    let queue = state.withLock { (state) in
      // Serial queues, which are given a thread at once, whatever blocks the others.
      if state.leaders.isEmpty { state.leaders = (0..<2).map { DispatchQueue(label: "tokenvault.commit.\($0)") } }
      state.leaders.swapAt(0, 1)
      return state.leaders[0]
    }
    queue.async { self.lead() }
  }

  private func lead() {
    var early = takeEarly()
    var lead: Lead? = .next
    var group = writer.withLock { (writer) in
      var group = early.take() ?? CommitGroup(gather())
      writer.commit(&group) {
        lead = keepLead()
      } isIndexSealed: { (chain) in
        sealedBehind == chain
      }
      return group
    }
    // Those who are woken first may be back for the next group.
    group.resume()
    if let lead { passOn(lead) }
  }

  /// Takes and seals what waits while the batch before is being written, if it is worth it. Should that batch fail, or another
  /// process come between, it is sealed again.
  private func takeEarly() -> CommitGroup? {
    guard CommitGroup.canBeSealedAhead(waiting), let view = published.viewAhead, view.index.isComplete else {
      return nil
    }
    state.withLock { $0.sealedBehind = view.chain }
    var group = CommitGroup(take())
    try? group.sealAhead(after: view, sealing)
    return group
  }

  private var sealedBehind: Chain? { state.withLock { $0.sealedBehind } }

  /// Takes what waits. The callers of the group before were woken a moment ago, and those who are to commit again at once come
  /// along: else the first of them would have a sync for itself alone, and the others the next.
  private func gather() -> [CommitRequest] {
    let areMissing = state.withLock { $0.lastCount > 1 && $0.waiting.count < $0.lastCount }
    if areMissing { Threads.yield() }
    return take()
  }

  private func take() -> [CommitRequest] {
    state.withLock { (state) in
      let taken = Array(state.waiting.prefix(Self.groupSize(state.waiting)))
      state.waiting.removeFirst(taken.count)
      state.lastCount = taken.count
      return taken
    }
  }

  /// A group is about to be written: what waits is given to the next leader if that is worth sealing meanwhile. Who could only
  /// stand at the door is not woken yet.
  ///
  /// - Returns: what to pass on later; `nil` when it was.
  private func keepLead() -> Lead? {
    let lead: Lead? = state.withLock { (state) in
      guard !CommitGroup.canBeSealedAhead(state.waiting) else { return nil }
      state.groups += 1
      state.lead = .writing(state.groups)
      return state.lead
    }
    if lead == nil { passOn(.next) }
    return lead
  }

  /// Lets somebody else lead what came in since, unless that was taken already.
  private func passOn(_ lead: Lead) {
    let next: CommitRequest? = state.withLock { (state) in
      guard state.lead == lead else { return nil }
      state.lead = state.waiting.isEmpty ? .nobody : .next
      return state.waiting.first
    }
    guard let next else { return }
    if next.hasThread { next.askToLead() } else { leadElsewhere() }
  }

  /// How many of the requests become one batch: at least one.
  static func groupSize(_ waiting: [CommitRequest]) -> Int {
    var (writes, bytes) = (0, 0)
    for (number, request) in waiting.enumerated() {
      writes += request.batch.count
      bytes += request.batch.byteCount
      guard number == 0 || writes <= VaultLimits.batch && bytes <= queueBytes else { return number }
    }
    return waiting.count
  }
}
