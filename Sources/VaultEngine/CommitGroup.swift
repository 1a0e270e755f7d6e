internal import VaultCrypto
internal import VaultFormat

/// Requests that share one batch of the file, one write and one sync. Each is all or nothing by itself: one whose conditions
/// don't hold contributes nothing, and a later one sees what earlier ones do.
struct CommitGroup: ~Copyable {
  private let requests: [CommitRequest]
  /// By request; `nil` as long as it is not decided.
  private var outcomes: [CommitRequest.Outcome?]
  /// What was sealed, and the end of the batch that it follows.
  private var sealed: (batch: BatchSealer.Sealed?, after: Chain)?
  /// A checkpoint that must come first, with its pages batches, and the end of the batch that it follows.
  private var index: (batches: [AppendedBatch], after: Chain)?

  init(_ requests: [CommitRequest]) {
    self.requests = requests
    outcomes = Array(repeating: nil, count: requests.count)
  }

  /// Whether there is nothing to write.
  var isEmpty: Bool { requests.allSatisfy { $0.batch.isEmpty } }

  /// The number of writes in all.
  var count: Int { requests.reduce(0) { $0 + $1.batch.count } }

  /// What the accepted requests want allocated behind the batch, in bytes.
  var roomBehind: Int { accepted.reduce(0) { $0 + requests[$1].batch.roomBehind } }

  private var accepted: [Int] { outcomes.indices.filter { outcomes[$0] == nil } }

  /// Whether it is worth sealing while the batch before is being written, and its conditions ask for nothing in there.
  static func canBeSealedAhead(_ requests: [CommitRequest]) -> Bool {
    requests.reduce(0) { $0 + $1.batch.byteCount } >= 1 << 18 && !requests.contains { $0.batch.asksForVersions }
  }

  /// Seals what is waiting behind a batch that is still being written, and a checkpoint before it if one is due by then.
  ///
  /// - Parameter view: as it will be when that batch is on the disk.
  mutating func sealAhead(after view: View, _ sealing: Sealing) throws(VaultError) {
    var view = view
    if view.isCheckpointDue {
      let end = view.chain
      var random = try sealing.random()
      var checkpoint = try Checkpoint(after: view, random: &random)
      var batches: [AppendedBatch] = []
      while let batch = try checkpoint.nextBatch(after: view, random: &random) {
        batches.append(.index(batch))
        view.append(.index(batch))
      }
      index = (batches, end)
    }
    _ = try seal(after: view, sealing)
  }

  /// The checkpoint that was sealed ahead behind `chain`; none if it was none, or the file has another end.
  mutating func takeIndex(after chain: Chain) -> [AppendedBatch] {
    guard let index, index.after == chain else { return [] }
    self.index = nil
    return index.batches
  }

  /// Asks the conditions and seals what is accepted as one batch, unless just that was done already.
  ///
  /// - Returns: `nil` when nothing is accepted.
  mutating func seal(after view: View, _ sealing: Sealing) throws(VaultError) -> BatchSealer.Sealed? {
    if let sealed, sealed.after == view.chain { return sealed.batch }
    outcomes = Array(repeating: nil, count: requests.count)
    try check(against: view)
    var random = try sealing.random()
    let batch = try sealAccepted(after: view, at: sealing.time, random: &random)
    sealed = (batch, view.chain)
    return batch
  }

  /// Decides the requests whose conditions don't hold after the batches of `view`, or can't be asked.
  private mutating func check(against view: View) throws(VaultError) {
    guard requests.contains(where: { $0.batch.hasConditions }) else { return }
    var conditions = Conditions(of: view)
    for (number, request) in requests.enumerated() {
      do throws(VaultError) {
        try conditions.accept(request.batch)
      } catch {
        // That is no answer to the request: the index is made anew, and it is asked again.
        guard error.code != .indexDamaged else { throw error }
        outcomes[number] = .failure(error)
      }
    }
  }

  private func sealAccepted(
    after view: View, at time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> BatchSealer.Sealed? {
    let accepted = accepted
    guard let first = accepted.first else { return nil }
    if accepted.count == 1 {
      return try BatchSealer.seal(requests[first].batch, after: view, at: time, random: &random)
    }
    var merged = try VaultBatch()
    try merged.reserve(
      writes: accepted.reduce(0) { $0 + requests[$1].batch.count },
      bytes: accepted.reduce(0) { $0 + requests[$1].batch.byteCount })
    for number in accepted { try merged.append(contentsOf: requests[number].batch) }
    return try BatchSealer.seal(merged, after: view, at: time, random: &random)
  }

  /// Gives every accepted request the versions of its own writes.
  mutating func succeed(_ records: [View.Sealed]) {
    var versions = records[...].map(\.version)[...]
    for number in accepted {
      let count = requests[number].batch.count
      outcomes[number] = .success(Array(versions.prefix(count)))
      versions = versions.dropFirst(count)
    }
  }

  /// Gives every request that is not decided the same error.
  mutating func fail(_ error: VaultError) {
    for number in accepted { outcomes[number] = .failure(error) }
  }

  /// Lets the callers go on; once.
  mutating func resume() {
    for (request, outcome) in zip(requests, outcomes) {
      if let outcome { request.finish(outcome) }
    }
    outcomes = []
  }
}
