internal import VaultFormat

/// Whose token it is: a user, and the provider that issued it.
///
/// Both are bytes. Two texts that look the same but are composed differently are two users.
public struct TokenID: Hashable, Sendable {
  /// At least one byte, none of them zero.
  public let user: [UInt8]
  /// Empty for a token that was stored without a provider; no byte is zero.
  public let provider: [UInt8]

  /// An id from texts, taken as UTF-8.
  ///
  /// - Throws: `invalid-name` when the user is empty, a zero byte is in either, or both together are longer than 1024 bytes.
  public init(user: String, provider: String = "") throws(VaultError) {
    try self.init(user: Array(user.utf8), provider: Array(provider.utf8))
  }

  /// An id from bytes.
  ///
  /// - Throws: as ``init(user:provider:)-(String,_)``.
  public init(user: [UInt8], provider: [UInt8] = []) throws(VaultError) {
    guard !user.isEmpty else { throw VaultError(.invalidName, "the user id is empty: it has 1 to 1024 bytes") }
    guard !user.contains(0), !provider.contains(0) else {
      throw VaultError(.invalidName, "a user id or provider holds a zero byte")
    }
    self.user = user
    self.provider = provider
    let count = recordName.count
    guard count <= VaultLimits.name else {
      throw VaultError(
        .invalidName,
        "the user id\(provider.isEmpty ? "" : " and provider") would take \(count) bytes; "
          + "\(VaultLimits.name) is the limit")
    }
  }

  /// The name of the record: the user, and behind a zero byte the provider, if there is one (FORMAT.md, "Entries").
  var recordName: [UInt8] { provider.isEmpty ? user : user + [0] + provider }

  /// The id of a record of this name; `nil` for a record of another kind.
  init?(recordName name: Span<UInt8>) {
    let parts = name.array.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard let user = parts.first, !user.isEmpty else { return nil }
    let provider = parts.dropFirst().first.map { Array($0) } ?? []
    guard !provider.contains(0), parts.count == 1 || !provider.isEmpty else { return nil }
    self.user = Array(user)
    self.provider = provider
  }
}
