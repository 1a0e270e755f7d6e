import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Adding, removing and changing what opens a vault.
@Suite struct KeyChangeTests {
  /// The cheapest scrypt that the format allows.
  private static let cheap = KeySlot.Kind.scrypt(logN: 14, r: 8, p: 1)

  /// Vaults that a key change may meet.
  private static let states: [[[Write]]] = [
    [], [[.put("alice", [1])]], [[.put("alice", [1])], [.delete("alice")]], Trace.ordinary,
  ]

  private func disk(_ batches: [[Write]]) throws -> (SimulatedDisk, Contents) {
    let trace = try Trace(batches, seed: 11)
    return (SimulatedDisk(trace.disk.cache), trace.acknowledged[batches.count].contents)
  }

  /// What a reader with this credential finds; `nil` when it opens nothing.
  private func contents(_ image: DiskImage, _ credential: borrowing Credential) throws -> Contents? {
    let disk = SimulatedDisk(image)
    do {
      return try Vault.open(.simulated(disk, seed: 3), credential: credential, options: .reading).contents()
    } catch let error as VaultError where error.code == .wrongKey {
      return nil
    }
  }

  // Defends: after each verb exactly the credentials that it leaves open the vault, which holds what it held; for vaults that
  // are empty, of one record, all deleted, and ordinary.
  @Test(arguments: states) func everyVerb(batches: [[Write]]) throws {
    let (disk, expected) = try disk(batches)
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    #expect(try vault.openedKey() == 1)
    #expect(try vault.addKey(key(8)) == 2)
    #expect(try vault.addKey(passphrase("correct horse"), passphraseCost: Self.cheap) == 3)
    #expect(try vault.keys().map(\.number) == [1, 2, 3])
    #expect(try vault.keys().map(\.kind) == ["key", "key", "passphrase"])
    for found in try [
      contents(disk.cache, key()), contents(disk.cache, key(8)), contents(disk.cache, passphrase("correct horse")),
    ] {
      #expect(found == expected)
    }
    #expect(try vault.changeKey(to: key(9)) == 4)
    #expect(try vault.openedKey() == 4)
    #expect(try contents(disk.cache, key()) == nil && contents(disk.cache, key(9)) == expected)
    try vault.removeKey(2)
    try vault.removeKey(3)
    #expect(try contents(disk.cache, key(8)) == nil && contents(disk.cache, passphrase("correct horse")) == nil)
    try vault.commit([.put("after", [1])])
    #expect(try contents(disk.cache, key(9))?["after"] == [1])
    #expect(
      try Opening.view(of: SimulatedStorage(disk: disk).open(writable: false), with: key(9), readsWhole: true).index
        .count == expected.count + 1)
  }

  // Defends: the last slot stays, the one in use goes only when that is said, and a number that is not there is told of; nothing
  // is written then.
  @Test func refusals() throws {
    let (disk, _) = try disk([])
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    let before = disk.cache
    #expect(try code { try vault.removeKey(1) } == .conflict)
    #expect(try code { try vault.removeKey(1, evenInUse: true) } == .conflict)
    #expect(try code { try vault.removeKey(2) } == .notFound)
    // A handle's first write may write the last batch again, which changes nothing.
    #expect(disk.cache == before)
    try vault.addKey(key(8))
    #expect(try code { try vault.removeKey(1) } == .conflict)
    try vault.removeKey(1, evenInUse: true)
    #expect(try contents(disk.cache, key()) == nil && contents(disk.cache, key(8)) == [:])
    #expect(try code { try vault.changeKey(to: key(9)) } == .notFound, "its own slot is gone")
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key(8), options: .reading)
    #expect(try code { try reader.addKey(key(9)) } == .readOnly)
  }

  // Defends: 32 slots and 8 passphrases at most, told before anything is written.
  @Test func bounds() throws {
    let (disk, _) = try disk([])
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    for number in 0..<8 { try vault.addKey(passphrase("p\(number)"), passphraseCost: Self.cheap) }
    #expect(try code { try vault.addKey(passphrase("p9"), passphraseCost: Self.cheap) } == .conflict)
    for number in 0..<23 { try vault.addKey(key(100 + UInt8(number))) }
    let full = disk.cache
    #expect(try code { try vault.addKey(key(99)) } == .conflict)
    #expect(disk.cache == full)
    #expect(try vault.changeKey(to: key(99)) > 32)
    #expect(try vault.keys().count == 32)
  }

  // Defends: a slot's number is never used again, whatever was removed since, however many checkpoints lie between, and by
  // whichever handle.
  @Test func numbersAreNotUsedAgain() throws {
    let (disk, _) = try disk([])
    var next: UInt32 = 2
    for round in 0..<6 {
      let vault = try Vault.open(.simulated(disk, seed: UInt64(round)), credential: key())
      let number = try vault.addKey(key(8))
      #expect(number == next)
      try vault.removeKey(number)
      for write in 0..<3 { try vault.commit((0..<60).map { .put(Name(bytes: [UInt8($0), UInt8(write)]), [1]) }) }
      next += 1
    }
  }

  // Defends: handles that were open go on reading and writing, whatever became of the slot that they were opened with.
  @Test func openHandlesGoOn() throws {
    let (disk, _) = try disk([[.put("alice", [1])]])
    let first = try Vault.open(.simulated(disk, seed: 1), credential: key())
    let second = try Vault.open(.simulated(disk, seed: 2), credential: key())
    try first.changeKey(to: key(9))
    #expect(try second.contents() == ["alice": [1]])
    try second.commit([.put("bob", [2])])
    #expect(try first.contents() == ["alice": [1], "bob": [2]])
    #expect(try second.keys().map(\.number) == [2])
    #expect(try contents(disk.cache, key()) == nil)
  }

  // Defends: nobody waits for a passphrase's derivation: others write and add keys until it is done, and the new slot has the
  // number that is next by then.
  @Test(arguments: [false, true]) func othersWriteDuringADerivation(isChange: Bool) throws {
    let (disk, _) = try disk([[.put("alice", [1])]])
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    let other = try Vault.open(.simulated(disk, seed: 2), credential: key(), options: .impatient)
    let meanwhile: () -> Void = {
      #expect(throws: Never.self) {
        try other.commit([.put("bob", [2])])
        #expect(try other.addKey(key(8)) == 2)
      }
    }
    let new = try passphrase("correct horse")
    let number =
      isChange
      ? try vault.changeKey(to: new, passphraseCost: Self.cheap, meanwhile: meanwhile)
      : try vault.addKey(new, passphraseCost: Self.cheap, meanwhile: meanwhile)
    #expect(number == 3)
    let expected: Contents = ["alice": [1], "bob": [2]]
    #expect(try contents(disk.cache, passphrase("correct horse")) == expected)
    #expect(try contents(disk.cache, key(8)) == expected)
    #expect(try contents(disk.cache, key()) == (isChange ? nil : expected))
  }

  // Defends: what was true when a derivation began is asked again when it is done: the slot to be changed may be gone, and there
  // may be as many as there can be; nothing is written then.
  @Test func othersChangeKeysDuringADerivation() throws {
    let (disk, _) = try disk([])
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    let other = try Vault.open(.simulated(disk, seed: 2), credential: key(), options: .impatient)
    var image = disk.cache
    let full = try code {
      try vault.addKey(key(9), passphraseCost: Self.cheap) {
        #expect(throws: Never.self) { for number in 0..<31 { try other.addKey(key(100 + UInt8(number))) } }
        image = disk.cache
      }
    }
    #expect(full == .conflict && disk.cache.files == image.files)
    let gone = try code {
      try vault.changeKey(to: key(9), passphraseCost: Self.cheap) {
        #expect(throws: Never.self) { try other.removeKey(1, evenInUse: true) }
        image = disk.cache
      }
    }
    #expect(gone == .notFound && disk.cache.files == image.files)
  }

  /// The verbs, as tests of crashes and failures make them: one call each on a vault of keys 7 and 8.
  private static let verbs: [@Sendable (Vault) throws -> Void] = [
    { (vault) in try vault.addKey(key(9)) },
    { (vault) in try vault.changeKey(to: key(9)) },
    { (vault) in try vault.removeKey(2) },
  ]

  private static func prepared(isTorn: Bool = false) throws -> DiskImage {
    let trace = try Trace(Array(Trace.ordinary.prefix(3)), seed: 4)
    try Vault.open(.simulated(trace.disk, seed: 5), credential: key()).addKey(key(8))
    guard isTorn else { return trace.disk.cache }
    try Vault.open(.simulated(trace.disk, seed: 6), credential: key()).commit([
      .put("torn", Array(repeating: 1, count: 900))
    ])
    var torn = trace.disk.cache
    for file in torn.files.keys { torn.files[file]?.removeLast(500) }
    return torn
  }

  /// Who opens an image, of the keys 7, 8 and 9.
  private func openers(_ image: DiskImage, holding expected: Contents) throws -> Set<UInt8> {
    var openers: Set<UInt8> = []
    for byte: UInt8 in [7, 8, 9] {
      guard let found = try contents(image, key(byte)) else { continue }
      #expect(found == expected)
      openers.insert(byte)
    }
    return openers
  }

  private static let after: [Set<UInt8>] = [[7, 8, 9], [8, 9], [7]]

  // Defends: whenever the power goes during a change of keys, and whatever part of it is on the disk, the vault opens with the
  // keys of before or with those of after, and as soon as the call returned with those of after.
  @Test(arguments: [0, 1, 2]) func crashesAtEveryStep(verb: Int) throws {
    let image = try Self.prepared()
    let expected = try #require(try contents(image, key()))
    let disk = SimulatedDisk(image)
    try Self.verbs[verb](Vault.open(.simulated(disk, seed: 7), credential: key()))
    var seen: Set<Set<UInt8>> = []
    for point in 0...disk.journal.count {
      var images = CrashImages(of: disk, at: point, budget: 256, seed: UInt64(point))
      for image in images.all() {
        let found = try openers(image, holding: expected)
        let isDone = point == disk.journal.count
        #expect(found == Self.after[verb] || !isDone && found == [7, 8], "point \(point)")
        seen.insert(found)
      }
    }
    #expect(seen == [[7, 8], Self.after[verb]])
  }

  // Defends: whichever system call of a change fails, is killed or finds no room, the vault opens with the keys of before or of
  // after; with those of before, if the error said that there was no room.
  @Test(arguments: [0, 1, 2], [false, true]) func everyCallFails(verb: Int, isTorn: Bool) throws {
    let image = try Self.prepared(isTorn: isTorn)
    let expected = try #require(try contents(image, key()))
    var failures = 0
    for kind in 0..<4 {
      for number in 1...200 {
        let disk = SimulatedDisk(image)
        let vault = try Vault.open(.simulated(disk, seed: 8), credential: key(), options: .impatient)
        disk.fail(
          FailurePlan(
            first: number, count: kind == 0 ? 1 : .max, isFull: kind == 2, isKill: kind == 3, writesHalf: kind > 1))
        let failed = try code { try Self.verbs[verb](vault) }
        let hasReached = disk.calls >= number
        disk.fail(nil)
        var images = CrashImages(of: disk, at: disk.journal.count, budget: 8, seed: 3)
        for image in [disk.cache] + images.all() {
          let found = try openers(image, holding: expected)
          let isRight =
            failed == nil
            ? found == Self.after[verb]
            : failed == .diskFull ? found == [7, 8] : found == [7, 8] || found == Self.after[verb]
          #expect(isRight, "kind \(kind), call \(number): \(found)")
        }
        if failed != nil { failures += 1 }
        if !hasReached { break }
      }
    }
    #expect(failures > 15)
  }

  // Defends: a handle whose key was changed knows its new slot, whichever call failed once the change was on the disk: the next
  // change takes the place of this one. Only a handle that does nothing more refuses it.
  @Test func aHandleKnowsItsOwnSlot() throws {
    let image = try Self.prepared()
    let expected = try #require(try contents(image, key()))
    var (number, changes, isReached) = (0, 0, true)
    while isReached {
      number += 1
      let disk = SimulatedDisk(image)
      let vault = try Vault.open(.simulated(disk, seed: 8), credential: key(), options: .impatient)
      disk.fail(FailurePlan(first: number))
      let first = try code { try vault.changeKey(to: key(20)) }
      isReached = disk.calls >= number
      disk.fail(nil)
      let second = try code { try vault.changeKey(to: key(21)) }
      guard second == nil else {
        #expect(first != nil && second == .handleFailed, "call \(number)")
        continue
      }
      if first == nil { changes += 1 }
      #expect(try contents(disk.cache, key()) == nil && contents(disk.cache, key(20)) == nil, "call \(number)")
      #expect(try contents(disk.cache, key(21)) == expected, "call \(number)")
    }
    #expect(number > 10 && changes > 1)
  }
}
