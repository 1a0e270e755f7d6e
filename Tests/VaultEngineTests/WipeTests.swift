import Testing
import VaultCrypto
import VaultLaboratory

@testable import VaultEngine

/// That no value is left in memory once nobody holds it.
@Suite struct WipeTests {
  private static func commit(_ search: MemorySearch, to vault: Vault) throws {
    let value = try SecretBytes(capacity: 200) { (output) in
      output.append(repeating: 1, count: 50)
      search.append(to: &output)
    }
    var batch = try VaultBatch()
    try batch.put(Array("alice".utf8).span, value: value.span)
    try vault.commit(batch)
  }

  private static func read(_ search: MemorySearch, from vault: Vault) throws {
    guard let entry = try vault.entry(named: Array("alice".utf8).span) else {
      Issue.record("it is not there")
      return
    }
    let (count, version) = (try search.count(), entry.version)
    #expect(count > 0 && version == 1)
  }

  // Defends: after a commit and after a read, no buffer of the vault's has the value any more, though the handle stays open.
  @Test func aValueThatWasUsed() throws {
    let search = MemorySearch(seed: 0xBA)
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    try Self.commit(search, to: vault)
    #expect(try search.count() == 0)
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(try search.count() == 0)
    try Self.read(search, from: reader)
    #expect(try search.count() == 0)
    _ = try reader.contents().count
    try vault.close()
  }

  // Defends: nor when sealing it failed halfway.
  @Test func aValueThatCouldNotBeSealed() throws {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).close()
    for draws in 0..<3 {
      let search = MemorySearch(seed: 0xBB00 + UInt64(draws))
      var environment = Environment.simulated(disk, seed: 2)
      environment.makeRandom = { () throws(CryptoError) in
        AnyRandomSource(EndingRandom(random: SeededRandom(seed: 3), left: draws))
      }
      let vault = try Vault.open(environment, credential: key())
      let failed = try code { try Self.commit(search, to: vault) }
      #expect(failed == (draws < 2 ? .cryptoFailure : nil) || failed == nil)
      #expect(try search.count() == 0, "\(draws) draws")
      if failed == nil { return #expect(draws > 0) }
    }
  }
}
