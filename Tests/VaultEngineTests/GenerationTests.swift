import Testing
import VaultLaboratory

@testable import VaultEngine

/// Another generation takes a vault's place while handles are open.
@Suite struct GenerationTests {
  private func disk(_ vault: HandMadeVault) throws -> SimulatedDisk {
    SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: try vault.bytes()]))
  }

  /// Gives the vault's name to a new file.
  private func replace(on disk: SimulatedDisk, with bytes: [UInt8]) {
    let file = disk.create { "next-\($0)" }
    disk.perform(.write(file: file, offset: 0, bytes: bytes))
    disk.perform(.sync(file: file))
    disk.perform(.rename(file: file, from: "next-\(file)", to: SimulatedStorage.name))
    disk.perform(.syncDirectory)
  }

  // Defends: open handles move to the next generation by themselves, whether they read or write, and their snapshots keep
  // the old one.
  @Test func handlesMoveOver() throws {
    let disk = try disk(HandMadeVault(generation: 1))
    let reader = try Vault.open(.simulated(disk, seed: 1), credential: key(), options: .reading)
    let writer = try Vault.open(.simulated(disk, seed: 2), credential: key())
    try writer.commit([.put("alice", [1])])
    let snapshot = try reader.snapshot()
    replace(on: disk, with: try HandMadeVault(generation: 2).bytes())
    try writer.commit([.put("bob", [2])])
    #expect(try reader.contents() == ["bob": [2]])
    #expect(try reader.snapshot().generation == 2 && snapshot.generation == 1)
    #expect(try snapshot.contents() == ["alice": [1]])
    replace(on: disk, with: try HandMadeVault(generation: 3).bytes())
    #expect(try reader.contents().isEmpty)
    #expect(try Recovery(of: disk.cache, seed: 3).before.isEmpty)
  }

  // Defends: a generation that was not finished is damage, and not a short vault.
  @Test func aGenerationWithoutItsCheckpoint() throws {
    let disk = try disk(HandMadeVault(generation: 2, hasCheckpoint: false))
    #expect(try code { _ = try Vault.open(.simulated(disk, seed: 1), credential: key()) } == .chainBroken)
    let whole = try HandMadeVault(generation: 2).bytes()
    let first = try HandMadeVault(generation: 2, hasCheckpoint: false).bytes().count
    for length in stride(from: first, to: whole.count, by: 7) {
      let cut = SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: Array(whole.prefix(length))]))
      let failed = try code { _ = try Vault.open(.simulated(cut, seed: 1), credential: key()) }
      #expect(failed?.isDamage == true, "cut to \(length)")
    }
  }

  // Defends: a handle is not told of damage when the vault's root key was changed under it: its key is no longer the right
  // one, and the file is whole.
  @Test func anotherRootKey() throws {
    let disk = try disk(HandMadeVault(generation: 1))
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    replace(on: disk, with: try HandMadeVault(generation: 2, hasOtherRoot: true).bytes())
    #expect(try code { _ = try vault.contents() } == .wrongKey)
    #expect(try code { try vault.commit([.put("bob", [2])]) } == .wrongKey)
    let again = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(try again.contents().isEmpty)
  }
}
