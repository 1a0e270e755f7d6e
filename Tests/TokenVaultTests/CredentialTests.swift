import Foundation
import Testing
import TokenVault

/// What a program that imports this library alone can make credentials of.
@Suite struct CredentialTests {
  @Test func bytesOpenWhatTheyMade() throws {
    // Defends: the bytes of a key or of a passphrase are enough to make a vault and to open it, and others don't.
    let folder = FileManager.default.temporaryDirectory.appending(path: "tokenvault-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let key = [UInt8](repeating: 9, count: Credential.keyLength)
    let passphrase = Array("correct horse".utf8)

    try Vault.create(at: folder.path + "/key", credential: Credential(key: key.span)).close()
    try Vault.open(at: folder.path + "/key", credential: Credential(key: key.span)).close()
    try Vault.create(at: folder.path + "/passphrase", credential: Credential(passphrase: passphrase.span)).close()
    try Vault.open(at: folder.path + "/passphrase", credential: Credential(passphrase: passphrase.span)).close()
    #expect(throws: VaultError(.wrongKey, "")) {
      try Vault.open(at: folder.path + "/key", credential: Credential(passphrase: passphrase.span))
    }
  }

  @Test func whatIsNoCredentialIsRefused() {
    // Defends: a key of another length and an empty passphrase are errors, not traps, and not credentials.
    for count in [0, 31, 33, 64] {
      #expect(throws: VaultError(.noKey, "")) { _ = try Credential(key: [UInt8](repeating: 1, count: count).span) }
    }
    #expect(throws: VaultError(.noKey, "")) { _ = try Credential(passphrase: [UInt8]().span) }
  }
}
