import FoundationEssentials
import Synchronization
import Testing
import VaultCrypto
import VaultFormat

@testable import VaultEngine
@testable import VaultVectors

/// Names read part by part, on all cores.
@Suite struct SnapshotPartTests {
  // Defends: of every sound scenario, deflated and legacy values and records of earlier terms among them, the parts give each
  // name's newest put, once, and nothing is called unreadable.
  @Test(arguments: Recipe.all.filter { $0.expected == .success })
  func partsGiveWhatIsThere(_ recipe: Recipe) throws {
    let scenario = try recipe.scenario()
    guard case .key(let key) = scenario.credential else { return }
    let path = FileManager.default.temporaryDirectory.appending(path: "parts-\(UUID().uuidString).tv").path
    try #require(
      FileManager.default.createFile(
        atPath: path, contents: Data(scenario.vault), attributes: [.posixPermissions: 0o600]))
    defer { try? FileManager.default.removeItem(atPath: path) }
    var options = VaultOptions()
    options.readOnly = true
    guard let credential = Credential(key: try SecretBytes(copying: key.span)) else {
      Issue.record("the scenario's key is none")
      return
    }
    let vault = try Vault.open(at: path, credential: credential, options: options)
    var found: [[UInt8]: [UInt8]] = [:]
    try vault.snapshot().forEachPart { (part) throws(VaultError) in
      var entries: [(name: [UInt8], value: [UInt8])] = []
      try part.forEachEntry { (entry) throws(VaultError) in
        entries.append((Self.bytes(entry.name), Self.bytes(entry.value)))
      } unreadable: { (error, _) in
        Issue.record(error)
      }
      return entries
    } give: { (entries: [(name: [UInt8], value: [UInt8])]) throws(VaultError) in
      for entry in entries { #expect(found.updateValue(entry.value, forKey: entry.name) == nil) }
    }
    var expected: [[UInt8]: [UInt8]] = [:]
    for record in scenario.records where record.operation != .event {
      expected[record.name] = record.operation == .put ? record.value : nil
    }
    #expect(found == expected)
  }

  private static func bytes(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }
}
