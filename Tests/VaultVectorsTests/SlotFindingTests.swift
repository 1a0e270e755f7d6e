import Foundation
import Testing
import VaultCrypto
import VaultEngine
import VaultFormat

@testable import VaultVectors

/// What a verification makes of damaged key slots. A scenario does not tell what is found from what is thrown.
@Suite("Damaged key slots as findings")
struct SlotFindingTests {
  private static let damaged = Recipe.all.filter { $0.name.hasPrefix("slot_") && $0.expected == .slotDamaged }

  // Defends: whatever is damaged is a finding of a verification, and not thrown: a slot too whose commitment fits while the
  // root key in it does not open, which only the credential tells.
  @Test(arguments: damaged) func aDamagedSlotIsAFinding(_ recipe: Recipe) throws {
    let scenario = try recipe.scenario()
    guard case .key(let key) = scenario.credential else { return }
    let path = NSTemporaryDirectory() + "tokenvault-slot-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(
      FileManager.default.createFile(
        atPath: path, contents: Data(scenario.vault), attributes: [.posixPermissions: 0o600]))
    let report = try Vault.verify(at: path, credential: Credential(key: SecretBytes(copying: key.span)))
    #expect(report.isDamaged && report.findings.first?.code == .slotDamaged)
    if let offset = scenario.offset { #expect(report.findings.first?.offset == offset) }
  }

  // Defends the test above: the slots that no structure tells of are among them.
  @Test func someAreSeenWithAKeyAlone() {
    #expect(Self.damaged.count { $0.expectedWithoutKey == .success } >= 3)
  }
}
