import Testing
import VaultLaboratory

@testable import VaultEngine

/// Conditions on what was written a moment before.
@Suite struct ConditionTests {
  // Defends: a condition on a write of the same batch knows the version that this write gets, also where a compaction has dropped
  // the newest records, whose versions are not given again.
  @Test func versionsBehindACompaction() throws {
    let disk = SimulatedDisk()
    let environment = Environment.simulated(disk, seed: 1)
    try Vault.create(environment, credential: key()).commit([.put("alice", [1]), .put("bob", [2]), .delete("bob")])
    try Verb.compact.run(on: .simulated(disk, seed: 2))
    let vault = try Vault.open(.simulated(disk, seed: 3), credential: key())
    #expect(try vault.snapshot().lastVersion == 3)
    #expect(try code { try vault.commit([.put("carol", [3]), .put("carol", [4], .version(2))]) } == .conflict)
    #expect(try vault.commit([.put("carol", [3]), .put("carol", [4], .version(4))]) == [4, 5])
    #expect(try vault.value(of: "carol") == [4])
  }
}
