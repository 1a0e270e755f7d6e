import Testing
import VaultCrypto
import VaultFormat

@testable import TokenVault
@testable import VaultEngine

/// Legacy records sealed as all others.
@Suite struct UpgradeTests {
  private static let json = #"{"access_token":"a1","refresh_token":"r2"}"#

  private static func secret(_ bytes: [UInt8]) throws -> LegacySecret { try LegacySecret(SecretBytes(bytes.span)) }

  private func put(
    _ text: String, _ profile: LegacyProfile, _ secret: [UInt8], for name: String, in vault: Vault
  ) throws {
    let secret = try SecretBytes(secret.span)
    let salt = profile.derivesKey ? [UInt8](repeating: 4, count: 16) : []
    let record = try LegacyRecord.seal(
      Array(text.utf8).span, profile, with: secret, salt: salt, iv: [UInt8](repeating: 5, count: 16))
    var batch = try VaultBatch()
    try batch.put(Array(name.utf8).span, legacyRecord: record.serialized().span)
    try vault.commit(batch)
  }

  private let raw = [UInt8](repeating: 9, count: 32)

  // Defends: what opens becomes an ordinary token, byte for byte; what does not open, or opens to no token, stays and is told
  // of; running it again finds nothing more to do.
  @Test func whatOpensIsUpgraded() throws {
    let temporary = try TemporaryVault()
    let tokens = TokenStore(temporary.vault)
    try tokens.put(OAuthToken(Self.json), for: TokenID(user: "ordinary"))
    for number in 0..<600 { try put(Self.json, .gcmRaw, raw, for: "u\(number)", in: temporary.vault) }
    try put(Self.json, .gcmRaw, [UInt8](repeating: 8, count: 32), for: "other", in: temporary.vault)
    try put("no token", .cbcRaw, raw, for: "nonsense", in: temporary.vault)
    let trial = try tokens.upgrade(with: Self.secret(raw), dryRun: true)
    #expect(trial.upgraded == 600 && trial.kept.count == 2)
    #expect(throws: VaultError.self) { try tokens.token(for: TokenID(user: "u1")) }
    let report = try tokens.upgrade(with: Self.secret(raw))
    #expect(report.upgraded == 600)
    #expect(report.kept.map(\.code).sorted() == ["invalid-token", "legacy-unopened"])
    #expect(try tokens.token(for: TokenID(user: "u599"))?.token.json == Self.json)
    #expect(try temporary.vault.entry(named: Array("other".utf8).span)?.isLegacy == true)
    let again = try tokens.upgrade(with: Self.secret(raw))
    #expect(again.upgraded == 0 && again.kept.count == 2)
    #expect(try Vault.verify(at: temporary.vault.path, credential: TemporaryVault.credential()).findings.isEmpty)
  }

  // Defends: derived keys, secrets in text, and only the profile that was named; on a vault without legacy records nothing
  // happens.
  @Test func profiles() throws {
    let temporary = try TemporaryVault()
    let tokens = TokenStore(temporary.vault)
    #expect(try tokens.upgrade(with: Self.secret(raw)).upgraded == 0)
    let secret = Array("correct horse".utf8)
    try put(
      Self.json, .gcmPBKDF2(.init(.sha256, iterations: 10, secret: .utf8)), secret, for: "a", in: temporary.vault)
    try put(Self.json, .gcmScrypt(.init(logN: 4, r: 1, p: 1, secret: .utf8)), secret, for: "b", in: temporary.vault)
    let report = try tokens.upgrade(with: Self.secret(secret), profile: "gcm-scrypt")
    #expect(report.upgraded == 1 && report.kept.count == 1 && report.kept[0].id?.user == Array("a".utf8))
    #expect(try tokens.upgrade(with: Self.secret(secret)).upgraded == 1)
    let digits = Array(String(repeating: "09", count: 32).utf8)
    try put(Self.json, .cbcRaw, raw, for: "c", in: temporary.vault)
    #expect(try tokens.upgrade(with: Self.secret(digits)).upgraded == 1)
  }

  // Defends: a record that asks for more memory than the bound is kept, and said to.
  @Test func costsAreBounded() throws {
    let temporary = try TemporaryVault()
    let record = try LegacyRecord(
      .gcmScrypt(.init(logN: 20, r: 32, p: 1, secret: .utf8)), salt: [UInt8](repeating: 1, count: 16),
      iv: [UInt8](repeating: 1, count: 12), authTag: [UInt8](repeating: 1, count: 16), ciphertext: [1])
    var batch = try VaultBatch()
    try batch.put(Array("a".utf8).span, legacyRecord: record.serialized().span)
    try temporary.vault.commit(batch)
    let report = try TokenStore(temporary.vault).upgrade(with: Self.secret(raw))
    #expect(report.upgraded == 0 && report.kept.map(\.code) == ["limit-exceeded"])
  }
}
