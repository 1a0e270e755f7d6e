import Testing
import VaultLaboratory

@testable import VaultEngine

/// What a handle refuses whatever the vault holds.
@Suite struct BoundsTests {
  private static func vault() throws -> (vault: Vault, disk: SimulatedDisk) {
    let disk = SimulatedDisk()
    return (try Vault.create(.simulated(disk, seed: 1), credential: key()), disk)
  }

  // Defends: names and values of the greatest length are written, and anything beyond is refused when it is added to a batch, and
  // changes nothing of it.
  @Test func namesAndValues() throws {
    let (vault, _) = try Self.vault()
    let (name, value) = (Name(bytes: Array(repeating: 1, count: 1024)), [UInt8](repeating: 2, count: 1 << 20))
    try vault.commit([.put(name, value)])
    #expect(try vault.contents() == [name: value])
    var batch = try VaultBatch()
    let (none, longer) = ([UInt8](), (name.bytes + [1], value + [2]))
    #expect(try code { try batch.put(none.span, value: value.span) } == .invalidName)
    #expect(try code { try batch.put(longer.0.span, value: value.span) } == .invalidName)
    #expect(try code { try batch.delete(longer.0.span) } == .invalidName)
    #expect(try code { try batch.event(name.bytes.span, value: longer.1.span) } == .valueTooLarge)
    #expect(try code { try batch.put(name.bytes.span, value: longer.1.span) } == .valueTooLarge)
    let count = batch.count
    #expect(count == 0)
  }

  // Defends: a batch of as many writes as a batch may have is refused if it has one more, and leaves the handle as it was.
  @Test func writesOfABatch() throws {
    let (vault, disk) = try Self.vault()
    try vault.refusesEvents(VaultLimits.batch + 1, on: disk)
  }

  // Defends: a handle that was closed refuses every call, and says so; snapshots stay readable.
  @Test func aClosedHandle() throws {
    let (vault, disk) = try Self.vault()
    try vault.commit([.put("alice", [1])])
    let snapshot = try vault.snapshot()
    try vault.close()
    let before = disk.cache
    #expect(try code { try vault.commit([.put("bob", [2])]) } == .handleFailed)
    #expect(try code { _ = try vault.value(of: "alice") } == .handleFailed)
    #expect(try code { _ = try vault.snapshot() } == .handleFailed)
    #expect(try code { try vault.addKey(key(8)) } == .handleFailed)
    #expect(try snapshot.contents() == ["alice": [1]] && disk.cache == before)
  }

  // Defends: a file whose header says that nobody may write it who does not know one of its features is read, and never changed.
  @Test func readOnlyFeatures() throws {
    var handMade = HandMadeVault(generation: 1)
    handMade.readOnlyFeatures = 4
    let image = DiskImage(names: ["vault": 1], files: [1: try handMade.bytes()])
    let disk = SimulatedDisk(image)
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    #expect(try vault.contents() == [:])
    #expect(try code { try vault.commit([.put("alice", [1])]) } == .unsupportedFeature)
    #expect(try code { try vault.addKey(key(8)) } == .unsupportedFeature)
    for verb in Verb.allCases {
      #expect(try code { try verb.run(on: .simulated(disk, seed: 2)) } == .unsupportedFeature)
    }
    #expect(disk.cache.files == image.files)
  }
}
