import Glibc
import Synchronization
import VaultEngine

/// A batch that is handed over while another one is being synced.
struct GroupRequest: Sendable {
  let writes: [Write]
  /// The code by which it is refused; `nil` where its conditions hold.
  let refusal: VaultError.Code?

  init(_ writes: [Write], refusal: VaultError.Code? = nil) { (self.writes, self.refusal) = (writes, refusal) }
}

/// What becomes of a group.
enum GroupEnding {
  case committed
  /// The process is killed when half of the group is written.
  case torn
  /// The process is killed between the write and the sync.
  case unsynced
  /// The sync fails, and nothing else does.
  case failedSync

  var isLost: Bool { self != .committed }
  /// Whether the next writer finds the group, and builds on it.
  var isStaying: Bool { self == .unsynced }

  var plan: FailurePlan? {
    switch self {
    case .committed: nil
    case .torn: FailurePlan(first: 1, only: .write, count: .max, isKill: true, writesHalf: true)
    case .unsynced: FailurePlan(first: 1, only: .sync, count: .max, isKill: true)
    case .failedSync: FailurePlan(first: 1, only: .sync)
    }
  }
}

extension TraceRecorder {
  /// Commits a batch, and, while that is being synced, hands over others, which are committed behind it as one group.
  ///
  /// One thread works on the disk at a time, and so the journal follows from the seed: the requests are handed over by the thread
  /// that stands in the sync of the first batch; what others do between the two batches is done by the thread that is about to
  /// take the lock for the second. It is also seen to it that no request has an outcome before the group is synced.
  ///
  /// - Parameters:
  ///   - first: what is committed alone.
  ///   - isLarge: the group has so many bytes that it is sealed while the first batch is being synced. Its requests are handed
  ///     over before the first is written, and the sync lasts until somebody has taken them.
  ///   - meanwhile: what another process does between the two.
  /// - Throws: `Unsound` when a request comes to something else than it should.
  func commitGroup(
    behind first: [Write], of requests: [GroupRequest], to vault: Vault, ending: GroupEnding = .committed,
    isLarge: Bool = false, meanwhile: (@Sendable () throws -> Void)? = nil
  ) throws {
    border()
    let (disk, outcome) = (disk, Outcome())
    let pending = Mutex<[PendingCommit]>([])
    let isWritten = requests.contains { $0.refusal == nil }
    let handOver = { @Sendable in
      outcome.note {
        for request in requests {
          let one = try vault.submit(VaultBatch.of(request.writes))
          pending.withLock { $0.append(one) }
        }
      }
    }
    let awaitSecondLock = { @Sendable in
      disk.beforeNextLock {
        outcome.note {
          // The first batch was acknowledged before anybody asked for the lock again.
          try self.acknowledge { (contents) in for write in first { write.apply(to: &contents) } }
          try meanwhile?()
        }
        guard isWritten else { return }
        disk.fail(ending.plan)
        guard ending != .torn else { return }
        disk.beforeNextSync {
          guard pending.withLock({ $0.contains(where: \.isFinished) }) else { return }
          outcome.note { throw Unsound(description: "a request was answered before its group was synced") }
        }
      }
    }
    if isLarge { disk.beforeNextLock(handOver) }
    disk.beforeNextSync {
      if isLarge {
        outcome.note { try vault.awaitSealingAhead() }
      } else {
        handOver()
      }
      awaitSecondLock()
    }
    try vault.commit(first)
    for (number, request) in requests.enumerated() {
      let found = try code { try pending.withLock { $0[number] }.wait() }
      guard found == request.refusal ?? (ending.isLost ? .io : nil) else {
        throw Unsound(description: "request \(number) of a group came to \(found.map { "\($0)" } ?? "success")")
      }
    }
    disk.fail(nil)
    try outcome.check()
    let writes = requests.filter { $0.refusal == nil }.flatMap(\.writes)
    if ending.isLost {
      noteLost(writes, staying: ending.isStaying)
      border()
    } else {
      try acknowledge { (contents) in for write in writes { write.apply(to: &contents) } }
    }
  }
}

extension Vault {
  /// Returns when what waits was taken by whoever seals it.
  fileprivate func awaitSealingAhead() throws {
    let end = ContinuousClock.now + .seconds(100)
    while waitingRequests > 0 {
      guard ContinuousClock.now < end else { throw Unsound(description: "nobody seals a large group ahead") }
      sched_yield()
    }
  }
}
