import Synchronization
import Testing
import VaultLaboratory

@testable import VaultEngine

/// What one handle does to another on the same file.
@Suite struct TwoHandleTests {
  // Defends: a handle whose last commit is the newest in the file does not append behind another handle's attempt that was
  // cut off and may still be on the disk: a crash would mix the two.
  @Test(arguments: [1, 2, 3, .max], [nil, FailurePlan.Call.sync])
  func anothersFailedSyncIsSettledBeforeTheNextAppend(failures: Int, only: FailurePlan.Call?) throws {
    let disk = SimulatedDisk()
    let first = try Vault.create(.simulated(disk, seed: 1), credential: key())
    try first.commit([.put("alice", [1])])
    let second = try Vault.open(.simulated(disk, seed: 2), credential: key())
    // The second handle finds no note and writes the last batch again first: that sync is not the one to fail.
    disk.perform(.note([]))
    disk.beforeNextSync { disk.beforeNextSync { disk.fail(FailurePlan(first: 1, only: only, count: failures)) } }
    #expect(try code { try second.commit([.put("bob", Array(repeating: 2, count: 1500))]) } == .io)
    disk.fail(nil)
    let before = disk.journal.count
    try first.commit([.put("carol", Array(repeating: 3, count: 1700))])

    var states = 0
    for point in before...disk.journal.count {
      var images = CrashImages(of: disk, at: point, budget: 256, seed: 4)
      for image in images.all() {
        states += 1
        let place: Comment = "point \(point) of \(disk.journal.count), state \(states)"
        do {
          let found = try Recovery(of: image, seed: 5).before
          #expect(found["alice"] == [1], place)
          #expect(found["carol"] != nil || point < disk.journal.count, place)
        } catch {
          Issue.record(error, place)
        }
      }
    }
    #expect(states > 10)
  }

  // Defends: a batch that a reader saw before its sync failed is forgotten by that reader, too: what it writes then links to
  // what is in the file, and not to what was cut off.
  @Test(arguments: [1, 2, 700])
  func aBatchThatWasSeenAndThenCutOff(length: Int) throws {
    let disk = SimulatedDisk()
    let writer = try Vault.create(.simulated(disk, seed: 1), credential: key())
    try writer.commit([.put("alice", [1])])
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key())
    let seen = Mutex<[UInt8]?>(nil)
    disk.beforeNextSync {
      let value = try? reader.value(of: "bob")
      seen.withLock { $0 = value }
      disk.fail(FailurePlan(first: 1))
    }
    #expect(try code { try writer.commit([.put("bob", [2])]) } == .io)
    #expect(seen.withLock { $0 } == [2])
    let another = try Vault.open(.simulated(disk, seed: 3), credential: key())
    try another.commit([.put("bob", Array(repeating: 3, count: length))])
    #expect(try reader.contents() == ["alice": [1], "bob": Array(repeating: 3, count: length)])
    try reader.commit([.put("carol", [4])])
    let all: Contents = ["alice": [1], "bob": Array(repeating: 3, count: length), "carol": [4]]
    #expect(try reader.contents() == all)
    #expect(try Recovery.contents(of: disk.cache) == all)
  }

  // Defends: the same when nobody has written since: the batch is gone for the reader, and its own next commit is whole.
  @Test func aBatchThatWasSeenAndIsGone() throws {
    let disk = SimulatedDisk()
    let writer = try Vault.create(.simulated(disk, seed: 1), credential: key())
    try writer.commit([.put("alice", [1])])
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key())
    disk.beforeNextSync {
      _ = try? reader.value(of: "bob")
      disk.fail(FailurePlan(first: 1))
    }
    #expect(try code { try writer.commit([.put("bob", [2])]) } == .io)
    #expect(try reader.contents() == ["alice": [1]])
    try reader.commit([.put("carol", [4])])
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [1], "carol": [4]])
  }
}
