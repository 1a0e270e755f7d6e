import Synchronization
import Testing
import TokenVault

/// A storage in memory, as somebody may write one.
private final class MemoryStorage: TokenCatalog {
  private let tokens = Mutex<[TokenID: OAuthToken]>([:])
  /// Gives back another token than was stored, for this user.
  let forgetful: [UInt8]
  /// Stores that are let through before all others fail.
  private let left: Mutex<Int>

  init(forgetful: String = "", stores: Int = .max) {
    self.forgetful = Array(forgetful.utf8)
    left = Mutex(stores)
  }

  func store(_ token: OAuthToken, for id: TokenID) async throws(VaultError) {
    let isAllowed = left.withLock { (left) in
      left -= 1
      return left >= 0
    }
    guard isAllowed else { throw VaultError(.io, "the storage has gone") }
    guard id.user != forgetful else { return }
    tokens.withLock { $0[id] = token }
  }

  func token(for id: TokenID) async throws(VaultError) -> OAuthToken? { tokens.withLock { $0[id] } }
  func delete(_ id: TokenID) async throws(VaultError) -> Bool { tokens.withLock { $0.removeValue(forKey: id) != nil } }
  func has(_ id: TokenID) async throws(VaultError) -> Bool { tokens.withLock { $0[id] != nil } }
  func ids() async throws(VaultError) -> [TokenID] { tokens.withLock { Array($0.keys) } }
}

/// Copies between two storages.
@Suite struct TokenCopyTests {
  private func fill(_ storage: some TokenStorage, _ count: Int) async throws {
    for number in 0..<count {
      let provider = number % 3 == 0 ? "reddit" : ""
      try await storage.store(
        OAuthToken(#"{"access_token":"a\#(number)" , "x":1.50}"#), for: TokenID(user: "u\(number)", provider: provider))
    }
  }

  private func same(_ left: some TokenCatalog, _ right: some TokenCatalog) async throws -> Bool {
    let ids = try await left.ids()
    guard Set(ids) == Set(try await right.ids()) else { return false }
    for id in ids where try await left.token(for: id)?.json != right.token(for: id)?.json { return false }
    return true
  }

  // Defends: a vault is copied to another storage and back into a second vault, byte for byte; a second run copies nothing.
  @Test(.ownThreads) func thereAndBack() async throws {
    let (first, second) = (try TemporaryVault(), try TemporaryVault())
    let (source, target) = (VaultTokenStorage(first.vault), VaultTokenStorage(second.vault))
    try await fill(source, 150)
    let memory = MemoryStorage()
    let shown = Mutex<[Int]>([])
    let out = try await source.copy(to: memory) { (report) in shown.withLock { $0.append(report.done) } }
    #expect(out.total == 150 && out.copied == 150 && out.isComplete && shown.withLock { $0 } == [64, 128, 150])
    let back = try await memory.copy(to: target)
    #expect(back.copied == 150 && back.isComplete)
    #expect(try await same(source, target))
    let again = try await source.copy(to: target)
    #expect(again.copied == 0 && again.equal == 150 && again.isComplete)
  }

  // Defends: a token that is another one in the target is left alone, unless it is to be replaced.
  @Test(.ownThreads) func differentTokens() async throws {
    let (source, target) = (MemoryStorage(), MemoryStorage())
    try await fill(source, 10)
    try await target.store(OAuthToken(#"{"access_token":"newer"}"#), for: TokenID(user: "u4"))
    let kept = try await source.copy(to: target)
    #expect(kept.copied == 9 && kept.different == 1 && !kept.isComplete)
    #expect(try await target.token(for: TokenID(user: "u4"))?.accessToken == "newer")
    let replaced = try await source.copy(to: target, replacing: true)
    #expect(replaced.copied == 1 && replaced.equal == 9 && replaced.isComplete)
    #expect(try await same(source, target))
  }

  // Defends: what is read back is compared; a copy that broke off goes on where it was.
  @Test(.ownThreads) func verifiedAndResumed() async throws {
    let source = MemoryStorage()
    try await fill(source, 100)
    let forgetful = try await source.copy(to: MemoryStorage(forgetful: "u7"))
    #expect(forgetful.copied == 99 && forgetful.failed.map(\.id.user) == [Array("u7".utf8)] && !forgetful.isComplete)
    #expect(forgetful.failed.first?.error.code == .conflict)
    let broken = MemoryStorage(stores: 70)
    await #expect(throws: VaultError(.io, "")) { try await source.copy(to: broken) }
    #expect(try await broken.ids().count == 70)
    let vault = try TemporaryVault()
    let target = VaultTokenStorage(vault.vault)
    _ = try await broken.copy(to: target)
    let rest = try await source.copy(to: target)
    #expect(rest.equal == 70 && rest.copied == 30 && rest.isComplete)
  }

  // Defends: entries that are over or revoked are not copied, and one account that can't be stored does not stop the others.
  @Test(.ownThreads) func accounts() async throws {
    let (first, second) = (try TemporaryVault(), try TemporaryVault())
    let (source, target) = (TokenStore(first.vault), TokenStore(second.vault))
    let id = try TokenID(user: "mara", provider: "reddit")
    let account = NewAccount(try ProviderAccount(id: "t2_a"), token: try OAuthToken(#"{"refresh_token":"r"}"#))
    for store in [source, target] { try store.link(account, for: id) }
    try target.revoke(id)
    try source.put(OAuthToken("{}"), for: TokenID(user: "over"), ttl: .nanoseconds(1))
    try source.put(OAuthToken(#"{"access_token":"x"}"#), for: TokenID(user: "z"))
    let report = try await VaultTokenStorage(first.vault).copy(to: VaultTokenStorage(second.vault), replacing: true)
    #expect(report.total == 2 && report.copied == 1 && report.failed.map(\.id) == [id])
    try source.revoke(id)
    #expect(try await VaultTokenStorage(first.vault).ids().map(\.user) == [Array("z".utf8)])
  }
}
