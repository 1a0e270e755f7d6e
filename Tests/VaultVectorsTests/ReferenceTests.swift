import FoundationEssentials
import Testing
import VaultCrypto
import VaultEngine
import VaultFormat

@testable import VaultVectors

/// The second implementation, in Python. Serialized: all tests ask one program.
@Suite("The second implementation", .serialized)
struct ReferenceTests {
  private static let reference = Result {
    try ExternalImplementation(["python3", Repository.path("spec/reference/tokenvault.py"), "serve"])
  }
  private static let key = [UInt8](repeating: 0x42, count: 32)

  // Both implementations, each written from the specification, agree on every scenario.
  @Test(arguments: Recipe.all)
  func itMeetsTheDemand(_ recipe: Recipe) throws {
    let check = ScenarioCheck(scenario: try recipe.scenario())
    #expect(check.run(with: try Self.reference.get().primitives) == .passed)
  }

  // They agree on every sealed record.
  @Test func itPassesTheRecords() throws {
    let primitives = try Self.reference.get().primitives
    let report = VectorRun.verify(paths: [Repository.path("testvectors/records")], primitives: primitives)
    let remarks = report.files.flatMap { (file) in file.failures.map { "\(file.name) \($0.id): \($0.sentence)" } }
    #expect(remarks.isEmpty, "\(remarks.joined(separator: "\n"))")
    #expect(report.unreadable.isEmpty)
    #expect(report.passed > 150)
    #expect(report.notApplicable == 0)
  }

  // This implementation opens and verifies what the other one wrote: with checkpoints, deletions and events.
  @Test(arguments: [[], [0], [1, 3], [0, 1, 2, 3, 4]] as [[Int]])
  func itsVaultsOpen(_ checkpoints: [Int]) throws {
    let vault = try Self.reference.get().write(
      seed: [1, 2, 3, UInt8(checkpoints.count)], key: Self.key, batches: Self.batches, checkpoints: checkpoints)
    let reader = VaultReader.vaultEngine
    let opened = try reader.open(vault, .key(Self.key), nil)
    #expect(opened.result == "success")
    #expect(opened.records == Self.expected)
    let verified = try reader.verify?(vault, .key(Self.key), nil)
    #expect(verified?.result == "success")
    #expect(try reader.verifyWithoutKey(vault).result == "success")
    #expect(try reader.open(vault, .key([UInt8](repeating: 1, count: 32)), nil).result == "wrong-key")
  }

  // The other implementation opens what this one wrote.
  @Test func itOpensOurVaults() throws {
    let name = "tokenvault-cross-\(UInt64.random(in: 0...UInt64.max))"
    let folder = FileManager.default.temporaryDirectory.appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "vault").path
    guard let credential = Credential(key: try SecretBytes(copying: Self.key.span)) else {
      Issue.record("the key is none")
      return
    }
    let vault = try Vault.create(at: path, credential: credential)
    for batch in Self.batches {
      var writes = try VaultBatch()
      for write in batch {
        switch write.operation {
        case .put: try writes.put(write.name.span, value: write.value.span)
        case .delete: try writes.delete(write.name.span)
        case .event: try writes.event(write.name.span, value: write.value.span)
        }
      }
      try vault.commit(writes)
    }
    let bytes = Array(try Data(contentsOf: URL(filePath: path)))
    let reader = try Self.reference.get().vaults
    let opened = try reader.open(bytes, .key(Self.key), nil)
    #expect(opened.result == "success")
    #expect(opened.records == Self.expected)
    #expect(try reader.verifyWithoutKey(bytes).result == "success")
    try vault.close()
    try generations(of: path, reader)
  }

  /// It opens new generations of the vault too: after a rotation with all records, after a compaction with the newest of each
  /// name and all events, and after everything was deleted with nothing.
  private func generations(of path: String, _ reader: VaultReader) throws {
    guard let credential = Credential(key: try SecretBytes(copying: Self.key.span)) else {
      Issue.record("the key is none")
      return
    }
    var found: [String: [Scenario.Record]?] = [:]
    for name in ["rekeyed", "rotated", "compacted", "emptied"] {
      switch name {
      case "rekeyed":
        let newKey = Credential(key: try SecretBytes(copying: Self.key.span))
        _ = try Vault.rekey(at: path, credential: credential, newKey: newKey, newPassphrase: nil)
      case "rotated": _ = try Vault.rotate(at: path, credential: credential)
      case "compacted": _ = try Vault.compact(at: path, credential: credential)
      default:
        var deletions = try VaultBatch()
        for name in ["alice", "bob", "carol"] { try deletions.delete(Array(name.utf8).span) }
        try Vault.open(at: path, credential: credential).commit(deletions)
        _ = try Vault.rotate(at: path, credential: credential)
      }
      let bytes = Array(try Data(contentsOf: URL(filePath: path)))
      let opened = try reader.open(bytes, .key(Self.key), nil)
      #expect(opened.result == "success", "\(name)")
      #expect(try reader.verifyWithoutKey(bytes).result == "success", "\(name)")
      found[name] = opened.records
    }
    #expect(found["rekeyed"] == Self.expected && found["rotated"] == Self.expected)
    // Versions 7, 6 and 10 are the newest puts; 3, 8 the events.
    #expect((found["compacted"] ?? nil)?.map(\.version) == [3, 6, 7, 8, 10])
    #expect((found["emptied"] ?? nil)?.map(\.version) == [3, 6, 7, 8, 10, 11, 12, 13])
  }

  private static let batches: [[ExternalImplementation.Write]] = [
    [write(.put, "alice", "one")],
    [write(.put, "bob", "two"), write(.event, "alice", "signed in"), write(.put, "alice", "three")],
    [write(.delete, "bob")],
    [write(.put, "bob", ""), write(.put, "carol", String(repeating: "long ", count: 500))],
    [write(.event, "bob", ""), write(.delete, "alice"), write(.put, "alice", "four")],
  ]

  private static func write(
    _ operation: Scenario.Operation, _ name: String, _ value: String = ""
  ) -> ExternalImplementation.Write {
    .init(operation, name: Array(name.utf8), value: Array(value.utf8), time: 1_700_000_000_000_000)
  }

  private static let expected = batches.flatMap(\.self).enumerated().map { (number, write) in
    Scenario.Record(version: UInt64(number) + 1, operation: write.operation, name: write.name, value: write.value)
  }
}
