internal import VaultCrypto
public import VaultEngine
internal import VaultFormat

/// An account to be linked.
public struct NewAccount: Sendable {
  /// Who the user is at the provider.
  public let account: ProviderAccount
  /// What the token endpoint answered.
  public let token: OAuthToken
  /// What was granted, up to 256 scopes of at most 1024 bytes each; when empty, the token's `scope`, split at spaces.
  public var scopes: [[UInt8]] = []
  /// Whether the entry keeps the access token; `nil` for what it did before, or not at all. Without it only the token's hash is
  /// kept, and who needs an access token has it from a refresh.
  public var keepsAccessToken: Bool?
  /// For how long the entry is there; `nil`, if for ever.
  public var ttl: Duration?

  /// An account, and its token.
  public init(_ account: ProviderAccount, token: OAuthToken) { (self.account, self.token) = (account, token) }

  static func areScopesWithinLimits(_ scopes: [[UInt8]]) -> Bool {
    scopes.count <= 256 && scopes.allSatisfy { $0.count <= 1024 } && scopes.reduce(0) { $0 + $1.count } <= 32_768
  }
}

/// Accounts: entries that know who their user is at the provider.
///
/// A user has one account of a provider, and an account of a provider has one user. Both hold at every moment, for all
/// processes, as each change is one batch that is written only if nothing it was made from has changed.
extension TokenStore {
  /// Links a user to an account: stores its token, and takes back a revocation.
  ///
  /// `expires_in` becomes `expires_at`. The access token is left out unless it is to be kept.
  ///
  /// - Parameters:
  ///   - id: with the provider.
  ///   - condition: what must be true of the entry that is there; one that is over counts as absent.
  /// - Returns: the version of the write.
  /// - Throws: `conflict` when another user has the account, or the condition does not hold; `invalid-token` for an endpoint's
  ///   error; `usage` without a provider, or for too many scopes; otherwise as `Vault.commit(_:)`.
  @discardableResult
  public func link(
    _ new: NewAccount, for id: TokenID, if condition: WriteCondition = .any, by context: AuditContext = .none
  ) throws(VaultError) -> UInt64 {
    try instruments.measure(instruments.write) { () throws(VaultError) in
      try change(id, tries: condition == .any ? 100 : 1) { (state, batch) throws(VaultError) in
        try link(new, for: id, if: condition, in: state, by: context, batch: &batch)
      }.versions[0]
    }
  }

  /// Adds a link's writes, the entry's first.
  func link(
    _ new: NewAccount, for id: TokenID, if condition: WriteCondition, in state: EntryState, by context: AuditContext,
    batch: inout VaultBatch
  ) throws(VaultError) {
    guard !id.provider.isEmpty else { throw VaultError(.usage, "an account has a provider, and none was named") }
    try new.token.checkIsNoErrorAnswer()
    let time = now()
    var value = state.entry?.value.identity ?? EntryValue()
    value.providerAccount = new.account.id
    value.providerName = new.account.name
    value.scopes = try Self.scopes(of: new)
    value.linked = time
    value.rotated = nil
    value.keepsAccessToken = new.keepsAccessToken ?? (state.entry != nil && value.keepsAccessToken)
    value.expiry = new.ttl.map { time + $0.microseconds }
    var token = try new.token.withExpiry(answeredAt: time / 1_000_000)
    if !value.keepsAccessToken {
      value.digest = try TokenDigest(accessTokenOf: token)
      token = try token.withoutAccessToken()
    }
    try put(token, value, for: id, if: state.condition(condition), in: &batch)
    if let entry = state.entry, let old = entry.value.providerAccount, old != new.account.id {
      try release(entry, of: id, in: &batch)
    }
    try reserve(new.account.id, for: id, having: state.entry, in: &batch)
    try batch.audit(.linked, of: id, by: context, superseding: state.entry?.digestIfToken())
  }

  private static func scopes(of new: NewAccount) throws(VaultError) -> [[UInt8]] {
    let scopes =
      new.scopes.isEmpty
      ? (new.token.scope ?? "").utf8.split(separator: UInt8(ascii: " ")).map { Array($0) } : new.scopes
    guard NewAccount.areScopesWithinLimits(scopes) else {
      throw VaultError(.usage, "an account has at most 256 scopes of 1024 bytes each, and 32768 in all")
    }
    return scopes
  }

  /// What is known of an entry; `nil`, which is not an error, when there is none or it is over.
  ///
  /// - Throws: as ``Vault/entry(named:)``; `unsupported-feature` for a token that another program sealed.
  public func account(of id: TokenID) throws(VaultError) -> Account? {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      guard let entry = try vault.entry(named: id.recordName.span) else { return nil }
      let stored = try StoredEntry(entry)
      if let expiry = stored.value.expiry, expiry <= now() { return nil }
      return try Account(id, stored)
    }
  }

  /// Notes that the account is used now.
  ///
  /// - Returns: whether there is such an entry that is not revoked.
  /// - Throws: as `Vault.commit(_:)`.
  @discardableResult
  public func recordUse(of id: TokenID) throws(VaultError) -> Bool {
    try instruments.measure(instruments.write) { () throws(VaultError) in
      try change(id) { (state, batch) throws(VaultError) in
        guard let entry = try Self.readable(state), entry.value.revoked == nil else { return false }
        var value = entry.value
        value.used = now()
        value.updated = value.updated ?? entry.time
        try put(entry.token(), value, for: id, if: state.condition, in: &batch)
        return true
      }.result
    }
  }

  /// Revokes an account: its secrets are gone, who it is and what happened to it stay, until it is linked again. Earlier values
  /// stay in the file until it is compacted. The provider is not told.
  ///
  /// - Returns: whether it was active; that it was revoked already is not an error.
  /// - Throws: `not-found` when there is no such entry; otherwise as `Vault.commit(_:)`.
  @discardableResult
  public func revoke(_ id: TokenID, by context: AuditContext = .none) throws(VaultError) -> Bool {
    try instruments.measure(instruments.write) { () throws(VaultError) in
      try change(id) { (state, batch) throws(VaultError) in
        guard let entry = try Self.readable(state) else {
          throw VaultError(.notFound, "there is no entry of that name to revoke")
        }
        guard entry.value.revoked == nil else { return false }
        var value = entry.value.identity
        value.revoked = now()
        value.expiry = entry.value.expiry
        try put(.empty(), value, for: id, if: state.condition, in: &batch)
        try batch.audit(.revoked, of: id, by: context, superseding: entry.digestIfToken())
        return true
      }.result
    }
  }

  /// Removes an account, or a token that was never linked; what happened to it stays in the audit.
  ///
  /// - Returns: whether there was one; that there was none is not an error.
  /// - Throws: as `Vault.commit(_:)`.
  @discardableResult
  public func unlink(_ id: TokenID, by context: AuditContext = .none) throws(VaultError) -> Bool {
    try instruments.measure(instruments.delete) { () throws(VaultError) in
      try change(id) { (state, batch) throws(VaultError) in
        try remove(id, in: state, by: context, audits: true, from: &batch)
      }.result
    }
  }

  /// Adds what removes the entry of `id` in this state. Of one that is no account there is an event only if `audits` says so.
  ///
  /// - Returns: whether there is one that is not over.
  func remove(
    _ id: TokenID, in state: EntryState, by context: AuditContext, audits: Bool, from batch: inout VaultBatch
  ) throws(VaultError) -> Bool {
    if case .absent = state { return false }
    try batch.delete(id.recordName.span, if: state.condition)
    if let entry = state.entry {
      try release(entry, of: id, in: &batch)
      if audits || entry.value.providerAccount != nil {
        try batch.audit(.unlinked, of: id, by: context, superseding: entry.digestIfToken())
      }
    }
    if case .over = state { return false }
    return true
  }

  /// Adds the put of an entry.
  func put(
    _ token: OAuthToken, _ value: EntryValue, for id: TokenID, if condition: WriteCondition, in batch: inout VaultBatch
  ) throws(VaultError) {
    try token.withJSON { (json) throws(VaultError) in
      let bytes = try value.encoded(with: json)
      try batch.put(id.recordName.span, value: bytes.span, if: condition)
    }
  }

  /// The entry of a state; `nil` when there is none.
  ///
  /// - Throws: what keeps it from being read.
  static func readable(_ state: EntryState) throws(VaultError) -> StoredEntry? {
    switch state {
    case .absent, .over: return nil
    case .there(let entry): return entry
    case .unreadable(let error): throw error
    case .sealed: throw StoredEntry.sealed
    }
  }
}

extension StoredEntry {
  /// The digest of the access token; `nil` also where what is stored is no token.
  func digestIfToken() throws(VaultError) -> TokenDigest? {
    do {
      return try digest()
    } catch {
      guard error.code == .invalidToken else { throw error }
      return nil
    }
  }
}

extension Duration {
  /// Whole microseconds; centuries at most, so that it can be added to a time.
  var microseconds: Int64 {
    let (seconds, attoseconds) = components
    return min(max(seconds, -1 << 40), 1 << 40) * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}
