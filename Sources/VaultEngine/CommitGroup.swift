internal import VaultCrypto

/// Requests that share one batch of the file, one write and one sync. Each is all or nothing by itself: one whose conditions
/// don't hold contributes nothing, and a later one sees what earlier ones do.
struct CommitGroup: ~Copyable {
  private let requests: [CommitRequest]
  /// By request; `nil` as long as it is not decided.
  private var outcomes: [CommitRequest.Outcome?]

  init(_ requests: [CommitRequest]) {
    self.requests = requests
    outcomes = Array(repeating: nil, count: requests.count)
  }

  /// Whether there is nothing to write.
  var isEmpty: Bool { requests.allSatisfy { $0.batch.isEmpty } }

  private var accepted: [Int] { outcomes.indices.filter { outcomes[$0] == nil } }

  /// Decides the requests whose conditions don't hold after the batches of `view`, or can't be asked.
  mutating func check(against view: View) {
    guard requests.contains(where: { $0.batch.hasConditions }) else { return }
    var conditions = Conditions(of: view)
    for (number, request) in requests.enumerated() {
      do throws(VaultError) {
        try conditions.accept(request.batch)
      } catch {
        outcomes[number] = .failure(error)
      }
    }
  }

  /// Seals the accepted requests as one batch.
  ///
  /// - Returns: `nil` when there are none.
  func seal(
    after view: View, at time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> BatchSealer.Sealed? {
    let accepted = accepted
    guard let first = accepted.first else { return nil }
    if accepted.count == 1 {
      return try BatchSealer.seal(requests[first].batch, after: view, at: time, random: &random)
    }
    var merged = try VaultBatch()
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
