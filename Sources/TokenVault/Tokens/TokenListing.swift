internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// A token without its secrets.
public struct TokenSummary: Sendable {
  /// Whose it is.
  public let id: TokenID
  /// Version of the write that stored it.
  public let seq: UInt64
  /// When it was stored, in microseconds since 1970.
  public let updated: Int64
  /// When its access token expires, in seconds since 1970, as `expires_at` or `expires_in` says; `nil`, if nobody said.
  public let expiresAt: Int64?
  /// When the entry is over, in microseconds since 1970; `nil`, if never.
  public let expiry: Int64?
  /// Bytes of the token's JSON.
  public let bytes: Int
  /// Who the user is at the provider; `nil` in an entry that was put and never linked.
  public let providerAccount: ProviderAccount?
  /// When the account was linked, or an imported token first stored, in microseconds since 1970.
  public let linked: Int64?
  /// When the token was last replaced by its successor, in microseconds since 1970.
  public let lastRotated: Int64?
  /// When the account was last used, as far as that was recorded, in microseconds since 1970.
  public let lastUsed: Int64?
  /// When the account was revoked, in microseconds since 1970; `nil` while it is active.
  public let revoked: Int64?

  fileprivate init(_ id: TokenID, _ entry: borrowing EntryInPlace, expiresAt: Int64?) throws(VaultError) {
    let (value, start) = try EntryValue.decode(entry.value)
    self.id = id
    self.expiresAt = expiresAt
    (seq, updated, expiry) = (entry.version, value.updated ?? entry.time, value.expiry)
    bytes = entry.value.count - start
    providerAccount = try value.account()
    (linked, lastRotated, lastUsed, revoked) = (value.linked, value.rotated, value.used, value.revoked)
  }
}

/// An entry that can't be read, and keeps nobody from reading the others.
public struct UnreadableEntry: Sendable {
  /// Whose it is; `nil` where not even that can be read.
  public let id: TokenID?
  /// Offset of its record in the vault file.
  public let offset: UInt64
  /// Why: `frame-damaged`, `index-damaged`, `unsupported-feature` for what another program sealed or a newer one wrote,
  /// `invalid-token`.
  public let error: VaultError
}

/// The tokens of a vault, or some of them.
public struct TokenListing: Sendable {
  /// Sorted by user and provider as bytes.
  public internal(set) var tokens: [TokenSummary] = []
  /// Entries of which it is not known whether they belong there, in the order of the file.
  public internal(set) var unreadable: [UnreadableEntry] = []
}

/// Which tokens to list: those that all of it is true of.
public struct TokenFilter: Sendable {
  /// What the user id begins with; empty for all.
  public var prefix: [UInt8]
  /// Exactly this provider; `nil` for all.
  public var provider: [UInt8]?
  /// Only accounts that are revoked.
  public var revokedOnly: Bool
  /// Only tokens that are known to expire at this time or earlier, in seconds since 1970; `nil` for all.
  public var expiringUntil: Int64?

  /// All tokens, but for what is said.
  public init(
    prefix: [UInt8] = [], provider: [UInt8]? = nil, revokedOnly: Bool = false, expiringUntil: Int64? = nil
  ) {
    self.prefix = prefix
    self.provider = provider
    self.revokedOnly = revokedOnly
    self.expiringUntil = expiringUntil
  }

  /// Whether a record of this name holds a token of the user and provider that are meant.
  fileprivate func includes(name: Span<UInt8>) -> Bool {
    var end = 0
    while end < name.count, name[end] != 0 { end += 1 }
    guard end > 0, end >= prefix.count, name.extracting(first: prefix.count).equals(prefix.span) else { return false }
    guard end < name.count else { return provider?.isEmpty ?? true }
    return provider.map { name.extracting((end + 1)...).equals($0.span) } ?? true
  }

  /// The summary of an entry whose name is included; `nil`, if the rest of it does not belong, or its time is over.
  ///
  /// - Parameter time: now, in microseconds since 1970.
  fileprivate func summary(_ entry: borrowing EntryInPlace, at time: Int64) throws(VaultError) -> TokenSummary? {
    guard !entry.isLegacy else { throw StoredEntry.sealed }
    let outline = try EntryValue.outline(of: entry.value)
    if let expiry = outline.expiry, expiry <= time { return nil }
    guard !revokedOnly || outline.revoked != nil else { return nil }
    let json = entry.value.extracting(outline.jsonStart..<entry.value.count)
    let expiresAt = try OAuthToken.expiry(in: json, storedAt: outline.updated ?? entry.time)
    if let expiringUntil {
      guard let expiresAt, expiresAt <= expiringUntil else { return nil }
    }
    return try TokenID(recordName: entry.name).map { (id) throws(VaultError) in
      try TokenSummary(id, entry, expiresAt: expiresAt)
    }
  }
}

extension TokenStore {
  /// Lists tokens, on all cores. One that can't be read does not hide the others.
  ///
  /// It reads every entry, which takes one or two seconds for a million accounts on two cores. Memory is taken for 60 bytes a name,
  /// of which an account has two, and for the summaries of what is listed.
  ///
  /// - Throws: what keeps the vault from being read; not what is wrong with one entry.
  public func list(_ filter: TokenFilter) throws(VaultError) -> TokenListing {
    try instruments.measure(instruments.read) { () throws(VaultError) in try listing(filter) }
  }

  private func listing(_ filter: TokenFilter) throws(VaultError) -> TokenListing {
    var listing = TokenListing()
    let time = now()
    try vault.snapshot().forEachPart { (part) throws(VaultError) in
      try Self.list(filter, part, at: time)
    } give: { (part: TokenListing) throws(VaultError) in
      listing.tokens += part.tokens
      listing.unreadable += part.unreadable
    }
    listing.tokens.sort { $0.id.precedes($1.id) }
    return listing
  }

  private static func list(
    _ filter: TokenFilter, _ part: SnapshotPart, at time: Int64
  ) throws(VaultError) -> TokenListing {
    var listing = TokenListing()
    var id: TokenID?
    try part.forEachEntry { (entry) throws(VaultError) in
      guard filter.includes(name: entry.name) else { return }
      do throws(VaultError) {
        if let summary = try filter.summary(entry, at: time) { listing.tokens.append(summary) }
      } catch {
        id = TokenID(recordName: entry.name)
        throw error
      }
    } unreadable: { (error, offset) in
      listing.unreadable.append(UnreadableEntry(id: id, offset: offset, error: error))
      id = nil
    }
    return listing
  }

  /// The tokens that are there, sorted by user and provider as bytes.
  ///
  /// - Parameters:
  ///   - prefix: of the user id; empty for all.
  ///   - provider: exactly this provider; `nil` for all.
  /// - Throws: as ``list(_:)``, and for the first entry that can't be read.
  public func list(prefix: [UInt8] = [], provider: [UInt8]? = nil) throws(VaultError) -> [TokenSummary] {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      let listing = try listing(TokenFilter(prefix: prefix, provider: provider))
      if let first = listing.unreadable.first { throw first.error }
      return listing.tokens
    }
  }
}

extension TokenID {
  /// The order of the records' names, in which a provider stands behind a zero byte that no user has.
  fileprivate func precedes(_ other: TokenID) -> Bool {
    user == other.user
      ? provider.lexicographicallyPrecedes(other.provider) : user.lexicographicallyPrecedes(other.user)
  }
}
