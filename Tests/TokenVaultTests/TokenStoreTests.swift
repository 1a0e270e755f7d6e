import Foundation
import CoreMetrics
import Logging
import Synchronization
import Testing
import TokenVault

/// Tokens in a real vault file.
@Suite struct TokenStoreTests {
  let temporary: TemporaryVault
  let store: TokenStore

  init() throws {
    temporary = try TemporaryVault()
    store = TokenStore(temporary.vault)
  }

  @Test func storesReadsAndDeletes() throws {
    // Defends: the round trip of the predecessor's tests: store, get, has, delete, gone.
    let id = try TokenID(user: "mara", provider: "reddit")
    #expect(try store.token(for: id) == nil)
    let seq = try store.put(OAuthToken(#"{"access_token":"1"}"#), for: id)
    #expect(try store.token(for: id)?.token.json == #"{"access_token":"1"}"#)
    #expect(try store.token(for: id)?.seq == seq)
    #expect(try store.put(OAuthToken(#"{"access_token":"2"}"#), for: id) == seq + 1)
    #expect(try store.token(for: id)?.token.accessToken == "2")
    #expect(try store.delete(id))
    #expect(try store.token(for: id) == nil)
    #expect(try !store.delete(id))
  }

  @Test func fileShowsNoToken() throws {
    // Defends: neither a token, nor a user, nor a provider can be read in the file.
    try store.put(
      OAuthToken(#"{"access_token":"c4n4ryT0ken"}"#), for: TokenID(user: "c4n4ryUser", provider: "c4n4ryProv"))
    let bytes = try temporary.bytes()
    for canary in ["c4n4ryT0ken", "c4n4ryUser", "c4n4ryProv", "access_token"] {
      #expect(bytes.range(of: Data(canary.utf8)) == nil)
    }
  }

  @Test func namesAreBytes() throws {
    // Defends: names that look the same, or that String takes for equal, are different users.
    let names = ["é", "e\u{301}", "E", "e", "日本", "мара", "مارا", "👩‍🚀", "a b", "a:b", "a/b", "../a", "\u{202E}x", "\n"]
    for (number, name) in names.enumerated() {
      try store.put(OAuthToken("{\"access_token\":\"\(number)\"}"), for: TokenID(user: name))
    }
    for (number, name) in names.enumerated() {
      #expect(try store.token(for: TokenID(user: name))?.token.accessToken == "\(number)")
    }
    #expect(try store.list().count == names.count)
    #expect(try store.list(prefix: Array("e".utf8)).count == 2)
  }

  @Test func userAndProviderDoNotRunTogether() throws {
    // Defends: the record name of a pair is the name of no other pair.
    let pairs = [("a", ""), ("a", "b"), ("ab", ""), ("a", "bc"), ("ab", "c")]
    for (user, provider) in pairs {
      try store.put(OAuthToken("{\"u\":\"\(user) \(provider)\"}"), for: TokenID(user: user, provider: provider))
    }
    for (user, provider) in pairs {
      #expect(try store.token(for: TokenID(user: user, provider: provider))?.token.member("u") == "\(user) \(provider)")
    }
    #expect(try store.list(provider: Array("b".utf8)).map(\.id) == [TokenID(user: "a", provider: "b")])
  }

  @Test func refusesNamesOutsideTheLimits() throws {
    // Defends: empty, too long, and zero bytes are refused; the longest name works.
    #expect(throws: VaultError(.invalidName, "")) { try TokenID(user: "") }
    #expect(throws: VaultError(.invalidName, "")) { try TokenID(user: String(repeating: "a", count: 1025)) }
    #expect(throws: VaultError(.invalidName, "")) {
      try TokenID(user: String(repeating: "a", count: 1020), provider: "abcd")
    }
    #expect(throws: VaultError(.invalidName, "")) { try TokenID(user: "a\0b") }
    #expect(throws: VaultError(.invalidName, "")) { try TokenID(user: "a", provider: "\0") }
    let longest = try TokenID(user: String(repeating: "a", count: 1024))
    try store.put(OAuthToken("{}"), for: longest)
    #expect(try store.token(for: longest) != nil)
  }

  @Test func writesOnlyOnTheConditionGiven() throws {
    // Defends: compare-and-set: of two writers that both read version 1, one loses and is told.
    let id = try TokenID(user: "a")
    let first = try store.put(OAuthToken("{}"), for: id, if: .absent)
    #expect(throws: VaultError(.conflict, "")) { try store.put(OAuthToken("{}"), for: id, if: .absent) }
    try store.put(OAuthToken("{}"), for: id, if: .version(first))
    #expect(throws: VaultError(.conflict, "")) { try store.put(OAuthToken("{}"), for: id, if: .version(first)) }
    #expect(throws: VaultError(.conflict, "")) {
      try store.put(OAuthToken("{}"), for: TokenID(user: "b"), if: .version(1))
    }
  }

  @Test func refusesAnEndpointsError() throws {
    // Defends: the answer to a failed refresh, piped into put, does not take the place of the token.
    let id = try TokenID(user: "a")
    try store.put(OAuthToken(#"{"access_token":"1","error":"kept, as it stands beside a token"}"#), for: id)
    let answer = try OAuthToken(#"{"error":"invalid_grant","error_description":"expired","access_token":null}"#)
    #expect(throws: VaultError(.invalidToken, "")) { try store.put(answer, for: id) }
    #expect(try store.token(for: id)?.token.accessToken == "1")
  }

  @Test func hidesAnEntryThatIsOver() throws {
    // Defends: ttl hides the entry when it is over, is set by the caller alone, and lets --if-absent take the place.
    let time = Mutex<Int64>(1_000_000)
    let store = TokenStore(
      temporary.vault, logger: Logger(label: "test"), metrics: NOOPMetricsHandler.instance,
      now: { time.withLock { $0 } })
    let id = try TokenID(user: "a")
    try store.put(OAuthToken(#"{"access_token":"1","expires_at":1}"#), for: id, ttl: .seconds(60))
    #expect(try store.token(for: id)?.expiry == 61_000_000)
    time.withLock { $0 = 61_000_000 }
    #expect(try store.token(for: id) == nil)
    #expect(try store.list().isEmpty)
    #expect(throws: VaultError(.conflict, "")) { try store.put(OAuthToken("{}"), for: id, if: .version(1)) }
    try store.put(OAuthToken(#"{"access_token":"2","expires_at":1}"#), for: id, if: .absent)
    #expect(try store.token(for: id)?.token.accessToken == "2")
    time.withLock { $0 = .max / 2 }
    #expect(try store.token(for: id) != nil)
    try store.put(OAuthToken("{}"), for: TokenID(user: "b"), ttl: .seconds(0))
    #expect(try !store.delete(TokenID(user: "b")))
  }

  @Test func tellsTheHistory() throws {
    // Defends: every write of a name is listed, deletions too, and nobody else's.
    let id = try TokenID(user: "a")
    try store.put(OAuthToken(#"{"n":1}"#), for: id)
    try store.put(OAuthToken("{}"), for: TokenID(user: "b"))
    try store.delete(id)
    try store.put(OAuthToken("{}"), for: id, ttl: .seconds(9))
    let history = try store.history(of: id)
    #expect(history.map(\.operation) == [.put, .delete, .put])
    #expect(history.map(\.seq) == [1, 3, 4])
    #expect(history.map(\.bytes) == [7, 0, 2])
  }

  @Test(.ownThreads) func servesAsyncCode() async throws {
    // Defends: the protocol's four calls, from many tasks at once.
    let storage: any TokenStorage = VaultTokenStorage(temporary.vault)
    try await withThrowingTaskGroup(of: Void.self) { (group) in
      for number in 0..<50 {
        group.addTask {
          try await storage.store(OAuthToken("{\"access_token\":\"\(number)\"}"), for: TokenID(user: "user\(number)"))
        }
      }
      try await group.waitForAll()
    }
    for number in 0..<50 {
      #expect(try await storage.token(for: TokenID(user: "user\(number)"))?.accessToken == "\(number)")
    }
    #expect(try await storage.has(TokenID(user: "user7")))
    #expect(try await storage.delete(TokenID(user: "user7")))
    #expect(try await !storage.has(TokenID(user: "user7")))
  }
}
