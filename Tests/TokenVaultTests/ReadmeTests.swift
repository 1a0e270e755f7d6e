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
    let keyFile = temporary.folder.appending(path: "key").path
    let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
    try #require(
      FileManager.default.createFile(
        atPath: keyFile, contents: Data(String(repeating: "07", count: 32).utf8), attributes: attributes))
    let source = "file:" + keyFile

    let key = try KeySource(parsing: source).credential(.key)
    let vault = try Vault.open(at: path, credential: key)

    let tokens = TokenStore(vault)
    let mara = try TokenID(user: "mara", provider: "reddit")
    try tokens.put(OAuthToken(json: answer.span), for: mara)
    let token = try tokens.token(for: mara)?.token.accessToken

    #expect(token == "abc")
  }

  @Test func theExampleIsTheReadmes() throws {
    // Defends: the test above holds every line of the README's Swift, but for the key's source and the path.
    let test = URL(filePath: #filePath)
    let tested = try String(contentsOf: test, encoding: .utf8).split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    let folder = test.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let readme = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
    let example = try #require(readme.firstMatch(of: /```swift\n([^`]*)```/)).1
    let lines = example.replacing("\"env:ENCRYPTION_KEY\"", with: "source").replacing("\"vault.tv\"", with: "path")
      .split(separator: "\n").map { $0.replacing(/\x20*\/\/.*/, with: "").trimmingCharacters(in: .whitespaces) }
    #expect(lines.count > 5)
    for line in lines { #expect(tested.contains(line)) }
  }
}
