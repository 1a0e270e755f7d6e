import Foundation
import JSONText
import Logging
import Metrics
import Synchronization
import Testing
import TokenVault
import VaultLaboratory

/// Accounts in a real vault file.
@Suite struct AccountTests {
  let temporary: TemporaryVault
  let store: TokenStore

  init() throws {
    temporary = try TemporaryVault()
    store = TokenStore(temporary.vault)
  }

  private func id(_ user: String) throws -> TokenID { try TokenID(user: user, provider: "reddit") }

  private func new(_ account: String, _ json: String = Self.json) throws -> NewAccount {
    NewAccount(try ProviderAccount(id: account, name: "u_" + account), token: try OAuthToken(json))
  }

  private static let json =
    #"{"access_token":"at-1","refresh_token":"rt-1","expires_in":3600,"scope":"identity read","x":1.50}"#

  @Test func linksAndShows() throws {
    // Defends: a link keeps who the user is, the scopes and when the token expires; and of the access token the hash alone.
    let before = Vault.currentTime()
    let seq = try store.link(new("t2_a"), for: id("mara"))
    let account = try #require(try store.account(of: id("mara")))
    #expect(account.seq == seq)
    #expect(account.providerAccount == (try ProviderAccount(id: "t2_a", name: "u_t2_a")))
    #expect(account.scopes == [Array("identity".utf8), Array("read".utf8)])
    #expect(!account.hasAccessToken && account.hasRefreshToken && !account.keepsAccessToken)
    let linked = try #require(account.linked)
    #expect(linked >= before && linked <= Vault.currentTime())
    #expect(account.expiresAt == linked / 1_000_000 + 3600)
    let stored = try #require(try store.token(for: id("mara")))
    #expect(stored.lacksAccessToken)
    #expect(
      stored.token.json
        == #"{"refresh_token":"rt-1","expires_in":3600,"scope":"identity read","x":1.50,"expires_at":"#
        + "\(linked / 1_000_000 + 3600)}")
  }

  @Test func keepsTheAccessTokenIfAsked() throws {
    // Defends: what is asked for once is remembered for the next link.
    var first = try new("t2_a")
    first.keepsAccessToken = true
    try store.link(first, for: id("mara"))
    #expect(try store.token(for: id("mara"))?.token.accessToken == "at-1")
    try store.link(new("t2_a", #"{"access_token":"at-2"}"#), for: id("mara"))
    #expect(try store.token(for: id("mara"))?.token.accessToken == "at-2")
  }

  @Test func accountHasOneUser() throws {
    // Defends: an account of a provider has one user, until it is given up; other providers' accounts are others.
    try store.link(new("t2_a"), for: id("mara"))
    #expect(throws: VaultError(.conflict, "")) { try store.link(new("t2_a"), for: id("ivo")) }
    try store.link(new("t2_a"), for: TokenID(user: "ivo", provider: "github"))
    try store.revoke(id("mara"))
    #expect(throws: VaultError(.conflict, "")) { try store.link(new("t2_a"), for: id("ivo")) }
    #expect(try store.unlink(id("mara")))
    try store.link(new("t2_a"), for: id("ivo"))
    #expect(throws: VaultError(.conflict, "")) { try store.link(new("t2_a"), for: id("mara")) }
    #expect(try store.account(of: id("mara")) == nil)
  }

  @Test func userMovesToAnotherAccount() throws {
    // Defends: a user who links another account gives up the first, and nobody else's.
    try store.link(new("t2_a"), for: id("mara"))
    try store.link(new("t2_b"), for: id("mara"))
    try store.link(new("t2_a"), for: id("ivo"))
    #expect(throws: VaultError(.conflict, "")) { try store.link(new("t2_b"), for: id("ivo")) }
    #expect(try store.account(of: id("ivo"))?.providerAccount?.id == Array("t2_a".utf8))
  }

  @Test func deletedAccountIsGivenUp() throws {
    // Defends: a plain delete of an account unlinks it, with its event.
    try store.link(new("t2_a"), for: id("mara"))
    #expect(try store.delete(id("mara")))
    try store.link(new("t2_a"), for: id("ivo"))
    #expect(try events().map(\.kind) == [.linked, .unlinked, .linked])
  }

  @Test func overAccountIsGivenUp() throws {
    // Defends: an account whose time is over holds nothing, though its records are still there.
    let time = Mutex<Int64>(1_790_000_000_000_000)
    let store = TokenStore(
      temporary.vault, logger: Logger(label: "test"), metrics: NOOPMetricsHandler.instance,
      now: { time.withLock { $0 } })
    var new = try new("t2_a")
    new.ttl = .seconds(60)
    try store.link(new, for: id("mara"))
    #expect(throws: VaultError(.conflict, "")) { try store.link(self.new("t2_a"), for: id("ivo")) }
    time.withLock { $0 += 60_000_000 }
    #expect(try store.account(of: id("mara")) == nil)
    try store.link(self.new("t2_a"), for: id("ivo"))
    #expect(throws: VaultError(.conflict, "")) { try store.link(self.new("t2_a"), for: id("mara")) }
  }

  @Test func revokesUntilLinkedAgain() throws {
    // Defends: revoking takes out the secrets and leaves the rest; putting does not undo it, linking does.
    try store.link(new("t2_a"), for: id("mara"))
    #expect(try store.revoke(id("mara")))
    #expect(try !store.revoke(id("mara")))
    let account = try #require(try store.account(of: id("mara")))
    #expect(account.revoked != nil && !account.hasRefreshToken && account.linked != nil)
    #expect(account.providerAccount?.id == Array("t2_a".utf8))
    #expect(try store.token(for: id("mara"))?.token.json == "{}")
    #expect(throws: VaultError(.conflict, "")) { try store.put(OAuthToken(Self.json), for: id("mara")) }
    try store.link(new("t2_a"), for: id("mara"))
    #expect(try store.account(of: id("mara"))?.revoked == nil)
    #expect(throws: VaultError(.notFound, "")) { try store.revoke(id("ivo")) }
  }

  @Test func putLeavesAnAccountOne() throws {
    // Defends: one put by one or among many, a token takes the place of the account's token, and not of the account.
    try store.link(new("t2_a"), for: id("mara"))
    try store.put(OAuthToken(#"{"access_token":"at-2"}"#), for: id("mara"))
    #expect(try store.token(for: id("mara"))?.token.json == #"{"access_token":"at-2"}"#)
    try store.put(contentsOf: [NewToken(OAuthToken(#"{"access_token":"at-3"}"#), for: id("mara"))])
    #expect(try store.account(of: id("mara"))?.providerAccount?.id == Array("t2_a".utf8))
    let events = try events()
    #expect(events.map(\.kind) == [.linked, .refreshed, .refreshed])
    #expect(events[1].superseded == (try TokenDigest(of: "at-1")))
    #expect(events[2].superseded == (try TokenDigest(of: "at-2")))
  }

  @Test func recordsUse() throws {
    // Defends: a use is noted and moves nothing else, the expiry that is counted from the time of storing least of all.
    try store.put(OAuthToken(Self.json), for: id("mara"))
    let before = try #require(try store.token(for: id("mara")))
    #expect(try store.recordUse(of: id("mara")))
    let account = try #require(try store.account(of: id("mara")))
    #expect(account.lastUsed != nil)
    #expect(account.updated == before.updated)
    #expect(account.expiresAt == before.expiresAt && account.expiresAt != nil)
    #expect(try !store.recordUse(of: id("ivo")))
  }

  @Test func eventsSayWhoWhyAndFromWhere() throws {
    // Defends: what is given for the audit is in the batch of the change, and no secret is.
    let context = try AuditContext(
      actor: "web-1", reason: "user asked", ipAddress: "2001:db8::7", userAgent: "Agent/1.0 \u{1b}[2J")
    try store.link(new("t2_a"), for: id("mara"), by: context)
    try store.revoke(id("mara"), by: context)
    try store.unlink(id("mara"), by: context)
    let events = try events()
    #expect(events.map(\.kind) == [.linked, .revoked, .unlinked])
    #expect(try events.allSatisfy { try $0.context == context && $0.id == id("mara") })
    for event in events { #expect(!JSONValue.object(event.details).text.contains("-1")) }
  }

  @Test(arguments: ["192.0.2.256", "::g", "localhost", "", "1.2.3.4\u{0}", "10.0.0.1 "])
  func refusesAddressesThatAreNone(_ address: String) {
    // Defends: what the audit calls an address is one.
    #expect(throws: VaultError(.usage, "")) { try AuditContext(ipAddress: address) }
  }

  @Test func refusesWhatIsNoAccount() throws {
    // Defends: each thing that can't be linked gets its sentence, and nothing is written.
    #expect(throws: VaultError(.usage, "")) { try store.link(new("t2_a"), for: TokenID(user: "mara")) }
    #expect(throws: VaultError(.invalidToken, "")) {
      try store.link(new("t2_a", #"{"error":"invalid_grant"}"#), for: id("mara"))
    }
    #expect(throws: VaultError(.invalidName, "")) { try ProviderAccount(id: "") }
    #expect(throws: VaultError(.invalidName, "")) { try ProviderAccount(id: "a\u{0}b") }
    #expect(throws: VaultError(.invalidName, "")) { try ProviderAccount(id: String(repeating: "a", count: 513)) }
    var wide = try new("t2_a")
    wide.scopes = Array(repeating: [97], count: 257)
    #expect(throws: VaultError(.usage, "")) { try store.link(wide, for: id("mara")) }
    #expect(throws: VaultError(.conflict, "")) { try store.link(new("t2_a"), for: id("mara"), if: .version(7)) }
    #expect(try temporary.vault.snapshot().lastVersion == 0)
  }

  @Test(.ownThreads) func manyLinksAtOnceLeaveOneUser() async throws {
    // Defends: of many users who link one account at the same moment, from many threads, exactly one has it.
    for round in 0..<20 {
      let winners = await withTaskGroup(of: Bool.self, returning: Int.self) { (group) in
        for user in 0..<8 {
          group.addTask { [store] in
            await withCheckedContinuation { (continuation) in
              Thread.detachNewThread {
                let linked = try? store.link(
                  NewAccount(ProviderAccount(id: "t2_\(round)"), token: OAuthToken(#"{"refresh_token":"r"}"#)),
                  for: TokenID(user: "\(round)-\(user)", provider: "reddit"))
                continuation.resume(returning: linked != nil)
              }
            }
          }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(winners == 1)
    }
    #expect(try store.list(provider: Array("reddit".utf8)).count == 20)
  }

  @Test(.ownThreads) func tasksHaveTheSameCalls() async throws {
    // Defends: asynchronous code links, uses, revokes and unlinks as other code does; a cancelled task writes nothing.
    let storage = VaultTokenStorage(temporary.vault)
    let seq = try await storage.link(new("t2_a"), for: id("mara"))
    #expect(try await storage.account(of: id("mara"))?.seq == seq)
    await #expect(throws: VaultError(.conflict, "")) { try await storage.link(new("t2_a"), for: id("ivo")) }
    #expect(try await storage.recordUse(of: id("mara")))
    #expect(try await storage.revoke(id("mara")))
    #expect(try await storage.account(of: id("mara"))?.revoked != nil)
    #expect(try await storage.unlink(id("mara")))
    #expect(try await !storage.delete(id("mara")))
    let mara = try id("mara")
    let again = try new("t2_a")
    let cancelled = Task(executorPreference: ThreadsForTasks.shared) {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      try await storage.link(again, for: mara)
    }
    await #expect(throws: VaultError(.cancelled, "")) { try await cancelled.value }
    #expect(try await storage.account(of: mara) == nil)
  }

  private func events() throws -> [AuditEvent] {
    var events: [AuditEvent] = []
    try temporary.vault.snapshot().forEachRecord { (entry) throws(VaultError) in
      guard entry.operation == .event, let event = try AuditEvent(entry) else { return }
      events.append(event)
    }
    return events
  }
}
