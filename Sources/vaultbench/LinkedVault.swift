import ArgumentParser
import Synchronization
import TokenVault
import VaultEngine

/// Makes a vault of linked accounts, as a web server's many requests would: for measuring commands that go over all of them.
struct LinkedVault: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "linked-vault", shouldDisplay: false)

  @Argument var vault: String
  @Argument var keyFile: String
  @Argument var accounts: Int

  func run() throws {
    let vault = try Vault.create(at: vault, credential: KeySource.file(keyFile).credential(.key))
    let store = TokenStore(vault)
    let next = Atomic(0)
    let failure = Mutex<VaultError?>(nil)
    Threads.perform(64) { (_) in
      while true {
        let number = next.add(1, ordering: .relaxed).oldValue
        guard number < accounts, failure.withLock({ $0 == nil }) else { return }
        do throws(VaultError) {
          try Self.link(number, in: store)
        } catch {
          failure.withLock { $0 = error }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    try vault.close()
  }

  /// Tokens expire over a month, so that one in thousands does so within an hour.
  private static func link(_ number: Int, in store: TokenStore) throws(VaultError) {
    let json = """
      {"access_token":"eyJhbGciOiJSUzI1NiIsImtpZCI6IlNIQTI1NiJ9-\(number)","token_type":"bearer",\
      "expires_in":\(number % 2_592_000),"refresh_token":"30507452-\(number)-7hVYqZ9PWEqNnoUXaRq0oKZjwq8","scope":"identity read"}
      """
    let account = try ProviderAccount(id: "t2_\(String(number, radix: 36))", name: "user_\(number)")
    try store.link(
      NewAccount(account, token: OAuthToken(json: Array(json.utf8).span)),
      for: TokenID(user: "user-\(number)@example.com", provider: "reddit"))
  }
}
