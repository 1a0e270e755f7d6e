import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Bringing the state of a backup back.
@Suite struct RestoreTests {
  private static let event: (name: [UInt8], value: [UInt8]) = ([0, 1], [42])

  /// A disk with a backup under the name `copy` of a vault that went on since.
  private func prepared(_ later: [[Write]] = [[.put("alice", [99])], [.put("new", [1])]]) throws -> (
    disk: SimulatedDisk, contents: Contents
  ) {
    let trace = try Trace(Trace.ordinary, seed: 2)
    _ = try Vault.backup(
      SimulatedStorage(disk: trace.disk), credential: key(), to: SimulatedStorage(disk: trace.disk, path: "copy"),
      replacing: false)
    let vault = try Vault.open(.simulated(trace.disk, seed: 3), credential: key())
    for batch in later { try vault.commit(batch) }
    return (SimulatedDisk(trace.disk.cache), trace.acknowledged[Trace.ordinary.count].contents)
  }

  @discardableResult
  private func restore(
    _ disk: SimulatedDisk, accepting: Bool = false, pin: Pin? = nil, seed: UInt64 = 40, with byte: UInt8 = 7
  ) throws -> RestoreReport {
    var options = RestoreOptions()
    options.acceptsRollback = accepting
    options.pin = pin
    options.event = Self.event
    return try Vault.restore(
      SimulatedStorage(disk: disk, path: "copy"), credential: key(byte), to: .simulated(disk, seed: seed),
      options: options)
  }

  private func contents(_ image: DiskImage) throws -> Contents {
    try Vault.open(.simulated(SimulatedDisk(image), seed: 5), credential: key(), options: .reading).contents()
  }

  private func pin(_ disk: SimulatedDisk) throws -> Pin {
    let view = try Opening.view(of: SimulatedStorage(disk: disk).open(writable: false), with: key())
    return Pin(of: view.chain, in: view.generation)
  }

  private func removeVault(_ disk: SimulatedDisk) { disk.perform(.remove(name: "vault")) }

  // Defends: where there is no vault, the backup's own bytes are put in place: of an empty one, of one record, all deleted.
  @Test(arguments: [[], [[.put("alice", [1])]], [[.put("alice", [1])], [.delete("alice")]], Trace.ordinary])
  func whereThereIsNone(batches: [[Write]]) throws {
    let trace = try Trace(batches, seed: 2)
    let disk = trace.disk
    _ = try Vault.backup(
      SimulatedStorage(disk: disk), credential: nil, to: SimulatedStorage(disk: disk, path: "copy"), replacing: false)
    removeVault(disk)
    let report = try restore(disk)
    #expect(report.isCopy && !report.isRollback && disk.cache["vault"] == disk.cache["copy"])
    #expect(try contents(disk.cache) == trace.acknowledged[batches.count].contents)
  }

  // Defends: over a vault that is whole and newer only when that is accepted; then as a new generation that open handles
  // follow, with the event, and with versions that were not given before.
  @Test func overANewerVault() throws {
    let (disk, expected) = try prepared()
    let before = disk.cache
    let handle = try Vault.open(.simulated(disk, seed: 6), credential: key())
    let snapshot = try handle.snapshot()
    let pinned = try pin(disk)
    #expect(try code { try restore(disk) } == .rollback)
    #expect(disk.cache == before)
    let report = try restore(disk, accepting: true)
    #expect(!report.isCopy && report.isRollback && report.generation == 2)
    #expect(try handle.contents() == expected)
    #expect(try snapshot.contents()["new"] == [1])
    var events: [[UInt8]] = []
    try handle.snapshot().forEachEvent { (event) throws(VaultError) in
      if Array(event.name) == Self.event.name { events.append(Array(event.value)) }
      return true
    }
    #expect(events == [Self.event.value])
    #expect(try handle.commit([.put("next", [1])])[0] > snapshot.lastVersion + 1)
    // The generation before is listed, so that a pin of it is still good.
    var options = VaultOptions.reading
    options.pin = pinned
    _ = try Vault.open(.simulated(disk, seed: 7), credential: key(), options: options)
    #expect(
      try Opening.view(of: SimulatedStorage(disk: disk).open(writable: false), with: key()).genesis?.madeBy == .restore)
  }

  // Defends: a backup that has everything needs no leave, and neither does a vault that is damaged, in its midst or its header.
  @Test(arguments: [Int?.none, 900, 3]) func withoutAStepBack(damaged place: Int?) throws {
    let (disk, expected) = try prepared(place == nil ? [] : [[.put("alice", [99])]])
    if let place {
      let file = try #require(disk.cache.names["vault"])
      let byte = try #require(disk.cache["vault"])[place] ^ 1
      disk.perform(.write(file: file, offset: place, bytes: [byte]))
      #expect(try code { _ = try contents(disk.cache) }?.isDamage == true)
    }
    let report = try restore(disk)
    #expect(!report.isRollback && report.generation == 2)
    #expect(try contents(disk.cache) == expected)
  }

  // Defends: while another process makes a new generation of the vault, a restore is refused, and changes nothing.
  @Test func whileAnotherIsMade() throws {
    let (disk, expected) = try prepared([])
    var options = MaintenanceOptions.impatient
    options.meanwhile = {
      do {
        let before = disk.cache[SimulatedStorage.name]
        #expect(try code { try self.restore(disk, accepting: true) } == .locked)
        #expect(disk.cache[SimulatedStorage.name] == before)
      } catch {
        Issue.record(error)
      }
    }
    _ = try Vault.rotate(.simulated(disk, seed: 61), credential: key(), options: options)
    #expect(try contents(disk.cache) == expected)
  }

  // Defends: where the file at the path is an earlier generation and damaged, the backup goes on from its own.
  @Test func overADamagedEarlierGeneration() throws {
    let trace = try Trace(Trace.ordinary, seed: 2)
    let disk = trace.disk
    var old = try #require(disk.cache["vault"])
    try Verb.compact.run(on: .simulated(disk, seed: 62))
    _ = try Vault.backup(
      SimulatedStorage(disk: disk), credential: key(), to: SimulatedStorage(disk: disk, path: "copy"), replacing: false)
    old[900] ^= 1
    removeVault(disk)
    let file = disk.create { _ in "vault" }
    disk.perform(.write(file: file, offset: 0, bytes: old))
    let report = try restore(disk)
    #expect(report.generation == 3 && !report.isRollback)
    #expect(try contents(disk.cache) == trace.acknowledged[Trace.ordinary.count].contents)
  }

  // Defends: a pin that the backup lies behind refuses it, there being a vault or not, and what is accepted all the same is
  // told of in the vault.
  @Test(arguments: [false, true]) func behindThePin(isThere: Bool) throws {
    let (disk, expected) = try prepared()
    let pinned = try pin(disk)
    if !isThere { removeVault(disk) }
    let before = disk.cache
    #expect(try code { try restore(disk, pin: pinned) } == .rollback)
    #expect(disk.cache == before)
    let report = try restore(disk, accepting: true, pin: pinned)
    #expect(report.isRollback && !report.isCopy)
    #expect(try contents(disk.cache) == expected)
    var found = 0
    let vault = try Vault.open(.simulated(disk, seed: 8), credential: key())
    try vault.snapshot().forEachEvent { (event) throws(VaultError) in
      if Array(event.name) == Self.event.name { found += 1 }
      return true
    }
    #expect(found == 1)
  }

  // Defends: another vault's backup, a damaged one, a wrong key and the vault itself are refused, and nothing is changed.
  @Test func refusals() throws {
    let (disk, _) = try prepared()
    let before = disk.cache
    #expect(try code { try restore(disk, with: 9) } == .wrongKey)
    #expect(
      try code {
        _ = try Vault.restore(SimulatedStorage(disk: disk), credential: key(), to: .simulated(disk, seed: 1))
      } == .conflict)
    #expect(disk.cache == before)
    var image = before
    let file = try #require(image.names["copy"])
    image.files[file]?[900] ^= 1
    let damaged = SimulatedDisk(image)
    #expect(try code { try restore(damaged, accepting: true) }?.isDamage == true)
    #expect(damaged.cache == image)
    image.files[file] = try Trace([], seed: 77).disk.cache["vault"]
    let other = SimulatedDisk(image)
    #expect(try code { try restore(other, accepting: true) } == .conflict)
    #expect(other.cache == image)
  }

  // Defends: whichever call fails, is killed or finds no room, and whatever a power cut leaves, the vault is as it was or
  // restored, whole, and the next attempt succeeds.
  @Test(arguments: [false, true]) func everyCallFails(isThere: Bool) throws {
    let (start, expected) = try prepared()
    if !isThere { removeVault(start) }
    let former = isThere ? try contents(start.cache) : nil
    var failures = 0
    for kind in 0..<3 {
      for number in 1...500 {
        let disk = SimulatedDisk(start.cache)
        disk.fail(
          FailurePlan(
            first: number, count: kind == 0 ? 1 : .max, isFull: kind == 1, isKill: kind == 2, writesHalf: true))
        let failed = try code { try restore(disk, accepting: true) }
        let hasReached = disk.calls >= number
        disk.fail(nil)
        var images = CrashImages(of: disk, at: disk.journal.count, budget: 8, seed: 3)
        for image in [disk.cache] + images.all() {
          guard image["vault"] != nil else {
            #expect(former == nil && failed != nil)
            continue
          }
          let found = try contents(image)
          #expect(found == expected || found == former && failed != nil, "kind \(kind), call \(number)")
        }
        try restore(disk, accepting: true, seed: 41)
        #expect(try contents(disk.cache) == expected)
        if failed != nil { failures += 1 }
        if !hasReached { break }
      }
    }
    #expect(failures > 15)
  }
}
