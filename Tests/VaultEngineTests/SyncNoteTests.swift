import Glibc
import Testing
import VaultLaboratory

@testable import VaultEngine

/// The note in the lock file, which spares the next writer a sync.
@Suite struct SyncNoteTests {
  private func sample() throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).commit([.put("alice", [1])])
    return disk
  }

  /// Syncs that a new handle's commit takes.
  private func syncs(_ disk: SimulatedDisk) throws -> Int {
    let before = disk.syncs
    try Vault.open(.simulated(disk, seed: UInt64(before)), credential: key()).commit([.put("bob", [2])])
    return disk.syncs - before
  }

  // Defends: a new handle whose predecessor synced what it wrote needs one sync; so does the first after a creation.
  @Test func anHonestNote() throws {
    let disk = try sample()
    for _ in 0..<3 { #expect(try syncs(disk) == 1) }
    #expect(disk.cache.note.count == SyncNote.length)
    let new = SimulatedDisk()
    _ = try Vault.create(.simulated(new, seed: 1), credential: key())
    #expect(try syncs(new) == 1)
  }

  // Defends: a note that differs in any byte, is cut short, or is missing, is not believed: the last batch is written again.
  @Test func anyOtherNote() throws {
    let disk = try sample()
    for place in 0..<SyncNote.length {
      var note = disk.cache.note
      note[place] ^= 1
      disk.perform(.note(note))
      #expect(try syncs(disk) == 2, "byte \(place)")
    }
    for note in [[], Array(disk.cache.note.dropLast()), Array("something else".utf8)] {
      disk.perform(.note(note))
      #expect(try syncs(disk) == 2)
    }
  }

  // Defends: the note of a batch before is not believed of the one after it, whose writer was killed before the sync.
  @Test func aNoteThatIsBehind() throws {
    let disk = try sample()
    let killed = try Vault.open(.simulated(disk, seed: 2), credential: key())
    disk.beforeNextSync { disk.fail(FailurePlan(first: 1, count: .max, isKill: true)) }
    #expect(try code { try killed.commit([.put("carol", [3])]) } == .io)
    disk.fail(nil)
    #expect(try syncs(disk) == 2)
    #expect(try Recovery.contents(of: disk.cache)["carol"] == [3])
  }

  // Defends: after a failed sync the last batch is not trusted to be on the disk.
  @Test func aFailedSyncTakesTheNoteBack() throws {
    let disk = try sample()
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key())
    disk.beforeNextSync { disk.fail(FailurePlan(first: 1, only: .sync)) }
    #expect(try code { try vault.commit([.put("carol", [3])]) } == .io)
    disk.fail(nil)
    #expect(try syncs(disk) == 2)
  }

  // Defends: without a note, the last batch is written again, byte for byte, and synced, before the next is written: after a failed
  // sync the system may take for written what never came to the disk.
  @Test func whatIsWrittenAgain() throws {
    let disk = try sample()
    let before = try #require(disk.cache["vault"])
    disk.perform(.note([]))
    let start = disk.journal.count
    _ = try syncs(disk)
    var places: [Int] = []
    for operation in disk.journal[start...] {
      switch operation {
      case .write(_, let offset, let bytes):
        places.append(offset)
        if offset < before.count { #expect(Array(before[offset...]) == bytes) }
      case .sync: places.append(-1)
      default: break
      }
    }
    #expect(places.count == 4 && places[0] < before.count && places[2] == before.count, "\(places)")
    #expect(places[1] == -1 && places[3] == -1, "\(places)")
  }

  // Defends: the same before a checkpoint, which is what a change of keys writes.
  @Test func aChangeOfKeys() throws {
    func syncsOfChange(note: Bool) throws -> Int {
      let disk = try sample()
      if !note { disk.perform(.note([])) }
      let before = disk.syncs
      try Vault.open(.simulated(disk, seed: 5), credential: key()).addKey(key(8))
      return disk.syncs - before
    }
    #expect(try syncsOfChange(note: false) == syncsOfChange(note: true) + 1)
  }

  // Defends: a batch that somebody has changed since it was read is not written again, and nothing is written behind it.
  @Test func aBatchThatWasChanged() throws {
    let disk = try sample()
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(try vault.contents() == ["alice": [1]])
    let bytes = try #require(disk.cache["vault"])
    let place = bytes.count - 40
    let file = try #require(disk.cache.names["vault"])
    disk.perform(.write(file: file, offset: place, bytes: [bytes[place] ^ 1]))
    disk.perform(.note([]))
    let before = disk.cache
    #expect(try code { try vault.commit([.put("bob", [2])]) }?.isDamage == true)
    #expect(disk.cache == before)
  }

  // Defends: the lock file of a real vault holds the note of its end; other contents are no error.
  @Test func aRealLockFile() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    try Vault.create(at: path, credential: key()).commit([.put("alice", [1])])
    let note = try directory.read("vault.lock")
    #expect(note.count == SyncNote.length && note.starts(with: Array("TVsynced".utf8)))
    for other in [[], Array("x".utf8), [UInt8](repeating: 0xFF, count: 5000)] {
      try directory.write(other, to: "vault.lock")
      try Vault.open(at: path, credential: key()).commit([.put("alice", [1])])
      #expect(try Array(directory.read("vault.lock").prefix(8)) == Array("TVsynced".utf8))
    }
  }
}
