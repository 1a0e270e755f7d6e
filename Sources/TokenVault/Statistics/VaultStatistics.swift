internal import JSONText
public import VaultEngine

/// What operators count: never a token, never the name of a user.
public struct VaultStatistics: Sendable {
  /// Accounts of one provider.
  public struct Accounts: Equatable, Sendable {
    /// That are not revoked.
    public internal(set) var active = 0
    /// That are revoked.
    public internal(set) var revoked = 0
  }

  /// Entries that are there: tokens and accounts.
  public internal(set) var entries = 0
  /// Accounts by provider, as bytes.
  public internal(set) var accounts: [[UInt8]: Accounts] = [:]
  /// Entries whose access token is known to have expired.
  public internal(set) var expired = 0
  /// Entries whose access token is known to expire within 24 hours.
  public internal(set) var expiringWithinADay = 0
  /// Entries whose time is over, and which the next compaction removes.
  public internal(set) var over = 0
  /// Entries with a refresh that began and has not ended: it is at work now, or was interrupted.
  public internal(set) var interruptedRefreshes = 0
  /// Entries whose last refresh failed.
  public internal(set) var failedRefreshes = 0
  /// Entries that are sealed as another program sealed them.
  public internal(set) var legacyRecords = 0
  /// Entries that open, and hold no token that this version understands.
  public internal(set) var unreadable = 0
  /// Events by kind; of kinds that this version does not know, none.
  public internal(set) var events: [AuditEvent.Kind: Int] = [:]
  /// Generation of the file.
  public internal(set) var generation: UInt64 = 0
  /// Newest version that was given.
  public internal(set) var lastVersion: UInt64 = 0
  /// Bytes of the file, with space that is allocated ahead.
  public internal(set) var fileBytes: UInt64 = 0
  /// Bytes of what counts: values, events, keys and index as a compaction would write them, closely estimated.
  public internal(set) var liveBytes: UInt64 = 0
  /// Bytes that a compaction would free, closely estimated.
  public internal(set) var deadBytes: UInt64 = 0
  /// When the newest value or event was written, in microseconds since 1970; `nil`, if there is none.
  public internal(set) var newestWrite: Int64?
  /// Data keys that records are sealed under.
  public internal(set) var terms = 0
  /// Key slots.
  public internal(set) var slots = 0
}

extension TokenStore {
  /// Counts what is in the vault. Every value that counts, and every event, is opened once.
  ///
  /// - Throws: as ``VaultSnapshot/forEachEntry(_:)``: what is damaged can't be counted.
  public func statistics() throws(VaultError) -> VaultStatistics {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      var statistics = VaultStatistics()
      let (snapshot, time) = (try vault.snapshot(), now())
      var records: UInt64 = 0
      try snapshot.forEachEntry { (entry) throws(VaultError) in
        records += UInt64(entry.frameLength)
        statistics.take(timeOf: entry)
        try statistics.take(entry, at: time)
      }
      try snapshot.forEachEvent { (entry) throws(VaultError) in
        records += UInt64(entry.frameLength)
        statistics.take(timeOf: entry)
        if let event = try AuditEvent(entry) { statistics.events[event.kind, default: 0] += 1 }
        return true
      }
      statistics.take(try snapshot.space(), records: records)
      (statistics.generation, statistics.lastVersion) = (snapshot.generation, snapshot.lastVersion)
      return statistics
    }
  }
}

extension VaultStatistics {
  fileprivate mutating func take(timeOf entry: borrowing VaultEntry) {
    newestWrite = max(newestWrite ?? .min, entry.time)
  }

  fileprivate mutating func take(_ entry: borrowing VaultEntry, at time: Int64) throws(VaultError) {
    // Other names are the vault's own.
    guard let id = TokenID(recordName: entry.name) else { return }
    guard !entry.isLegacy else {
      entries += 1
      legacyRecords += 1
      return
    }
    do throws(VaultError) {
      let stored = try StoredEntry(entry)
      if let expiry = stored.value.expiry, expiry <= time {
        over += 1
        return
      }
      entries += 1
      take(try Account(id, stored), at: time)
    } catch {
      guard [.frameDamaged, .unsupportedFeature, .invalidToken].contains(error.code) else { throw error }
      unreadable += 1
    }
  }

  private mutating func take(_ account: Account, at time: Int64) {
    if account.refreshing != nil { interruptedRefreshes += 1 }
    if account.refreshFailed != nil { failedRefreshes += 1 }
    if account.providerAccount != nil {
      let member = account.revoked == nil ? \Accounts.active : \Accounts.revoked
      accounts[account.id.provider, default: Accounts()][keyPath: member] += 1
    }
    guard account.revoked == nil, let expiresAt = account.expiresAt else { return }
    let seconds = time / 1_000_000
    if expiresAt <= seconds { expired += 1 } else if expiresAt - seconds <= 86_400 { expiringWithinADay += 1 }
  }

  fileprivate mutating func take(_ space: SpaceUse, records: UInt64) {
    (fileBytes, terms, slots) = (space.file, space.terms, space.slots)
    liveBytes = min(records + space.overhead, space.end)
    deadBytes = space.end - liveBytes
  }
}
