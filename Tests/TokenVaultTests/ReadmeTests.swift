import Foundation
import Testing
import TokenVault

/// The example of the README.
@Suite struct ReadmeTests {
  @Test func theExampleWorks() throws {
    // Defends: what a newcomer copies from the README compiles, and does what it says.
    let temporary = try TemporaryVault()
    let path = temporary.vault.path
    let answer = Array(#"{"access_token":"abc","refresh_token":"def"}"#.utf8)
    unsafe setenv("TOKENVAULT_README_KEY", String(repeating: "07", count: 32), 1)

    let key = try KeySource(parsing: "env:TOKENVAULT_README_KEY").credential(.key)
    let vault = try Vault.open(at: path, credential: key)

    let tokens = TokenStore(vault)
    let mara = try TokenID(user: "mara", provider: "reddit")
    try tokens.put(OAuthToken(json: answer.span), for: mara)
    let token = try tokens.token(for: mara)?.token.accessToken

    #expect(token == "abc")
  }
}
