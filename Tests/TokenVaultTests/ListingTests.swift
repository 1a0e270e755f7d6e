import Logging
import Metrics
import Testing
import VaultCrypto

@testable import TokenVault
@testable import VaultEngine

/// Lists of tokens, made on all cores.
@Suite struct ListingTests {
  private static let now: Int64 = 1_790_000_000

  private func store(_ vault: Vault) -> TokenStore {
    TokenStore(
      vault, logger: Logger(label: "test"), metrics: NOOPMetricsHandler.instance, now: { Self.now * 1_000_000 })
  }

  // Defends: several parts of a file, read by several threads, give what one reading after the other gives: all names once, in
  // order, with superseded and deleted ones left out.
  @Test func manyPartsGiveWhatOneByOneGives() throws {
    let temporary = try TemporaryVault()
    let store = store(temporary.vault)
    let padding = String(repeating: "p", count: 300)
    for round in 0..<2 {
      try store.put(
        contentsOf: (0..<9000).map { (number) in
          let json = #"{"refresh_token":"\#(padding)","expires_at":\#(Self.now + Int64(number + round))}"#
          return try NewToken(OAuthToken(json), for: TokenID(user: "u\(number)", provider: "p\(number % 3)"))
        })
    }
    for number in stride(from: 0, to: 9000, by: 10) {
      try store.delete(TokenID(user: "u\(number)", provider: "p\(number % 3)"))
    }
    var expected: [TokenID: UInt64] = [:]
    try temporary.vault.snapshot().forEachEntry { (entry) throws(VaultError) in
      guard let id = TokenID(recordName: entry.name) else { return }
      expected[id] = entry.version
    }
    let listing = try store.list(TokenFilter())
    #expect(listing.unreadable.isEmpty && listing.tokens.count == 8100)
    #expect(Dictionary(uniqueKeysWithValues: listing.tokens.map { ($0.id, $0.seq) }) == expected)
    let names = listing.tokens.map(\.id.recordName)
    #expect(zip(names, names.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
    let some = try store.list(TokenFilter(provider: Array("p1".utf8), expiringUntil: Self.now + 300))
    #expect(some.tokens.map(\.id.user).count == 100 - 10)
    #expect(try store.list(TokenFilter(prefix: Array("u899".utf8))).tokens.count == 10)
    #expect(try store.list(TokenFilter(prefix: Array("u899".utf8), provider: [])).tokens.isEmpty)
  }

  /// Tokens, and when they expire: in seconds since 1970, or since they were stored.
  static let expiries: [(json: String, at: Int64?, after: Int64?)] = [
    (#"{"expires_at":1790000100}"#, 1_790_000_100, nil), (#"{"expires_in":100}"#, nil, 100), (#"{}"#, nil, nil),
    (#"{"expires_in":100,"expires_at":7}"#, 7, nil), (#"{"expires_at":1.7900001e9}"#, 1_790_000_100, nil),
    (#"{"expires_at":null,"expires_in":3}"#, nil, 3), (#"{"expires_in":"3600"}"#, nil, nil),
    (#"{"expires_in":-5}"#, nil, -5), (#"{"expires\u005fat":9}"#, 9, nil), (#"{"expires_at":0}"#, 0, nil),
    (#"{"a":{"expires_at":9},"b":["expires_at",9],"c":"\"expires_at\":9"}"#, nil, nil),
    (#"{"expires_at" : 12 , "x":"}"}"#, 12, nil), (#"{"expires_in":9223372036854775807}"#, nil, nil),
    (#"{"access_token":"ü\\","expires_at":999999999999999999}"#, 999_999_999_999_999_999, nil),
  ]

  // Defends: the quick look at a token finds the expiry that reading the whole of it finds, however it is written.
  @Test(arguments: expiries)
  func expiryIsTheTokens(_ sample: (json: String, at: Int64?, after: Int64?)) throws {
    let temporary = try TemporaryVault()
    let store = store(temporary.vault)
    try store.put(OAuthToken(sample.json), for: TokenID(user: "mara"))
    let listed = try #require(try store.list(TokenFilter()).tokens.first)
    let stored = try #require(try store.token(for: TokenID(user: "mara")))
    #expect(listed.expiresAt == stored.expiresAt)
    #expect(listed.expiresAt == sample.at ?? sample.after.map { stored.updated / 1_000_000 + $0 })
  }

  // Defends: accounts are listed with what is known of them; filters are kept to; reservations are nobody's tokens.
  @Test func accountsAreListed() throws {
    let temporary = try TemporaryVault()
    let store = store(temporary.vault)
    let (mara, ivo) = try (TokenID(user: "mara", provider: "reddit"), TokenID(user: "ivo", provider: "reddit"))
    for (id, account) in [(mara, "t2_a"), (ivo, "t2_b")] {
      try store.link(NewAccount(ProviderAccount(id: account), token: OAuthToken(#"{"expires_in":60}"#)), for: id)
    }
    try store.put(OAuthToken(#"{"access_token":"a"}"#), for: TokenID(user: "ada"))
    try store.revoke(ivo)
    try store.recordUse(of: mara)
    let all = try store.list(TokenFilter()).tokens
    #expect(all.map { String(decoding: $0.id.user, as: UTF8.self) } == ["ada", "ivo", "mara"])
    #expect(all[0].providerAccount == nil && all[0].linked == nil)
    #expect(all[2].providerAccount == (try ProviderAccount(id: "t2_a")) && all[2].lastUsed != nil)
    #expect(all[2].linked == Self.now * 1_000_000 && all[2].expiresAt == Self.now + 60)
    #expect(try store.list(TokenFilter(revokedOnly: true)).tokens.map(\.id) == [ivo])
    #expect(try store.list(TokenFilter(expiringUntil: Self.now + 60)).tokens.map(\.id) == [mara])
    #expect(try store.list(TokenFilter(expiringUntil: Self.now + 59)).tokens.isEmpty)
  }

  // Defends: what is wrong with one entry is part of the result, with whose it is where that is known; the short form throws.
  @Test func unreadableEntriesAreToldOf() throws {
    let temporary = try TemporaryVault()
    let store = store(temporary.vault)
    try store.put(OAuthToken(#"{"access_token":"a"}"#), for: TokenID(user: "ada"))
    let values: [(String, [UInt8])] = [
      ("form", [9]), ("empty", []), ("cut", [1, 0, 9, 1]), ("text", Array("{\"a\"".utf8)),
      ("account", [1, 0, 4, 2, 0, 1, 0] + Array("{}".utf8)),
    ]
    for (name, value) in values {
      var batch = try VaultBatch()
      try batch.put(Array(name.utf8).span, value: value.span)
      try temporary.vault.commit(batch)
    }
    var batch = try VaultBatch()
    try batch.put(Array("sealed".utf8).span, legacyRecord: [1].span)
    try temporary.vault.commit(batch)
    let listing = try store.list(TokenFilter())
    #expect(listing.tokens.map(\.id) == [try TokenID(user: "ada")])
    let told = Dictionary(
      uniqueKeysWithValues: listing.unreadable.map { (entry) in
        (String(decoding: entry.id?.user ?? [], as: UTF8.self), entry.error.code)
      })
    #expect(
      told == [
        "form": .unsupportedFeature, "empty": .frameDamaged, "cut": .frameDamaged, "text": .invalidToken,
        "account": .frameDamaged, "sealed": .unsupportedFeature,
      ])
    for entry in listing.unreadable {
      let name = try #require(entry.id).recordName
      #expect(try temporary.vault.entry(named: name.span)?.offset == entry.offset)
    }
    #expect(throws: VaultError.self) { try store.list() }
    #expect(try store.list(TokenFilter(prefix: Array("a".utf8))).unreadable.count == 1)
  }
}
