public import VaultEngine

/// Who a user is at a provider.
public struct ProviderAccount: Equatable, Sendable {
  /// The provider's own id of the account, 1 to 512 bytes.
  public let id: [UInt8]
  /// What the provider calls the user, up to 1024 bytes; `nil`, if it is not known.
  public let name: [UInt8]?

  /// An account from texts, taken as UTF-8.
  ///
  /// - Throws: `invalid-name` when the id is empty or longer than 512 bytes, a zero byte is in it, or the name is over 1024.
  public init(id: String, name: String? = nil) throws(VaultError) {
    try self.init(id: Array(id.utf8), name: name.map { Array($0.utf8) })
  }

  /// An account from bytes.
  ///
  /// - Throws: as ``init(id:name:)-(String,_)``.
  public init(id: [UInt8], name: [UInt8]?) throws(VaultError) {
    guard !id.isEmpty, id.count <= 512, !id.contains(0) else {
      throw VaultError(.invalidName, "a provider's account id has 1 to 512 bytes, none of them zero")
    }
    guard name.map({ $0.count <= 1024 }) ?? true else {
      throw VaultError(.invalidName, "a provider's user name has at most 1024 bytes")
    }
    (self.id, self.name) = (id, name)
  }
}

/// What is known of an entry, without its secrets.
public struct Account: Sendable {
  /// Whose it is.
  public let id: TokenID
  /// Version of the write that the entry is in.
  public let seq: UInt64
  /// When it was written, in microseconds since 1970; of an imported token, when it was last changed where it came from.
  public let updated: Int64
  /// Who the user is at the provider; `nil` in an entry that was put and never linked.
  public let providerAccount: ProviderAccount?
  /// What was granted, in the provider's words, each as bytes.
  public let scopes: [[UInt8]]
  /// When the access token expires, in seconds since 1970; `nil`, if nobody said, or the account is revoked.
  public let expiresAt: Int64?
  /// When the account was linked, or an imported token first stored, in microseconds since 1970.
  public let linked: Int64?
  /// When the token was last replaced by its successor, in microseconds since 1970.
  public let lastRotated: Int64?
  /// When the account was last used, as far as that was recorded, in microseconds since 1970.
  public let lastUsed: Int64?
  /// When the account was revoked, in microseconds since 1970; `nil` while it is active.
  public let revoked: Int64?
  /// When the entry is over and no longer there, in microseconds since 1970; `nil`, if never.
  public let expiry: Int64?
  /// When a refresh began of which no end was recorded, in microseconds since 1970: it is at work now, or was interrupted.
  public let refreshing: Int64?
  /// When a refresh failed last, in microseconds since 1970; `nil` once one succeeded.
  public let refreshFailed: Int64?
  /// Whether the access token is in the entry, and not only its hash.
  public let hasAccessToken: Bool
  /// Whether there is a refresh token.
  public let hasRefreshToken: Bool
  /// Whether links and refreshes leave the access token in the entry.
  public let keepsAccessToken: Bool
  /// Bytes of the token's JSON.
  public let bytes: Int

  /// - Throws: `invalid-token` when something else was stored under the name.
  init(_ id: TokenID, _ entry: StoredEntry) throws(VaultError) {
    let token = try entry.token()
    let value = entry.value
    self.id = id
    seq = entry.version
    updated = value.updated ?? entry.time
    // What is in the file was checked when it was written.
    if let account = value.providerAccount {
      providerAccount = try ProviderAccount(id: account, name: value.providerName)
    } else {
      providerAccount = nil
    }
    scopes = value.scopes
    expiresAt = token.expiry(storedAt: value.updated ?? entry.time)
    (linked, lastRotated, lastUsed, revoked) = (value.linked, value.rotated, value.used, value.revoked)
    (expiry, refreshing, refreshFailed) = (value.expiry, value.refreshing, value.refreshFailed)
    hasAccessToken = token.accessToken != nil
    hasRefreshToken = token.refreshToken != nil
    keepsAccessToken = value.keepsAccessToken
    bytes = entry.jsonLength
  }
}
