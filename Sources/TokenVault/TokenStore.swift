public import Logging
public import Metrics
internal import VaultCrypto
internal import VaultFormat

/// A token as it is stored.
public struct StoredToken: Sendable {
  /// Whose it is.
  public let id: TokenID
  /// The token.
  public let token: OAuthToken
  /// Version of the write that stored it.
  public let seq: UInt64
  /// When it was stored, in microseconds since 1970.
  public let updated: Int64
  /// When the entry is over and no longer returned, in microseconds since 1970; `nil`, if never.
  public let expiry: Int64?
}

/// A token without its secrets.
public struct TokenSummary: Sendable {
  /// Whose it is.
  public let id: TokenID
  /// Version of the write that stored it.
  public let seq: UInt64
  /// When it was stored, in microseconds since 1970.
  public let updated: Int64
  /// When its access token expires, in seconds since 1970, as the provider said.
  public let expiresAt: Int64?
  /// When the entry is over, in microseconds since 1970; `nil`, if never.
  public let expiry: Int64?
  /// Bytes of the token's JSON.
  public let bytes: Int
}

/// One write of a token's history.
public struct TokenHistoryEntry: Sendable {
  /// What was done.
  public enum Operation: String, Sendable {
    /// A token was stored.
    case put
    /// The token was deleted.
    case delete
  }

  /// Version of the write.
  public let seq: UInt64
  /// When, in microseconds since 1970.
  public let time: Int64
  /// What was done.
  public let operation: Operation
  /// Bytes of the token's JSON; 0 in a deletion.
  public let bytes: Int
}

/// Tokens in a vault.
///
/// Calls block for as long as the disk takes, as ``Vault``'s do; ``VaultTokenStorage`` is the same for asynchronous code.
public final class TokenStore: Sendable {
  let vault: Vault
  let instruments: Instruments
  let now: @Sendable () -> Int64

  /// - Parameters:
  ///   - logger: is told of operations and conflicts at the level debug, of other errors at the level error, and never of a
  ///     token or a user.
  ///   - metrics: counts reads, writes, deletes and errors, and takes their durations.
  public convenience init(
    _ vault: Vault, logger: Logger = Logger(label: "tokenvault"),
    metrics: any MetricsFactory = MetricsSystem.factory
  ) {
    self.init(vault, logger: logger, metrics: metrics, now: Vault.currentTime)
  }

  /// - Parameter now: microseconds since 1970.
  package init(
    _ vault: Vault, logger: Logger, metrics: any MetricsFactory, now: @escaping @Sendable () -> Int64
  ) {
    self.vault = vault
    self.now = now
    instruments = Instruments(logger: logger, metrics: metrics)
  }

  /// Stores a token; on return it is on the disk.
  ///
  /// - Parameters:
  ///   - condition: what must be true of the entry that is there; one that is over counts as absent.
  ///   - ttl: for how long the entry is there. It is not taken from the token: a refresh token outlives its access token.
  /// - Returns: the version of the write.
  /// - Throws: `conflict` when the condition does not hold; `invalid-token` for an endpoint's error, which must not take the
  ///   place of a token; otherwise as ``Vault/commit(_:)``.
  @discardableResult
  public func put(
    _ token: OAuthToken, for id: TokenID, if condition: WriteCondition = .any, ttl: Duration? = nil
  ) throws(VaultError) -> UInt64 {
    try instruments.measure(instruments.write) { () throws(VaultError) in
      try vault.commit(try writing(token, for: id, if: effective(condition, id), ttl: ttl))[0]
    }
  }

  /// The batch that stores a token.
  ///
  /// - Throws: `invalid-token`, as ``put(_:for:if:ttl:)``.
  func writing(
    _ token: OAuthToken, for id: TokenID, if condition: WriteCondition = .any, ttl: Duration? = nil
  ) throws(VaultError) -> VaultBatch {
    var batch = try VaultBatch()
    try add(token, for: id, if: condition, ttl: ttl, to: &batch)
    return batch
  }

  /// Adds a token to what is about to be committed.
  ///
  /// - Throws: `invalid-token` for an endpoint's error.
  func add(
    _ token: OAuthToken, for id: TokenID, if condition: WriteCondition, ttl: Duration?, to batch: inout VaultBatch
  ) throws(VaultError) {
    try token.checkIsNoErrorAnswer()
    var entry = EntryValue()
    entry.expiry = ttl.map { now() + $0.microseconds }
    try token.withJSON { (json) throws(VaultError) in
      let value = try entry.encoded(with: json)
      try batch.put(id.recordName.span, value: value.span, if: condition)
    }
  }

  /// An entry that is over is absent, though its record is still there until the next compaction.
  private func effective(_ condition: WriteCondition, _ id: TokenID) throws(VaultError) -> WriteCondition {
    guard condition != .any, let entry = try vault.entry(named: id.recordName.span), try isOver(entry) else {
      return condition
    }
    guard condition == .absent else { throw VaultError(.conflict, "there is nothing of that name: its entry is over") }
    return .version(entry.version)
  }

  func isOver(_ entry: borrowing VaultEntry) throws(VaultError) -> Bool {
    guard let expiry = try EntryValue.decode(entry.value).value.expiry else { return false }
    return expiry <= now()
  }

  /// The token of `id`; `nil`, which is not an error, when there is none or its entry is over.
  ///
  /// - Throws: as ``Vault/entry(named:)``.
  public func token(for id: TokenID) throws(VaultError) -> StoredToken? {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      guard let entry = try vault.entry(named: id.recordName.span) else { return nil }
      let (value, start) = try EntryValue.decode(entry.value)
      if let expiry = value.expiry, expiry <= now() { return nil }
      let token = try OAuthToken(json: entry.value.extracting(start..<entry.value.count))
      return StoredToken(id: id, token: token, seq: entry.version, updated: entry.time, expiry: value.expiry)
    }
  }

  /// Deletes the token of `id`. Its earlier values stay in the file until it is compacted.
  ///
  /// - Returns: whether there was one; that there was none is not an error.
  /// - Throws: as ``Vault/commit(_:)``.
  @discardableResult
  public func delete(_ id: TokenID) throws(VaultError) -> Bool {
    try instruments.measure(instruments.delete) { () throws(VaultError) in
      guard let wasThere = try isThere(id) else { return false }
      do throws(VaultError) {
        try vault.commit(try deleting(id))
        return wasThere
      } catch {
        guard error.code == .notFound else { throw error }
        return false
      }
    }
  }

  /// Whether there is an entry of `id` that is not over; `nil` when there is none to delete.
  func isThere(_ id: TokenID) throws(VaultError) -> Bool? {
    guard let entry = try vault.entry(named: id.recordName.span) else { return nil }
    return try !isOver(entry)
  }

  /// The batch that deletes the entry of `id`.
  func deleting(_ id: TokenID) throws(VaultError) -> VaultBatch {
    var batch = try VaultBatch()
    try batch.delete(id.recordName.span)
    return batch
  }

  /// The tokens that are there, sorted by user and provider as bytes.
  ///
  /// - Parameters:
  ///   - prefix: of the user id; empty for all.
  ///   - provider: exactly this provider; `nil` for all.
  /// - Throws: as ``VaultSnapshot/forEachEntry(_:)``.
  public func list(prefix: [UInt8] = [], provider: [UInt8]? = nil) throws(VaultError) -> [TokenSummary] {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      var found: [TokenSummary] = []
      let time = now()
      try vault.snapshot().forEachEntry { (entry) throws(VaultError) in
        guard let id = TokenID(recordName: entry.name), id.user.starts(with: prefix),
          provider == nil || provider == id.provider
        else { return }
        let (value, start) = try EntryValue.decode(entry.value)
        if let expiry = value.expiry, expiry <= time { return }
        let json = entry.value.extracting(start..<entry.value.count)
        let token = try OAuthToken(json: json)
        found.append(
          TokenSummary(
            id: id, seq: entry.version, updated: entry.time, expiresAt: token.expiresAt, expiry: value.expiry,
            bytes: json.count))
      }
      return found.sorted { $0.id.recordName.lexicographicallyPrecedes($1.id.recordName) }
    }
  }

  /// Every write of `id` that the file still holds, oldest first; none is not an error.
  ///
  /// - Throws: as ``VaultSnapshot/forEachRecord(_:)``. It reads the whole file.
  public func history(of id: TokenID) throws(VaultError) -> [TokenHistoryEntry] {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      let name = id.recordName
      var writes: [TokenHistoryEntry] = []
      try vault.snapshot().forEachRecord { (entry) throws(VaultError) in
        guard entry.operation != .event, entry.name.equals(name.span) else { return }
        let isPut = entry.operation == .put
        let start = isPut ? try EntryValue.decode(entry.value).jsonStart : 0
        writes.append(
          TokenHistoryEntry(
            seq: entry.version, time: entry.time, operation: isPut ? .put : .delete,
            bytes: entry.value.count - start))
      }
      return writes
    }
  }
}

extension Duration {
  /// Whole microseconds; centuries at most, so that it can be added to a time.
  fileprivate var microseconds: Int64 {
    let (seconds, attoseconds) = components
    return min(max(seconds, -1 << 40), 1 << 40) * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}
