import Foundation
import Testing
import VaultCrypto
import VaultEngine
import VaultFormat

@testable import VaultVectors

/// Backups of vaults behind whose last whole batch stands something.
@Suite("Backups of damaged tails")
struct BackupOfTailTests {
  private static let tails = Recipe.all.filter { $0.name.hasPrefix("tail_") }
  /// Tails that look like an interrupted append to whoever has no key.
  private static let hidden = tails.filter { !$0.expected.serves && $0.expectedWithoutKey.serves }

  private func backup(_ scenario: Scenario, withKey: Bool) throws -> Result<VerifyReport, any Error> {
    guard case .key(let key) = scenario.credential else { throw CocoaError(.featureUnsupported) }
    let folder = NSTemporaryDirectory() + "tokenvault-tail-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/vault.tv"
    #expect(
      FileManager.default.createFile(
        atPath: path, contents: Data(scenario.vault), attributes: [.posixPermissions: 0o600]))
    let result = Result {
      try Vault.backup(
        at: path, credential: withKey ? Credential(key: SecretBytes(copying: key.span)) : nil, to: folder + "/copy.tv")
    }
    #expect(FileManager.default.fileExists(atPath: folder + "/copy.tv") == ((try? result.get()) != nil))
    return result
  }

  // Defends: damage behind the last whole batch is never left out of a copy in silence: where there is a key, damage that only
  // the key tells from an interrupted append leaves no copy either.
  @Test(arguments: tails) func whatTheKeyTellsIsAsked(_ recipe: Recipe) throws {
    let scenario = try recipe.scenario()
    switch try backup(scenario, withKey: true) {
    case .success(let report): #expect(recipe.expected.serves && !report.isDamaged)
    case .failure(let error): #expect((error as? VaultError)?.code.description == recipe.expected.rawValue, "\(error)")
    }
  }

  // Defends the test above: some tails are damaged to the eyes of whoever has the key alone.
  @Test func someNeedTheKey() throws {
    #expect(Self.hidden.count >= 2)
    for recipe in Self.hidden { _ = try backup(recipe.scenario(), withKey: false).get() }
  }
}
