import Testing
import TokenVault

/// What a vault knows of its tokens, in a real vault file.
@Suite struct KnownTokensTests {
  let temporary: TemporaryVault
  let store: TokenStore

  init() throws {
    temporary = try TemporaryVault()
    store = TokenStore(temporary.vault)
  }

  /// User, which token, whether current, for each token in the order of a text.
  private func found(_ tokens: String...) throws -> [String] {
    try store.leaks(in: Array(tokens.joined(separator: "\n").utf8)).map {
      "\($0.line) \(String(decoding: $0.owner.user, as: UTF8.self)) \($0.kind.rawValue) \($0.isCurrent)"
    }
  }

  private func put(_ user: String, _ access: String, _ refresh: String, ttl: Duration? = nil) throws {
    let json = #"{"access_token":"\#(access)","refresh_token":"\#(refresh)","scope":"scope-of-many-bytes"}"#
    try store.put(try OAuthToken(json), for: try TokenID(user: user), ttl: ttl)
  }

  @Test func plainEntries() throws {
    // Defends: what an entry holds is current; what it held before, or one that is deleted or over, is known as superseded.
    try put("ada", "access-token-1", "refresh-token-1")
    try put("ada", "access-token-2", "refresh-token-1")
    try put("bob", "access-token-3", "refresh-token-3")
    try store.delete(try TokenID(user: "bob"))
    try put("eve", "access-token-4", "refresh-token-4", ttl: .nanoseconds(1))
    #expect(
      try found(
        "access-token-1", "access-token-2", "refresh-token-1", "access-token-3", "refresh-token-3", "access-token-4",
        "scope-of-many-bytes") == [
          "1 ada access_token false", "2 ada access_token true", "3 ada refresh_token true",
          "4 bob access_token false", "5 bob refresh_token false", "6 eve access_token false",
        ])
    #expect(try store.knownTokens().count == 7)
  }

  @Test func accounts() throws {
    // Defends: an account's access token is known though the vault does not hold it, also when it was replaced, revoked, and
    // when earlier writes are gone from the file; its refresh token is known as long as the file has it.
    let id = try TokenID(user: "ada", provider: "reddit")
    func link(_ access: String, _ refresh: String) throws {
      let json = #"{"access_token":"\#(access)","refresh_token":"\#(refresh)"}"#
      try store.link(
        NewAccount(try ProviderAccount(id: "t2_a", name: nil), token: try OAuthToken(json)), for: id)
    }
    let tokens = ["access|token-1", "refresh-token-1", "access-token-2", "refresh-token-2"]
    try link(tokens[0], tokens[1])
    #expect(try found(tokens[0], tokens[1]) == ["1 ada access_token true", "2 ada refresh_token true"])
    try link(tokens[2], tokens[3])
    #expect(
      try found(tokens[0], tokens[1], tokens[2], tokens[3]) == [
        "1 ada access_token false", "2 ada refresh_token false", "3 ada access_token true",
        "4 ada refresh_token true",
      ])
    _ = try Vault.compact(at: temporary.vault.path, credential: TemporaryVault.credential())
    #expect(
      try found(tokens[0], tokens[1], tokens[2], tokens[3]) == [
        "1 ada access_token false", "3 ada access_token true", "4 ada refresh_token true",
      ])
    try store.revoke(id)
    #expect(
      try found(tokens[0], tokens[2], tokens[3]) == [
        "1 ada access_token false", "2 ada access_token false", "3 ada refresh_token false",
      ])
    let finding = try #require(try store.leaks(in: Array(tokens[2].utf8)).first)
    #expect(finding.owner == id)
  }

  @Test func whatIsNoToken() throws {
    // Defends: members of other types, and empty ones, are passed over; names may be any bytes.
    let id = try TokenID(user: [0xff, 0x0a], provider: Array("p".utf8))
    try store.put(try OAuthToken(#"{"access_token":"","refresh_token":"refresh-token-\u00e4"}"#), for: id)
    #expect(try store.knownTokens().count == 1 && store.knownTokens().tooShort == 0)
    #expect(try store.leaks(in: Array("refresh-token-ä".utf8)).map(\.owner) == [id])
  }
}
