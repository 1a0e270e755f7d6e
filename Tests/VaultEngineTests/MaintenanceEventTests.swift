import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// The event that a new generation has of itself.
@Suite struct MaintenanceEventTests {
  private static let name: [UInt8] = [0, 1]

  /// Notes the counts in the event's value, and writes to the vault meanwhile if it is told to.
  private func options(_ meanwhile: (@Sendable () throws -> Void)? = nil) -> MaintenanceOptions {
    var options = meanwhile.map { MaintenanceOptions.doing($0) } ?? .impatient
    options.event = { (Self.name, Array("\($0.generation) \($0.names) \($0.kept) \($0.superseded)".utf8)) }
    return options
  }

  /// Values of the events of new generations, oldest first.
  private func events(_ vault: Vault) throws -> [String] {
    var values: [String] = []
    try vault.events().forEachEvent { (entry) throws(VaultError) in
      if Array(entry.name) == Self.name { values.insert(String(decoding: Array(entry.value), as: UTF8.self), at: 0) }
      return true
    }
    return values
  }

  // Defends: at every moment at which the power may go, a generation and its event are both there or neither is.
  @Test(arguments: Verb.allCases) func eventIfAndOnlyIfGeneration(_ verb: Verb) throws {
    let trace = try Trace(Trace.ordinary, seed: 3)
    let contents = trace.acknowledged[trace.acknowledged.count - 1].contents
    let disk = SimulatedDisk(trace.disk.cache)
    for seed in 1...2 { try verb.run(on: .simulated(disk, seed: UInt64(seed)), options: options()) }
    var met: Set<UInt64> = []
    for point in 0...disk.journal.count {
      var images = CrashImages(of: disk, at: point, budget: 24, seed: UInt64(point))
      for image in images.all() {
        let vault = try Vault.open(.simulated(SimulatedDisk(image), seed: 9), credential: key(), options: .reading)
        let generation = try vault.snapshot().generation
        met.insert(generation)
        #expect(try UInt64(events(vault).count) == generation - 1, "point \(point)")
        #expect(try vault.contents() == contents, "point \(point)")
      }
    }
    #expect(met == [1, 2, 3])
    _ = try disk.verify()
  }

  // Defends: the event counts what was made of the vault, is newer than what was written meanwhile, and the next write is newer
  // than it.
  @Test(arguments: Verb.allCases) func versionsGoOn(_ verb: Verb) throws {
    let trace = try Trace(Trace.ordinary, seed: 4)
    let disk = SimulatedDisk(trace.disk.cache)
    let writer = try Vault.open(.simulated(disk, seed: 1), credential: key())
    let report = try verb.run(
      on: .simulated(disk, seed: 2), options: options { try writer.commit([.put("meanwhile", [1]), .event("x", [])]) })
    #expect(report.generation == 2)
    // A handle that was open before a change of keys must be opened anew.
    let vault = try Vault.open(.simulated(disk, seed: 3), credential: key())
    #expect(try events(vault) == ["2 \(report.names) \(report.kept) \(report.superseded)"])
    let facts = try vault.facts()
    #expect(facts.last?.name == Name(bytes: Self.name) && facts[facts.count - 2].name == "x")
    #expect(facts[facts.count - 1].version == facts[facts.count - 2].version + 1)
    #expect(try vault.commit([.put("next", [])]) == [facts[facts.count - 1].version + 1])
    #expect(try disk.verify().events?.count == 4)
  }

  // Defends: a compaction that drops old events keeps its own.
  @Test func retentionKeepsTheNewEvent() throws {
    let trace = try Trace(Trace.ordinary, seed: 5)
    let disk = SimulatedDisk(trace.disk.cache)
    var retention = Retention()
    retention.eventsSince = .max
    let report = try Vault.compact(
      .simulated(disk, seed: 2), credential: key(), keeping: retention, options: options())
    #expect(report.events == 2)
    let vault = try Vault.open(.simulated(disk, seed: 3), credential: key())
    #expect(try events(vault).count == 1)
    #expect(try vault.facts().count { $0.operation == .event } == 1)
  }

  // Defends: the newest events are read from the end, each by itself, and without the index: what a vault costs that is large.
  @Test func newestEventsAreReadAlone() throws {
    let disk = SimulatedDisk()
    let writer = try Vault.create(.simulated(disk, seed: 1), credential: key())
    for _ in 0..<5 { try writer.commit((0..<1000).map { .event(Name(bytes: Array("e\($0)".utf8)), [1]) }) }
    let reader = try Vault.open(.simulated(disk, seed: 2), credential: key(), options: .reading)
    _ = try reader.events()
    disk.fail(FailurePlan(first: .max, only: .read))
    let before = disk.calls
    var names: [Name] = []
    try reader.events().forEachEvent { (entry) throws(VaultError) in
      names.append(Name(bytes: Array(entry.name)))
      return names.count < 10
    }
    #expect(names == (990..<1000).reversed().map { Name(bytes: Array("e\($0)".utf8)) })
    #expect(disk.calls - before <= 22, "\(disk.calls - before) reads")
  }
}
