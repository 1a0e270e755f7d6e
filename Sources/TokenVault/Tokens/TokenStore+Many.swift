/// A token to be stored among many.
public struct NewToken: Sendable {
  /// Whose it is.
  public let id: TokenID
  /// The token.
  public let token: OAuthToken
  /// For how long the entry is there; `nil`, if for ever.
  public let ttl: Duration?

  /// A token, and whose it is.
  public init(_ token: OAuthToken, for id: TokenID, ttl: Duration? = nil) {
    self.id = id
    self.token = token
    self.ttl = ttl
  }
}

/// What became of many tokens.
public struct ManyStored: Equatable, Sendable {
  /// Tokens that are on the disk.
  public var stored = 0
  /// Tokens that were left out, because there was one under their name.
  public var leftOut = 0

  /// None.
  public init() {}
}

extension TokenStore {
  /// Writes of one batch at most, and bytes of JSON in it but for the last token's: what a batch holds in memory.
  private static let batch = (writes: 16_384, bytes: 8 << 20)

  /// Stores many tokens, in batches: each is on the disk before the next begins, and is there as a whole or not at all. Of two
  /// tokens of one name the later is the newer.
  ///
  /// - Parameters:
  ///   - tokens: drawn from as they are needed; no more than a batch of them is held.
  ///   - ifAbsent: leaves out those whose name is there already, with an entry that is not over. That is not an error.
  ///   - progress: is told after each batch what became of all tokens so far.
  /// - Throws: `invalid-token` for an endpoint's error; otherwise as `Vault.commit(_:)`. The batches that `progress` was told
  ///   of stay, and of the one that failed nothing is there.
  @discardableResult
  public func put(
    contentsOf tokens: some Sequence<NewToken>, ifAbsent: Bool = false, by context: AuditContext = .none,
    progress: (ManyStored) -> Void = { _ in }
  ) throws(VaultError) -> ManyStored {
    var outcome = ManyStored()
    var waiting: [NewToken] = []
    var bytes = 0
    for token in tokens {
      waiting.append(token)
      bytes += token.token.withJSON { $0.count }
      guard waiting.count == Self.batch.writes || bytes >= Self.batch.bytes else { continue }
      try commit(waiting, ifAbsent: ifAbsent, by: context, &outcome)
      progress(outcome)
      waiting.removeAll(keepingCapacity: true)
      bytes = 0
    }
    guard !waiting.isEmpty else { return outcome }
    try commit(waiting, ifAbsent: ifAbsent, by: context, &outcome)
    progress(outcome)
    return outcome
  }

  private func commit(
    _ tokens: [NewToken], ifAbsent: Bool, by context: AuditContext, _ outcome: inout ManyStored
  ) throws(VaultError) {
    while true {
      var leftOut = 0
      var isReady = false
      do throws(VaultError) {
        try instruments.measure(instruments.write) { () throws(VaultError) in
          let batch = try batch(of: tokens, ifAbsent: ifAbsent, by: context, leftOut: &leftOut)
          isReady = true
          _ = try self.commit(batch)
        }
        outcome.stored += tokens.count - leftOut
        outcome.leftOut += leftOut
        return
      } catch {
        // Somebody was quicker with one of the names since it was looked at: all are looked at again.
        guard isReady, error.code == .conflict else { throw error }
      }
    }
  }

  private func batch(
    of tokens: [NewToken], ifAbsent: Bool, by context: AuditContext, leftOut: inout Int
  ) throws(VaultError) -> VaultBatch {
    var batch = try VaultBatch()
    let snapshot = try vault.snapshot()
    var names: Set<TokenID> = []
    for new in tokens {
      let isFirst = names.insert(new.id).inserted
      let state = try state(of: new.id, in: snapshot)
      if ifAbsent {
        guard isFirst, state.isVacant else {
          leftOut += 1
          continue
        }
      }
      // The later of two tokens of one batch takes the place of the earlier, whatever was there before.
      try add(
        new.token, for: new.id, if: isFirst ? state.condition : .any, ttl: new.ttl, in: state, by: context, to: &batch)
    }
    return batch
  }
}
