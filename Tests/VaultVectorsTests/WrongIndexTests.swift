import FoundationEssentials
import Testing
import VaultCrypto
import VaultEngine
import VaultFormat

@testable import VaultVectors

/// Indexes that are wrong under their own keys, beyond what the scenarios hold.
@Suite("Indexes that are wrong")
struct WrongIndexTests {
  private func verified(_ plan: ScenarioBuilder.Checkpoint) throws -> String {
    var vault = ScenarioBuilder(seed: [11])
    IndexVaults.written(&vault)
    vault.checkpoint(plan)
    vault.put("dave", "five")
    if let failure = vault.failure { throw failure }
    return try #require(try VaultReader.vaultEngine.verify?(vault.bytes, vault.credential, nil)).result
  }

  // Defends: a verification misses a name that has no entry wherever its entry should stand, and a segment that states another link
  // before it than the one that is there.
  @Test func whatAVerificationFinds() throws {
    #expect(try verified(.init()) == "success")
    for place in 0..<3 {
      #expect(try verified(.init(entries: { $0[0].remove(at: place) })) == "index-damaged", "entry \(place)")
    }
    #expect(try verified(.init(index: { $0.runs[0].segments[0].linkBefore[5] ^= 1 })) == "index-damaged")
  }

  // Defends: who asks for a name gets its newest value, though the index leads to another name's record, or to an older one of the
  // same name.
  @Test(arguments: ["another-name", "older-place"])
  func whatALookupGives(_ kind: String) throws {
    let recipe = Recipe("index_\(kind)", .indexDamaged, keyless: .success, "An entry points elsewhere.") { (vault) in
      IndexVaults.written(&vault)
      let (first, second, newest) = (vault.observed[0], vault.observed[1], vault.observed[2])
      vault.checkpoint(
        .init(entries: { (pages) in
          for place in pages[0].indices where pages[0][place].offset == UInt64(newest.offset) {
            pages[0][place].offset = kind == "another-name" ? second.offset : first.offset
            if kind == "another-name" { pages[0][place].authTagPrefix = Array(second.authTag.prefix(6)) }
          }
        }))
      vault.put("dave", "five")
    }
    let scenario = try recipe.scenario()
    guard case .key(let key) = scenario.credential else { return }
    let path = FileManager.default.temporaryDirectory.appending(path: "index-\(UUID().uuidString).tv").path
    try #require(
      FileManager.default.createFile(
        atPath: path, contents: Data(scenario.vault), attributes: [.posixPermissions: 0o600]))
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard let credential = Credential(key: try SecretBytes(copying: key.span)) else {
      Issue.record("the scenario's key is none")
      return
    }
    var options = VaultOptions()
    options.readOnly = true
    let vault = try Vault.open(at: path, credential: credential, options: options)
    var expected: [[UInt8]: [UInt8]] = [:]
    for record in scenario.records where record.operation == .put { expected[record.name] = record.value }
    #expect(expected.count == 4)
    for (name, value) in expected {
      guard let entry = try vault.entry(named: name.span) else {
        Issue.record("\(name) is not found")
        continue
      }
      let found = entry.value.array
      #expect(found == value, "\(name)")
    }
  }
}
