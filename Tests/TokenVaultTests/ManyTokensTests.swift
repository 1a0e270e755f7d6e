import Testing
import TokenVault

/// Many tokens at once.
@Suite struct ManyTokensTests {
  let store: TokenStore
  private let temporary: TemporaryVault

  init() throws {
    temporary = try TemporaryVault()
    store = TokenStore(temporary.vault)
  }

  private static func new(_ user: String, _ json: String, ttl: Duration? = nil) throws -> NewToken {
    NewToken(try OAuthToken(json), for: try TokenID(user: user), ttl: ttl)
  }

  // Defends: tokens are drawn as they are needed, and each batch is told of when it is there.
  @Test func batchesOneAfterTheOther() throws {
    let large = #"{"access_token":"\#(String(repeating: "x", count: 1_000_000))"}"#
    let tokens = try (0..<20).map { try Self.new("user-\($0)", large) }
    var drawn = 0
    var told: [Int] = []
    let drawing = tokens.lazy.map { (token) in
      drawn += 1
      return token
    }
    let outcome = try store.put(contentsOf: drawing) { (outcome) in
      #expect(outcome.stored == drawn)
      told.append(outcome.stored)
    }
    #expect(told.count == 3 && told.last == 20)
    #expect(outcome.stored == 20 && outcome.leftOut == 0)
    #expect(try store.list().count == 20)
  }

  // Defends: what can't be stored takes its batch with it, and nothing that was told of.
  @Test func anAnswerThatIsNoToken() throws {
    let large = #"{"access_token":"\#(String(repeating: "x", count: 1_000_000))"}"#
    var tokens = try (0..<12).map { try Self.new("user-\($0)", large) }
    tokens.append(try Self.new("user-12", #"{"error":"invalid_grant"}"#))
    var told = 0
    #expect(throws: VaultError(.invalidToken, "")) {
      try store.put(contentsOf: tokens) { told = $0.stored }
    }
    #expect(told > 0 && told < 12)
    #expect(try store.list().count == told)
  }

  // Defends: nobody's token is replaced, but one whose entry is over counts as absent; the later of two of one name is newer.
  @Test func thoseThatAreThere() throws {
    let over = try Self.new("over", #"{"access_token":"1"}"#, ttl: .nanoseconds(1))
    try store.put(contentsOf: [over, try Self.new("there", #"{"access_token":"1"}"#)])
    let tokens = try ["over", "there", "new", "new"].enumerated().map {
      try Self.new($0.element, #"{"access_token":"\#($0.offset + 2)"}"#)
    }
    let outcome = try store.put(contentsOf: tokens, ifAbsent: true)
    #expect(outcome.stored == 2 && outcome.leftOut == 2)
    #expect(try store.token(for: TokenID(user: "over"))?.token.accessToken == "2")
    #expect(try store.token(for: TokenID(user: "there"))?.token.accessToken == "1")
    #expect(try store.token(for: TokenID(user: "new"))?.token.accessToken == "4")
    #expect(try store.put(contentsOf: tokens).stored == 4)
    #expect(try store.token(for: TokenID(user: "new"))?.token.accessToken == "5")
  }
}
