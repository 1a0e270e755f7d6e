import Synchronization
import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Readers that meet what a writer is doing, or what somebody has done.
@Suite struct ReaderTests {
  private static let file = 1

  private func sample() throws -> (before: [UInt8], after: [UInt8]) {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    try vault.commit([.put("alice", [1]), .put("carol", [1]), .event("alice", [])])
    let before = disk.cache[SimulatedStorage.name] ?? []
    try vault.commit([.put("alice", [2]), .delete("carol"), .event("alice", [2]), .put("bob", [3])])
    return (before, disk.cache[SimulatedStorage.name] ?? [])
  }

  private func disk(_ bytes: [UInt8]) -> SimulatedDisk {
    SimulatedDisk(DiskImage(names: [SimulatedStorage.name: Self.file], files: [Self.file: bytes]))
  }

  private static func set(_ disk: SimulatedDisk, _ bytes: [UInt8]) {
    disk.perform(.resize(file: file, length: 0))
    disk.perform(.write(file: file, offset: 0, bytes: bytes))
  }

  private static let contents: Contents = ["alice": [2], "bob": [3]]

  // Defends: a write that hangs keeps no reader waiting, nor does one whose lock another holds: they see the state before it, and
  // the new one as soon as it is on the disk.
  @Test func aWriteThatHangs() throws {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    try vault.commit([.put("alice", [1])])
    let gate = Gate(disk)
    let pending = try vault.submit([.put("alice", [2]), .put("bob", [2])])
    gate.waitUntilReached()
    #expect(try vault.contents() == ["alice": [1]])
    let snapshot = try vault.snapshot()
    #expect(try vault.value(of: "bob") == nil)
    gate.open()
    try pending.wait()
    #expect(try vault.contents() == ["alice": [2], "bob": [2]])
    #expect(try snapshot.contents() == ["alice": [1]])
  }

  // Defends: a batch of which another process has written a part is no damage as long as the lock is held, and what was
  // committed before it is served at once.
  @Test func anotherProcessInTheMidstOfAWrite() throws {
    let (before, after) = try sample()
    let disk = disk(before)
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(disk.takeLock(.exclusive))
    var half = after
    half[after.count - 60] ^= 1
    Self.set(disk, half)
    let locks = Mutex(0)
    disk.beforeEveryLock { locks.withLock { $0 += 1 } }
    #expect(try reader.contents() == ["alice": [1], "carol": [1]])
    #expect(locks.withLock { $0 } <= 2, "asked whether it is free, and not waited for")
    disk.beforeEveryLock(nil)
    Self.set(disk, after)
    disk.releaseLock(.exclusive)
    #expect(try reader.contents() == Self.contents)
  }

  // Defends: the same bytes are damage when nobody holds the lock, and are not passed over.
  @Test func halfABatchThatNobodyWrites() throws {
    let (before, after) = try sample()
    let disk = disk(before)
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key())
    var half = after
    half[after.count - 60] ^= 1
    Self.set(disk, half)
    #expect(try code { _ = try reader.contents() }?.isDamage == true)
    Self.set(disk, after)
    #expect(try reader.contents() == Self.contents)
  }

  // Defends: a reader that looked between the moment when a writer's file got its new time, and the one when it got its bytes,
  // sees the batch as soon as it is there.
  @Test func aLookBetweenTimeAndBytes() throws {
    let (before, after) = try sample()
    let disk = disk(before + [UInt8](repeating: 0, count: 4096))
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(disk.takeLock(.exclusive))
    disk.perform(.note([1]))
    #expect(try reader.contents() == ["alice": [1], "carol": [1]])
    let time = disk.journal.count
    disk.holdStamp(at: time)
    disk.perform(.write(file: Self.file, offset: before.count, bytes: Array(after[before.count...])))
    disk.releaseLock(.exclusive)
    #expect(try reader.contents() == Self.contents)
  }

  // Defends: what an interrupted append left is judged once: as long as nobody touches the file, the next read looks at its stamp,
  // and reads the record.
  @Test func aTornTailIsJudgedOnce() throws {
    let (before, after) = try sample()
    let disk = disk(Array(after[..<((before.count + after.count) / 2)]))
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(try reader.contents() == ["alice": [1], "carol": [1]])
    disk.fail(nil)
    #expect(try reader.value(of: "alice") == [1])
    #expect(disk.calls == 2)
    Self.set(disk, after)
    #expect(try reader.contents() == Self.contents)
  }

  // Defends: what looks like damage while a writer holds the lock is looked at again, and not reported when it was a batch
  // being written.
  @Test(arguments: [0, 1, 5])
  func aBatchThatIsBeingWritten(attempts: Int) throws {
    let (_, after) = try sample()
    var half = after
    half[after.count - 60] ^= 1
    let disk = disk(half)
    let writer = disk.takeLock(.exclusive)
    let looks = Mutex(0)
    disk.beforeEveryLock {
      let look = looks.withLock { (looks) in
        looks += 1
        return looks
      }
      guard look == attempts + 1 else { return }
      Self.set(disk, after)
      disk.releaseLock(.exclusive)
    }
    // The disk holds what holds the disk.
    defer { disk.beforeEveryLock(nil) }
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key(), options: .reading)
    #expect(writer && looks.withLock { $0 } == attempts + 1)
    #expect(try vault.contents() == Self.contents)
  }

  // Defends: damage is reported as damage, and not as a lock, when a writer holds the lock all the time; it ends.
  @Test func damageWhileTheLockIsHeld() throws {
    var (_, bytes) = try sample()
    bytes[bytes.count - 60] ^= 1
    let disk = disk(bytes)
    #expect(disk.takeLock(.exclusive))
    let failed = try code { _ = try Vault.open(.simulated(disk, seed: 2), credential: key(), options: .reading) }
    #expect(failed?.isDamage == true)
  }

  // Defends: a batch of which one record does not open is not taken in by halves: the handle names the damage as long as it
  // is there, and answers rightly when the file is right again.
  @Test func aBatchOfWhichOneRecordDoesNotOpen() throws {
    let (before, after) = try sample()
    let forged = try ForgedVault.changing(after) { $0[after.count - 30] ^= 1 }
    let disk = disk(before)
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key())
    let snapshot = try vault.snapshot()
    Self.set(disk, forged)
    for _ in 0..<2 {
      #expect(try code { _ = try vault.contents() } == .frameDamaged)
      #expect(try code { try vault.commit([.put("dora", [4])]) } == .frameDamaged)
    }
    #expect(disk.cache[SimulatedStorage.name] == forged, "nothing is written behind damage")
    #expect(try snapshot.contents() == ["alice": [1], "carol": [1]])
    Self.set(disk, after)
    #expect(try vault.contents() == Self.contents)
    #expect(try snapshot.contents() == ["alice": [1], "carol": [1]])
    try vault.commit([.put("dora", [4])])
    #expect(try Recovery.contents(of: disk.cache)["dora"] == [4])
  }

  // Defends: committed batches that somebody cut off are missed by a handle that knew them.
  @Test func batchesThatSomebodyCutOff() throws {
    let (before, after) = try sample()
    let disk = disk(before)
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key())
    try vault.commit([.put("bob", [3])])
    Self.set(disk, before)
    #expect(try code { _ = try vault.contents() } == .tailDamaged)
    #expect(try code { try vault.commit([.put("bob", [4])]) } == .tailDamaged)
    // Another's batch in the place of its own: that one was synced, and can't have been cut off rightly.
    Self.set(disk, after)
    #expect(try code { _ = try vault.contents() } == .tailDamaged)
  }

  // Defends: a writer that finds damage under the lock does not wait for its own lock before it says so.
  @Test func damageThatAWriterFinds() throws {
    let (before, after) = try sample()
    var bytes = after
    bytes[after.count - 60] ^= 1
    let disk = disk(before)
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key())
    // A damaged file takes the vault's place.
    disk.perform(.create(file: 2, name: "copy"))
    disk.perform(.write(file: 2, offset: 0, bytes: bytes))
    disk.perform(.rename(file: 2, from: "copy", to: SimulatedStorage.name))
    let locks = Mutex(0)
    disk.beforeEveryLock { locks.withLock { $0 += 1 } }
    #expect(try code { try vault.commit([.put("dora", [4])]) }?.isDamage == true)
    #expect(locks.withLock { $0 } == 1)
  }

  // Defends: a file that is cut between the walk over it and the replay gives an error, and replay comes to an end.
  @Test func aFileThatIsCutWhileItIsRead() throws {
    let (_, bytes) = try sample()
    let disk = disk(bytes)
    var window = try FileWindow(SimulatedFile(disk, Self.file))
    let generation = try window.generation()
    var last = Chain(startOf: generation).offset
    let walk = try Walk(&window, from: Chain(startOf: generation), in: generation) { last = $0.offset }
    for length in [last, last + 40, last + 88, UInt64(bytes.count) - 1] {
      disk.perform(.resize(file: Self.file, length: Int(length)))
      var cut = try FileWindow(SimulatedFile(disk, Self.file))
      #expect(try code { _ = try cut.recordRun(at: last, end: walk.committed.offset) } == .frameDamaged)
      Self.set(disk, bytes)
    }
    // A whole frame of another place would open, too.
    disk.perform(.write(file: Self.file, offset: 0, bytes: bytes))
    let first = try #require(walk.lastBatch).offset
    let copied = Array(bytes[Int(first)..<Int(first) + 144])
    disk.perform(.write(file: Self.file, offset: Int(last), bytes: copied))
    var changed = try FileWindow(SimulatedFile(disk, Self.file))
    #expect(try code { _ = try changed.recordRun(at: last, end: walk.committed.offset) } == .frameDamaged)
  }
}
