import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// New generations of vaults of every kind.
@Suite struct MaintenanceTests {
  /// Vaults that a verb may meet.
  enum Kind: CaseIterable, Sendable {
    case empty, single, deleted, lively, indexed

    var batches: [[Write]] {
      switch self {
      case .empty: []
      case .single: [[.put("alice", [1])]]
      case .deleted: [[.put("alice", [1]), .put("bob", [2])], [.delete("bob"), .delete("alice")]]
      case .lively: Trace.ordinary
      case .indexed:
        (0..<6).map { (batch) in
          (0..<60).map { .put(Name(bytes: Array("name \($0 * (batch + 1) % 150)".utf8)), [UInt8(batch)]) }
            + [.event("name 1", [UInt8(batch)])]
        }
      }
    }
  }

  // Defends: what a vault holds, with its versions and times, is the same in every new generation of it, one after the other;
  // only compaction forgets what no longer counts. The file is whole, and versions are never given twice.
  @Test(arguments: Kind.allCases, Verb.allCases)
  func nothingIsLost(_ kind: Kind, _ verb: Verb) throws {
    let trace = try Trace(kind.batches, seed: 11)
    let vault = try Vault.open(.simulated(trace.disk, seed: 12), credential: key())
    let (facts, live) = (try vault.facts(), try vault.liveFacts())
    let newest = try vault.snapshot().lastVersion
    for generation in 2...4 {
      let report = try verb.run(on: .simulated(trace.disk, seed: 100 + UInt64(generation)))
      #expect(report.generation == UInt64(generation) && report.names == live.count)
      _ = try trace.disk.verify()
      let again = try Vault.open(.simulated(trace.disk, seed: 13), credential: key())
      #expect(try again.liveFacts() == live)
      let kept = facts.filter { verb != .compact || $0.operation == .event || live.contains($0) }
      #expect(try again.facts() == kept)
      #expect(report.kept == kept.count)
      #expect(try again.snapshot().lastVersion == newest)
    }
    let last = try Vault.open(.simulated(trace.disk, seed: 14), credential: key())
    #expect(try last.commit([.put("next", [1])]) == [newest + 1])
    #expect(Array(trace.disk.cache.names.keys) == [SimulatedStorage.name])
  }

  // Defends: what others write while a new generation is made is in it: changed, new and deleted names, events, and a name
  // that was deleted and put again; and it is written once.
  @Test(arguments: Verb.allCases) func writesMeanwhile(_ verb: Verb) throws {
    let trace = try Trace(Trace.ordinary, seed: 21)
    let disk = trace.disk
    let writer = try Vault.open(.simulated(disk, seed: 22), credential: key())
    let before = try writer.facts()
    try verb.run(
      on: .simulated(disk, seed: 23),
      options: .doing {
        try writer.commit([.put("alice", [0xA]), .delete("erin"), .event("alice", [3])])
        try writer.commit([.put("new", [1]), .delete("bob"), .put("bob", [9])])
        try writer.commit([.delete("new")])
      })
    let after = try Vault.open(.simulated(disk, seed: 24), credential: key())
    var expected = trace.acknowledged[trace.acknowledged.count - 1].contents
    expected["alice"] = [0xA]
    expected["erin"] = nil
    expected["bob"] = [9]
    #expect(try after.contents() == expected)
    // A handle follows to the next generation, as long as its key is still right.
    guard verb != .rekey else { return }
    #expect(try writer.contents() == expected)
    let facts = try after.facts()
    #expect(Set(facts).count == facts.count)
    if verb != .compact { #expect(facts.count == before.count + 7) }
    _ = try disk.verify()
    try writer.commit([.put("alice", [0xB])])
    #expect(try after.value(of: "alice") == [0xB])
  }

  // Defends: a compaction keeps as many values of each name as it is told to, none from before a deletion; events as far back
  // as it is told to; and no name whose time is over, nor an older value of one.
  @Test func retention() throws {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 31), credential: key())
    for value in 1...5 { try vault.commit([.put("alice", [UInt8(value)]), .event("alice", [UInt8(value)])]) }
    try vault.commit([.put("bob", [1])])
    try vault.commit([.delete("bob")])
    try vault.commit([.put("bob", [2]), .put("gone", [1])])
    try vault.commit([.put("gone", [99]), .put("over", [99])])
    var retention = Retention()
    retention.versions = 3
    retention.isOver = { $0.count == 1 && $0[0] == 99 }
    let report = try Vault.compact(.simulated(disk, seed: 32), credential: key(), keeping: retention)
    #expect(report.over == 2 && report.names == 2)
    let values = try vault.facts().filter { $0.operation == .put }.map { [$0.name.bytes[0], $0.value[0]] }
    let (a, b) = (UInt8(ascii: "a"), UInt8(ascii: "b"))
    #expect(values == [[a, 3], [a, 4], [a, 5], [b, 2]])
    #expect(try vault.facts().filter { $0.operation == .event }.count == 5)

    try vault.commit([.put("over", [99])])
    retention.versions = 1
    retention.eventsSince = .max
    let second = try Vault.compact(.simulated(disk, seed: 33), credential: key(), keeping: retention)
    #expect(second.over == 1 && second.events == 5 && second.superseded == 2)
    #expect(try vault.facts().count == 2)
    _ = try disk.verify()
  }

  // Defends: a name that a compaction would drop because it is over stays when it is written again meanwhile, and is gone
  // when it is deleted meanwhile.
  @Test func overAndWrittenMeanwhile() throws {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 41), credential: key())
    try vault.commit([.put("one", [99]), .put("two", [99]), .put("three", [99])])
    var retention = Retention()
    retention.isOver = { $0[0] == 99 }
    let report = try Vault.compact(
      .simulated(disk, seed: 42), credential: key(), keeping: retention,
      options: .doing { try vault.commit([.put("one", [1]), .delete("two")]) })
    #expect(report.names == 1)
    #expect(try vault.contents() == ["one": [1]])
    _ = try disk.verify()
  }

  // Defends: two at once: the second fails at once and changes nothing, and the first goes on.
  @Test func twoAtOnce() throws {
    let trace = try Trace(Trace.ordinary, seed: 51)
    let disk = trace.disk
    let report = try Verb.rotate.run(
      on: .simulated(disk, seed: 52),
      options: .doing {
        for verb in Verb.allCases {
          let failed = try code { _ = try verb.run(on: .simulated(disk, seed: 53)) }
          #expect(failed == .locked)
        }
      })
    #expect(report.generation == 2)
    #expect(try Recovery.contents(of: disk.cache) == trace.acknowledged[trace.acknowledged.count - 1].contents)
  }

  // Defends: a write that was seen without the lock and withdrawn since, or another file in the vault's place, is a conflict
  // that changes nothing; the next attempt works.
  @Test(arguments: [false, true]) func theVaultChangesUnderneath(isReplaced: Bool) throws {
    let trace = try Trace(Trace.ordinary, seed: 55)
    let disk = trace.disk
    let writer = try Vault.open(.simulated(disk, seed: 56), credential: key())
    let before = try #require(disk.cache[SimulatedStorage.name])
    let file = try #require(disk.cache.names[SimulatedStorage.name])
    let options = MaintenanceOptions.doing {
      if !isReplaced { try writer.commit([.put("withdrawn", [1])]) }
      // Just before the lock is taken for the last stretch.
      disk.beforeEveryLock {
        disk.beforeEveryLock(nil)
        if isReplaced {
          let other = disk.create { "other-\($0)" }
          disk.perform(.write(file: other, offset: 0, bytes: before))
          disk.perform(.rename(file: other, from: "other-\(other)", to: SimulatedStorage.name))
        } else {
          disk.perform(.resize(file: file, length: before.count))
        }
      }
    }
    #expect(try code { _ = try Verb.rotate.run(on: .simulated(disk, seed: 57), options: options) } == .conflict)
    #expect(disk.cache[SimulatedStorage.name] == before && disk.cache.names.count == 1)
    try Verb.rotate.run(on: .simulated(disk, seed: 58))
    #expect(try Recovery.contents(of: disk.cache) == trace.acknowledged[trace.acknowledged.count - 1].contents)
  }

  // Defends: a file of the name of a temporary is never taken for a new generation: the next writer removes it, if nobody
  // holds it, and the vault is what it was.
  @Test func aPlantedTemporary() throws {
    let trace = try Trace(Trace.ordinary, seed: 61)
    let planted = try HandMadeVault(generation: 2).bytes()
    let file = trace.disk.create { "vault.tmp-\($0)" }
    trace.disk.perform(.write(file: file, offset: 0, bytes: planted))
    let contents = trace.acknowledged[trace.acknowledged.count - 1].contents
    #expect(try Recovery.contents(of: trace.disk.cache) == contents)
    try Verb.compact.run(on: .simulated(trace.disk, seed: 62))
    #expect(Array(trace.disk.cache.names.keys) == [SimulatedStorage.name])
    #expect(try Recovery.contents(of: trace.disk.cache) == contents)
  }

  // Defends: a snapshot is readable whatever takes the vault's place after it, and twice.
  @Test func snapshotsStay() throws {
    let trace = try Trace(Trace.ordinary, seed: 71)
    let vault = try Vault.open(.simulated(trace.disk, seed: 72), credential: key())
    let snapshot = try vault.snapshot()
    let contents = try snapshot.contents()
    for seed in 73..<75 {
      try vault.commit([.put("alice", [UInt8(seed)])])
      try Verb.compact.run(on: .simulated(trace.disk, seed: UInt64(seed)))
    }
    #expect(try snapshot.contents() == contents && snapshot.generation == 1)
    #expect(try vault.snapshot().generation == 3)
  }

  // Defends: the history lists the last 64 generations and no more, and a pin of any of them is held: by the same vault, and
  // not by another one's.
  @Test func aLongHistory() throws {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 81), credential: key())
    var pins: [Pin] = []
    for generation in 1...67 {
      try vault.commit([.put("alice", [UInt8(generation)])])
      pins.append(try Self.pin(of: disk))
      try Verb.compact.run(on: .simulated(disk, seed: 1000 + UInt64(generation)))
    }
    let view = try Self.view(of: disk)
    #expect(view.history.map(\.generation) == (4...67).reversed().map { UInt64($0) })
    for pin in pins.suffix(64) {
      var options = VaultOptions.reading
      options.pin = pin
      _ = try Vault.open(.simulated(disk, seed: 82), credential: key(), options: options)
      options.pin = Pin(
        vaultID: pin.vaultID, fileID: pin.fileID, generation: pin.generation, sequence: pin.sequence + 1000,
        head: pin.head)
      #expect(
        try code { _ = try Vault.open(.simulated(disk, seed: 83), credential: key(), options: options) } == .rollback)
    }
  }

  static func view(of disk: SimulatedDisk, credential byte: UInt8 = 7) throws -> View {
    try Opening.view(of: SimulatedStorage(disk: disk).open(writable: false), with: key(byte))
  }

  private static func pin(of disk: SimulatedDisk) throws -> Pin {
    let view = try view(of: disk)
    let header = view.generation.header
    return Pin(
      vaultID: header.vaultID, fileID: header.fileID, generation: header.generation, sequence: view.chain.sequence,
      head: view.chain.link)
  }
}
