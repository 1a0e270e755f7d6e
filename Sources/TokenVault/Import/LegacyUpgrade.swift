public import VaultCrypto
public import VaultEngine
internal import VaultFormat

/// What an upgrade of legacy records did.
public struct UpgradeReport: Sendable {
  /// A legacy record that stays as it is.
  public struct Kept: Sendable {
    /// Whose token it is; `nil` for a name that is no token's.
    public let id: TokenID?
    /// Version of the write that stored it.
    public let seq: UInt64
    /// `legacy-unopened`, `legacy-malformed`, `limit-exceeded`, or `invalid-token` for one that opens and holds no token.
    public let code: String
    /// One sentence for a person.
    public let sentence: String
  }

  /// Tokens that are sealed as all others now.
  public internal(set) var upgraded = 0
  /// Legacy records that could not be.
  public internal(set) var kept: [Kept] = []
}

/// The secret that another program sealed its records with: a raw key, or what it derived keys from.
public struct LegacySecret: ~Copyable, Sendable {
  private let text: SecretBytes
  private let key: SecretBytes?

  /// - Parameter text: 32 bytes as they are, 64 hexadecimal digits or base64 of 32 bytes for a raw key; else the secret itself.
  /// - Throws: `crypto-failure` when there is no memory.
  public init(_ text: consuming SecretBytes) throws(VaultError) {
    key = try text.key()
    self.text = text
  }

  /// - Throws: `legacy-unopened`, `limit-exceeded`.
  func open(_ record: LegacyRecord) throws(FormatError) -> SecretBytes {
    try record.open(with: key(of: record))
  }

  /// The key that opens `record`, and those of the same profile and salt.
  ///
  /// - Throws: as ``open(_:)``.
  func key(of record: LegacyRecord) throws(FormatError) -> LegacyKey {
    guard !record.profile.derivesKey else { return try LegacyKey(of: record, from: text) }
    switch key {
    case .some(let key): return try LegacyKey(of: record, from: key)
    case .none: throw FormatError(.legacyUnopened, "the legacy secret is no raw key, which the record asks for")
    }
  }
}

extension TokenStore {
  /// Seals the tokens of legacy records as all others are.
  ///
  /// Each becomes an ordinary write of its name, in batches: an upgrade that was interrupted is simply run again. What does not
  /// open stays where it is. Records that were superseded or deleted are left to the next compaction.
  ///
  /// - Parameters:
  ///   - secret: of the records; which form it takes, and at what cost, each record says.
  ///   - profile: name of the only profile whose records are meant; `nil` for all.
  ///   - dryRun: opens the records and writes nothing.
  ///   - progress: is told how many legacy records were gone over, on the caller's thread.
  /// - Throws: `conflict` when others keep changing the same tokens; otherwise as `Vault.commit(_:)`.
  public func upgrade(
    with secret: borrowing LegacySecret, profile: String? = nil, dryRun: Bool = false,
    progress: ((Int) -> Void)? = nil
  ) throws(VaultError) -> UpgradeReport {
    var upgraded = 0
    for attempt in 1...10 {
      var pass = try UpgradePass(vault, dryRun: dryRun, profile: profile)
      do throws(VaultError) {
        try vault.snapshot().forEachEntry { (entry) throws(VaultError) in
          guard entry.isLegacy else { return }
          try pass.take(entry, secret)
          progress?(upgraded + pass.report.upgraded + pass.report.kept.count)
        }
        try pass.commit()
        pass.report.upgraded += upgraded
        return pass.report
      } catch {
        // Somebody has stored one of the tokens anew: what is left is gone over once more.
        guard error.code == .conflict, attempt < 10 else { throw error }
        upgraded += pass.committed
      }
    }
    throw VaultError(.conflict, "others keep changing the same tokens", remedy: "try again when they are done")
  }
}

/// One way through the vault.
private struct UpgradePass: ~Copyable {
  /// Writes and bytes of one batch.
  private static let portion = (count: 256, bytes: 4 << 20)

  private let vault: Vault
  private let dryRun: Bool
  private let profile: String?
  private var batch: VaultBatch
  private var bytes = 0
  /// Times of imported records, by the versions of their writes; `nil` until one is asked for.
  private var times: [UInt64: LegacyTimes]?
  var report = UpgradeReport()
  /// Tokens whose batches are on the disk.
  private(set) var committed = 0

  init(_ vault: Vault, dryRun: Bool, profile: String?) throws(VaultError) {
    (self.vault, self.dryRun, self.profile) = (vault, dryRun, profile)
    batch = try VaultBatch()
  }

  mutating func take(_ entry: borrowing VaultEntry, _ secret: borrowing LegacySecret) throws(VaultError) {
    let plaintext: SecretBytes
    do throws(FormatError) {
      let record = try LegacyRecord(parsing: entry.value)
      guard profile == nil || record.profile.name == profile else {
        return keep(entry, "legacy-unopened", "the record is of the profile \(record.profile.name)")
      }
      plaintext = try secret.open(record)
    } catch {
      guard error.code != .cryptoFailure else { throw VaultError(error) }
      return keep(entry, error.code.description, error.sentence)
    }
    let token: OAuthToken
    do throws(VaultError) {
      // CBC has no tag: now and then another key gives something, but hardly ever a token.
      token = try OAuthToken(json: plaintext.span)
    } catch {
      guard error.code == .invalidToken || error.code == .valueTooLarge else { throw error }
      return keep(entry, error.code.description, "the record opens, but what it holds is not a token's JSON")
    }
    var times = EntryValue()
    if let found = try importTimes(of: entry) { (times.linked, times.updated) = (found.created, found.updated) }
    try token.withJSON { (json) throws(VaultError) in
      let value = try times.encoded(with: json)
      try batch.put(entry.name, value: value.span, if: .version(entry.version))
    }
    report.upgraded += 1
    bytes += plaintext.count
    if batch.count >= Self.portion.count || bytes >= Self.portion.bytes { try commit() }
  }

  /// When the token was stored elsewhere, as the event says that stands behind its record since the import.
  private mutating func importTimes(of entry: borrowing VaultEntry) throws(VaultError) -> LegacyTimes? {
    let times: [UInt64: LegacyTimes]
    if let known = self.times {
      times = known
    } else {
      var found: [UInt64: LegacyTimes] = [:]
      try vault.snapshot().forEachEvent { (event) throws(VaultError) in
        // An event that can't be read has no time that could be missed here: 'audit' tells of it.
        if let event = try? AuditEvent(event) { found[event.seq - 1] = LegacyTimes(event) }
        return true
      }
      times = found
      self.times = found
    }
    return times[entry.version]
  }

  private mutating func keep(_ entry: borrowing VaultEntry, _ code: String, _ sentence: String) {
    report.kept.append(
      .init(id: TokenID(recordName: entry.name), seq: entry.version, code: code, sentence: sentence))
  }

  /// Writes what was collected.
  mutating func commit() throws(VaultError) {
    var full = try VaultBatch()
    swap(&full, &batch)
    bytes = 0
    if !dryRun { try vault.commit(full) }
    committed = report.upgraded
  }
}
