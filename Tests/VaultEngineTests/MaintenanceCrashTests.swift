import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// New generations that are interrupted: by the power, by calls that fail, by a disk without room, by the end of the process.
@Suite struct MaintenanceCrashTests {
  private static let seed: UInt64 = 2027

  /// A vault with a history, and what it holds.
  private static func vault() throws -> (disk: SimulatedDisk, contents: Contents) {
    let trace = try Trace(Trace.ordinary, seed: seed)
    return (SimulatedDisk(trace.disk.cache), trace.acknowledged[trace.acknowledged.count - 1].contents)
  }

  // Defends: whenever the power goes while a new generation is made, or while the next is, and whatever part of what was not
  // synced is on the disk, there is one vault, whole, that holds what it held; a writer goes on and sweeps what is left.
  @Test(arguments: Verb.allCases) func everyPoint(_ verb: Verb) throws {
    let (disk, contents) = try Self.vault()
    for seed in 1...2 { try verb.run(on: .simulated(disk, seed: UInt64(seed))) }
    var generations: Set<UInt64> = []
    var states = 0
    for point in 0...disk.journal.count {
      var images = CrashImages(of: disk, at: point, budget: 96, seed: Self.seed &+ UInt64(point))
      for image in images.all() {
        states += 1
        let place: Comment = "point \(point) of \(disk.journal.count), state \(states)"
        do {
          let recovery = try Recovery(of: image, seed: 1000 + UInt64(states))
          #expect(recovery.before == contents, place)
          #expect(recovery.disk.cache.names.keys.allSatisfy { !$0.contains(".tmp-") }, place)
          generations.insert(try MaintenanceTests.view(of: recovery.disk).generation.header.generation)
        } catch {
          Issue.record(error, place)
        }
      }
    }
    #expect(generations == [1, 2, 3] && states > 200, "\(states) states")
  }

  // Defends: a power cut after a write that was acknowledged while a new generation was made never loses that write.
  @Test(arguments: Verb.allCases) func writesMeanwhile(_ verb: Verb) throws {
    let (disk, contents) = try Self.vault()
    let writer = try Vault.open(.simulated(disk, seed: 1), credential: key())
    try verb.run(
      on: .simulated(disk, seed: 2),
      options: .doing { try writer.commit([.put("meanwhile", [1]), .put("alice", [2])]) })
    var after = contents
    after["meanwhile"] = [1]
    after["alice"] = [2]
    let renamed = disk.journal.firstIndex { if case .rename = $0 { true } else { false } } ?? 0
    for point in stride(from: 0, through: disk.journal.count, by: 1) {
      var images = CrashImages(of: disk, at: point, budget: 32, seed: Self.seed)
      for image in images.all() {
        let found = try Recovery.contents(of: image)
        #expect(found == after || point <= renamed && found == contents, "point \(point)")
      }
    }
  }

  // Defends: whichever call fails, and however, the vault holds what it held, in the old file or the new one, another attempt
  // works, and no temporary file is left.
  @Test(arguments: Verb.allCases) func everyCall(_ verb: Verb) throws {
    let plans: [(Int) -> FailurePlan] = [
      { FailurePlan(first: $0) },
      { FailurePlan(first: $0, count: .max) },
      { FailurePlan(first: $0, count: .max, isFull: true, writesHalf: true) },
      { FailurePlan(first: $0, count: .max, isKill: true) },
    ]
    var failures = 0
    for (kind, plan) in plans.enumerated() {
      for number in 1...1000 {
        let (disk, contents) = try Self.vault()
        disk.fail(plan(number))
        let place: Comment = "plan \(kind), call \(number)"
        let failed = try code { _ = try verb.run(on: .simulated(disk, seed: 3)) }
        let hasReached = disk.calls >= number
        disk.fail(nil)
        if failed != nil { failures += 1 }
        if failed == .diskFull { #expect(Array(disk.cache.names.keys) == [SimulatedStorage.name], place) }
        if number % 4 == 0 {
          var images = CrashImages(of: disk, at: disk.journal.count, budget: 8, seed: 3)
          for image in images.all() { #expect(try Recovery(of: image, seed: 9).before == contents, place) }
        }
        #expect(try Recovery.contents(of: disk.cache) == contents, place)
        try verb.run(on: .simulated(disk, seed: 4))
        #expect(try Recovery.contents(of: disk.cache) == contents, place)
        #expect(Array(disk.cache.names.keys) == [SimulatedStorage.name], place)
        if !hasReached { break }
      }
    }
    #expect(failures > 50)
  }

  // Defends: an append that a crash tore is not taken over into a new generation, and kept aside.
  @Test(arguments: Verb.allCases) func aTornTail(_ verb: Verb) throws {
    let (whole, contents) = try Self.vault()
    try Vault.open(.simulated(whole, seed: 1), credential: key()).commit([
      .put("torn", Array(repeating: 1, count: 2000))
    ])
    var image = whole.cache
    for file in image.files.keys { image.files[file]?.removeLast(700) }
    let disk = SimulatedDisk(image)
    try verb.run(on: .simulated(disk, seed: 2))
    #expect(try Recovery.contents(of: disk.cache) == contents)
    #expect(disk.cache.names.keys.contains { $0.hasPrefix("vault.torn-") })
  }

  // Defends: damage in a record refuses a new generation, with its place, and changes nothing; left out on request, it is
  // listed, and neither the deletion that it may have been nor the value before it comes back to life.
  @Test(arguments: Verb.allCases) func aDamagedRecord(_ verb: Verb) throws {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    var victim: UInt64 = 0
    for round in 0..<5 {
      if round == 2 { victim = try MaintenanceTests.view(of: disk).chain.offset }
      try vault.commit((0..<40).map { .put(Name(bytes: Array("name \($0)".utf8)), [UInt8(round)]) })
    }
    // The deletion stands before a root that covers it, and is damaged.
    let deletion = try MaintenanceTests.view(of: disk).chain.offset
    try vault.commit([.delete("name 7")])
    try vault.commit((0..<200).map { .put(Name(bytes: Array("other \($0)".utf8)), [1]) })
    let contents = try vault.contents()
    for place in [victim, deletion] {
      var image = disk.cache
      for file in image.files.keys { image.files[file]?[Int(place) + 130] ^= 1 }
      let damaged = SimulatedDisk(image)
      var failure: VaultError?
      do {
        try verb.run(on: .simulated(damaged, seed: 2))
      } catch let error as VaultError {
        failure = error
      }
      #expect(failure?.code == .frameDamaged && failure?.offset == place)
      #expect(damaged.cache.files.count == 2 && damaged.cache[SimulatedStorage.name] == image[SimulatedStorage.name])
      var options = MaintenanceOptions.impatient
      options.skipsDamaged = true
      let report = try verb.run(on: .simulated(damaged, seed: 3), options: options)
      #expect(report.damaged.map(\.offset) == [place])
      #expect(try Recovery.contents(of: damaged.cache) == contents)
      _ = try damaged.verify()
    }
  }
}
