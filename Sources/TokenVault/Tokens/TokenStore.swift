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
  /// When its access token expires, in seconds since 1970, as `expires_at` or `expires_in` says; `nil`, if nobody said.
  public let expiresAt: Int64?
  /// When the entry is over and no longer returned, in microseconds since 1970; `nil`, if never.
  public let expiry: Int64?
  /// When the account was revoked, in microseconds since 1970: then the token is empty; `nil` while it is active.
  public let revoked: Int64?
  /// Whether it is an account that does not keep its access token, but only the token's hash.
  public let lacksAccessToken: Bool

  init(_ id: TokenID, _ entry: StoredEntry) throws(VaultError) {
    self.id = id
    token = try entry.token()
    (seq, updated) = (entry.version, entry.value.updated ?? entry.time)
    expiresAt = token.expiry(storedAt: updated)
    (expiry, revoked) = (entry.value.expiry, entry.value.revoked)
    lacksAccessToken = entry.value.digest != nil && token.accessToken == nil
  }

  /// A token that has just been stored, whole, in the place of one beside which `value` stood.
  init(_ id: TokenID, _ token: OAuthToken, seq: UInt64, updated: Int64, _ value: EntryValue) {
    (self.id, self.token, self.seq, self.updated) = (id, token, seq, updated)
    expiresAt = token.expiry(storedAt: updated)
    (expiry, revoked, lacksAccessToken) = (value.expiry, nil, false)
  }
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
  let reads: ReadAudit

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

  /// - Parameters:
  ///   - now: microseconds since 1970.
  ///   - readsWait: milliseconds that the event of a read waits for a write that takes it along.
  package init(
    _ vault: Vault, logger: Logger, metrics: any MetricsFactory, now: @escaping @Sendable () -> Int64,
    readsWait: Int = 1000
  ) {
    self.vault = vault
    self.now = now
    instruments = Instruments(logger: logger, metrics: metrics)
    reads = ReadAudit(vault, instruments, now: now, wait: readsWait)
  }

  /// Stores a token; on return it is on the disk. An account stays one, and has an event of it.
  ///
  /// - Parameters:
  ///   - condition: what must be true of the entry that is there; one that is over counts as absent.
  ///   - ttl: for how long the entry is there. It is not taken from the token: a refresh token outlives its access token.
  /// - Returns: the version of the write.
  /// - Throws: `conflict` when the condition does not hold, or the account is revoked; `invalid-token` for an endpoint's error,
  ///   which must not take the place of a token; otherwise as `Vault.commit(_:)`.
  @discardableResult
  public func put(
    _ token: OAuthToken, for id: TokenID, if condition: WriteCondition = .any, ttl: Duration? = nil,
    by context: AuditContext = .none
  ) throws(VaultError) -> UInt64 {
    try instruments.measure(instruments.write) { () throws(VaultError) in
      try change(id, tries: condition == .any ? 100 : 1) { (state, batch) throws(VaultError) in
        try add(token, for: id, if: state.condition(condition), ttl: ttl, in: state, by: context, to: &batch)
      }.versions[0]
    }
  }

  /// Adds a token to what is about to be committed, and if it is an account's the event that tells of it.
  ///
  /// - Throws: `invalid-token` for an endpoint's error; `conflict` for an account that is revoked.
  func add(
    _ token: OAuthToken, for id: TokenID, if condition: WriteCondition, ttl: Duration?, in state: EntryState,
    by context: AuditContext, to batch: inout VaultBatch
  ) throws(VaultError) {
    try token.checkIsNoErrorAnswer()
    var value = EntryValue()
    let account = state.entry.flatMap { $0.value.providerAccount == nil ? nil : $0 }
    if let account {
      guard account.value.revoked == nil else {
        throw VaultError(.conflict, "the account is revoked", remedy: "link it again")
      }
      value = account.value.identity
      value.rotated = now()
    }
    value.expiry = ttl.map { now() + $0.microseconds }
    try put(token, value, for: id, if: condition, in: &batch)
    if let account { try batch.audit(.refreshed, of: id, by: context, superseding: account.digestIfToken()) }
  }

  /// The token of `id`; `nil`, which is not an error, when there is none or its entry is over.
  ///
  /// Where reads are audited (``readAuditing()``), this is one. It is recorded later, within a second or by ``flush()``; that it
  /// could not be is logged, and no error here.
  ///
  /// - Throws: as ``Vault/entry(named:)``.
  public func token(for id: TokenID, by context: AuditContext = .none) throws(VaultError) -> StoredToken? {
    var stamp: UInt64 = 0
    let found = try token(of: id, stamp: &stamp)
    // A revoked account has no token that could be read.
    if let found, found.revoked == nil { reads.note(id, by: context, stamp: stamp) }
    return found
  }

  /// The same for whoever hands nothing of the token on: no read that would be audited.
  package func tokenUnread(for id: TokenID) throws(VaultError) -> StoredToken? {
    var stamp: UInt64 = 0
    return try token(of: id, stamp: &stamp)
  }

  private func token(of id: TokenID, stamp: inout UInt64) throws(VaultError) -> StoredToken? {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      guard let entry = try vault.entry(named: id.recordName.span, stamp: &stamp) else { return nil }
      let stored = try StoredEntry(entry)
      if let expiry = stored.value.expiry, expiry <= now() { return nil }
      return try StoredToken(id, stored)
    }
  }

  /// Records reads that are gathered and not recorded yet. To be called before the vault is closed; a store that goes away
  /// before does it by itself.
  ///
  /// - Throws: as `Vault.commit(_:)`, by another handle if this one only reads. No token was withheld because of it.
  public func flush() throws(VaultError) { try reads.flush() }

  /// Gives up reads that could not be recorded: there is not to be another attempt when the store goes away.
  package func forgetReads() { reads.forget() }

  /// Commits a batch, and with it what is known of reads that waited for one.
  ///
  /// - Returns: the versions of the batch's own writes.
  func commit(_ batch: consuming VaultBatch) throws(VaultError) -> [UInt64] {
    let count = batch.count
    guard count > 0 else { return try vault.commit(batch) }
    let events = try reads.take(into: &batch)
    do throws(VaultError) {
      let versions = try vault.commit(batch)
      return events.isEmpty ? versions : Array(versions.prefix(count))
    } catch {
      reads.giveBack(events)
      throw error
    }
  }

  /// Deletes the token of `id`; an account is unlinked. Its earlier values stay in the file until it is compacted.
  ///
  /// - Returns: whether there was one; that there was none is not an error.
  /// - Throws: as `Vault.commit(_:)`.
  @discardableResult
  public func delete(_ id: TokenID, by context: AuditContext = .none) throws(VaultError) -> Bool {
    try instruments.measure(instruments.delete) { () throws(VaultError) in
      try change(id) { (state, batch) throws(VaultError) in
        try remove(id, in: state, by: context, audits: false, from: &batch)
      }.result
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
