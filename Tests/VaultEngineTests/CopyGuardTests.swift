import Testing
import VaultLaboratory

@testable import VaultEngine

/// What others do at the last moment while a new generation is made.
@Suite struct CopyGuardTests {
  private func sample() throws -> (disk: SimulatedDisk, writer: Vault) {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).commit([.put("alice", [1])])
    return (disk, try Vault.open(.simulated(disk, seed: 2), credential: key()))
  }

  /// Runs `body` when all has been copied, just before the lock is taken for the change.
  private func atTheEnd(of disk: SimulatedDisk, _ body: @escaping @Sendable () throws -> Void) -> MaintenanceOptions {
    .doing {
      disk.beforeEveryLock {
        disk.beforeEveryLock(nil)
        do { try body() } catch { Issue.record(error) }
      }
    }
  }

  // Defends: what another writes when all was copied, and the lock is still free, is in the new generation.
  @Test(arguments: Verb.allCases) func writtenAtTheLastMoment(_ verb: Verb) throws {
    let (disk, writer) = try sample()
    let options = atTheEnd(of: disk) { try writer.commit([.put("bob", [2]), .delete("alice")]) }
    try verb.run(on: .simulated(disk, seed: 3), options: options)
    #expect(try Vault.open(.simulated(disk, seed: 4), credential: key()).contents() == ["bob": [2]])
  }

  // Defends: a batch that was seen, withdrawn, and followed by another one of the same size is no batch to build on.
  @Test func anotherBatchInThePlaceOfOneThatWasSeen() throws {
    let (disk, writer) = try sample()
    let before = try #require(disk.cache["vault"])
    let file = try #require(disk.cache.names["vault"])
    let options = MaintenanceOptions.doing {
      try writer.commit([.put("withdrawn", [1])])
      disk.beforeEveryLock {
        disk.beforeEveryLock(nil)
        disk.perform(.resize(file: file, length: before.count))
        _ = try? Vault.open(.simulated(disk, seed: 5), credential: key()).commit([.put("committed", [2])])
      }
    }
    #expect(try code { _ = try Verb.rotate.run(on: .simulated(disk, seed: 6), options: options) } == .conflict)
    #expect(try disk.contents() == ["alice": [1], "committed": [2]])
  }

  // Defends: a key slot that was added while a generation was made is not lost: the vault is as it was, with that slot.
  @Test func aKeyThatIsAddedMeanwhile() throws {
    let (disk, writer) = try sample()
    let options = MaintenanceOptions.doing { try writer.addKey(key(8)) }
    #expect(try code { _ = try Verb.rotate.run(on: .simulated(disk, seed: 6), options: options) } == .conflict)
    #expect(try Vault.open(.simulated(disk, seed: 7), credential: key(8)).contents() == ["alice": [1]])
  }

  // Defends: what a compaction shreds is overwritten on the disk, and not in the system's memory alone.
  @Test func whatIsShreddedIsSynced() throws {
    let (disk, _) = try sample()
    let file = try #require(disk.cache.names["vault"])
    var options = MaintenanceOptions.impatient
    options.shreds = true
    try Verb.compact.run(on: .simulated(disk, seed: 9), options: options)
    #expect(disk.cache.names["vault"] != file)
    let last = disk.journal.lastIndex { if case .write(file, _, _) = $0 { true } else { false } }
    let synced = disk.journal.lastIndex { if case .sync(file) = $0 { true } else { false } }
    #expect(try #require(synced) > #require(last))
    #expect(disk.cache.files[file]?.contains { $0 != 0 } == false)
  }

  // Defends: whichever call fails when the old generation is to be overwritten, it is never said that nothing was changed where the
  // new one is in its place.
  @Test(arguments: [false, true]) func shreddingFails(isFull: Bool) throws {
    var (overwriting, naming) = (0, 0)
    for first in 1... {
      let (disk, _) = try sample()
      let file = try #require(disk.cache.names["vault"])
      var options = MaintenanceOptions.impatient
      options.shreds = true
      disk.fail(FailurePlan(first: first, count: .max, isFull: isFull))
      let result = Result { try Verb.compact.run(on: .simulated(disk, seed: 9), options: options) }
      disk.fail(nil)
      guard case .failure(let error) = result else { break }
      #expect(try disk.contents() == ["alice": [1]])
      guard disk.cache.names["vault"] != file else { continue }
      let told = try #require(error as? VaultError)
      #expect(told.code == .io && told.remedy?.contains("as it was") != true, "call \(first): \(told)")
      if told.sentence.contains("the old one could not be overwritten") { overwriting += 1 } else { naming += 1 }
    }
    // Zeros are written, and synced; before that, the directory is.
    #expect(overwriting >= 2 && naming <= 1, "\(overwriting), \(naming)")
  }

  // Defends: who can't have the lock does not begin: not even a temporary file is made.
  @Test(arguments: Verb.allCases) func theLockIsHeld(_ verb: Verb) throws {
    let (disk, _) = try sample()
    #expect(disk.takeLock(.exclusive))
    let before = disk.journal.count
    #expect(try code { _ = try verb.run(on: .simulated(disk, seed: 8), options: .impatient) } == .locked)
    #expect(disk.journal.count == before)
  }
}
