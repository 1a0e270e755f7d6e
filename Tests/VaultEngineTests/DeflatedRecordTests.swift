import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Vaults with deflated values, which this program reads and does not write.
@Suite struct DeflatedRecordTests {
  private static let contents: Contents = ["alice": [UInt8](repeating: 0x61, count: 4000), "bob": [1, 2]]

  /// A vault of two records, the first of which is deflated.
  private static func vault() throws -> [UInt8] {
    var handMade = HandMadeVault(generation: 1)
    handMade.allowsDeflate = true
    let disk = SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: try handMade.bytes()]))
    let vault = try Vault.open(.simulated(disk, seed: 171), credential: key())
    let value = try #require(contents["alice"])
    try vault.commit([.put("alice", value)])
    try vault.commit([.put("bob", [1, 2])])
    try vault.close()
    let forge = try Forge(#require(disk.cache[SimulatedStorage.name]), key: 7)
    var frames = forge.frames
    let place = try #require(frames.firstIndex { $0.type == 1 })
    guard let stored = try Deflate.deflate(value.span) else { throw HelperError.didNotFail }
    let record = Record(
      .put, isDeflated: true, time: 1, version: 1, previous: 0, nameLength: 5, valueLength: stored.count)
    let plaintext = try record.plaintext(name: Array("alice".utf8).span, value: stored.span, padding: 32)
    frames[place].content = Array(plaintext.span)
    return try forge.file(frames)
  }

  private static func disk() throws -> SimulatedDisk {
    SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: try vault()]))
  }

  // Defends: they are read, and new generations hold them.
  @Test(arguments: Verb.allCases) func newGenerations(_ verb: Verb) throws {
    let disk = try Self.disk()
    #expect(try Recovery.contents(of: disk.cache) == Self.contents)
    try verb.run(on: .simulated(disk, seed: 172))
    #expect(try Recovery.contents(of: disk.cache) == Self.contents)
    _ = try disk.verify()
  }

  // Defends: whoever says which values are over is asked about the value, not about what is stored of it.
  @Test func whatIsOver() throws {
    let disk = try Self.disk()
    var retention = Retention()
    retention.isOver = { $0.count == 4000 && $0[3999] == 0x61 }
    let report = try Vault.compact(.simulated(disk, seed: 173), credential: key(), keeping: retention)
    #expect(report.over == 1 && report.names == 1)
    #expect(try Recovery.contents(of: disk.cache) == ["bob": [1, 2]])
  }

  // Defends: they are taken out of a damaged vault as any others.
  @Test func salvage() throws {
    let disk = try Self.disk()
    var environment = Environment.simulated(disk, seed: 174)
    environment.storage = SimulatedStorage(disk: disk, path: "saved")
    let report = try Vault.salvage(
      SimulatedStorage(disk: disk), credential: key(), to: (environment, SimulatedStorage(disk: disk, path: "rest")))
    #expect(report.records == 2 && report.gaps.isEmpty)
    #expect(try Vault.open(environment, credential: key()).contents() == Self.contents)
  }
}
