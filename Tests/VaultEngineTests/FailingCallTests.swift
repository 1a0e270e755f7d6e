import Testing
import VaultLaboratory

@testable import VaultEngine

/// Disks whose n-th call fails.
@Suite struct FailingCallTests {
  /// The ways in which a call fails, each tried at every call.
  private static let plans: [@Sendable (Int) -> FailurePlan] = [
    { FailurePlan(first: $0) },
    { FailurePlan(first: $0, count: .max) },
    { FailurePlan(first: $0, writesHalf: true) },
    { FailurePlan(first: $0, count: .max, writesHalf: true) },
    { FailurePlan(first: $0, isFull: true, writesHalf: true) },
    { FailurePlan(first: $0, count: .max, isFull: true) },
    { FailurePlan(first: $0, count: .max, isFull: true, writesHalf: true) },
  ]

  private static let batch: [Write] = [.put("new", Array(repeating: 3, count: 900)), .delete("bob")]

  private static func applied(_ writes: [Write], to contents: Contents) -> Contents {
    var contents = contents
    for write in writes { write.apply(to: &contents) }
    return contents
  }

  /// A vault with a few names in it, and the same with an append that was torn.
  private static func images() throws -> (whole: DiskImage, torn: DiskImage, contents: Contents) {
    let trace = try Trace(Array(Trace.ordinary.prefix(2)), seed: 5)
    let whole = trace.disk.cache
    let vault = try Vault.open(.simulated(trace.disk, seed: 6), credential: key())
    try vault.commit([.put("torn", Array(repeating: 1, count: 2000))])
    var torn = trace.disk.cache
    for file in torn.files.keys where torn.files[file] != whole.files[file] { torn.files[file]?.removeLast(700) }
    return (whole, torn, trace.acknowledged[2].contents)
  }

  /// Checks the disk as it is, and every crash that might follow, against what was acknowledged.
  private func check(_ disk: SimulatedDisk, holds allowed: [Contents], _ place: Comment) {
    disk.fail(nil)
    do {
      var images = CrashImages(of: disk, at: disk.journal.count, budget: 16, seed: 3)
      for image in [disk.cache] + images.all() {
        let found = try Recovery(of: image, seed: 9).before
        #expect(allowed.contains(found), place)
      }
    } catch {
      Issue.record(error, place)
    }
  }

  // Defends: whichever call of a commit fails, and however, the handle works on or says that it failed; every commit that
  // returned is there, and of the one that threw everything or nothing.
  @Test(arguments: [false, true], [false, true])
  func everyCallOfACommit(isTorn: Bool, isFirst: Bool) throws {
    let (whole, torn, contents) = try Self.images()
    var failures = 0
    for (kind, plan) in Self.plans.enumerated() {
      for number in 1...1000 {
        let disk = SimulatedDisk(isTorn ? torn : whole)
        let vault = try Vault.open(.simulated(disk, seed: 8), credential: key(), options: .impatient)
        var known = contents
        if !isFirst {
          try vault.commit([.put("first", [1])])
          known["first"] = [1]
        }
        disk.fail(plan(number))
        let place: Comment = "torn \(isTorn), first \(isFirst), plan \(kind), call \(number)"
        let failed = try code { try vault.commit(Self.batch) }
        let hasReached = disk.calls >= number
        let afterwards = Self.applied(Self.batch, to: known)
        disk.fail(nil)
        let next = try code { try vault.commit([.put("next", [1])]) }
        #expect(next == nil || failed != nil && next == .handleFailed, place)
        if failed == .diskFull { #expect(next == nil, place) }
        var allowed = failed == nil ? [afterwards] : failed == .diskFull ? [known] : [known, afterwards]
        if next == nil { allowed = allowed.map { Self.applied([.put("next", [1])], to: $0) } }
        check(disk, holds: allowed, place)
        if failed != nil { failures += 1 }
        if !hasReached { break }
      }
    }
    #expect(failures > 20)
  }

  // Defends: whichever call of a creation fails, there is no vault, or a whole one that opens; another attempt works, and
  // no temporary file is left.
  @Test func everyCallOfACreation() throws {
    var failures = 0
    for (kind, plan) in Self.plans.enumerated() {
      for number in 1...1000 {
        let disk = SimulatedDisk()
        disk.fail(plan(number))
        let place: Comment = "plan \(kind), call \(number)"
        let failed = try code { _ = try Vault.create(.simulated(disk, seed: 8), credential: key()) }
        let hasReached = disk.calls >= number
        disk.fail(nil)
        if failed == .diskFull { #expect(disk.cache.names.isEmpty, place) }
        if disk.cache.names[SimulatedStorage.name] == nil {
          #expect(failed != nil, place)
          _ = try Vault.create(.simulated(disk, seed: 9), credential: key())
        }
        // Somebody who opens it and commits has the name on the disk before the commit is acknowledged.
        try Vault.open(.simulated(disk, seed: 10), credential: key()).commit([.put("first", [1])])
        check(disk, holds: [["first": [1]]], place)
        #expect(Array(disk.cache.names.keys) == [SimulatedStorage.name], place)
        if failed != nil { failures += 1 }
        if !hasReached { break }
      }
    }
    #expect(failures > 20)
  }

  // Defends: whichever call of opening and reading fails, the error is that call's and never damage; the same handle or
  // another reads everything once the disk is well, and nothing was written.
  @Test(arguments: [false, true])
  func everyCallOfReading(isTorn: Bool) throws {
    let (whole, torn, contents) = try Self.images()
    for number in 1...1000 {
      let disk = SimulatedDisk(isTorn ? torn : whole)
      disk.fail(FailurePlan(first: number))
      let failed = try code {
        let vault = try Vault.open(.simulated(disk, seed: 1), credential: key(), options: .reading)
        let read = try code { _ = try vault.contents() }
        #expect(read == nil || read == .io)
        let found = try vault.contents()
        #expect(found == contents)
      }
      #expect(failed == nil || failed == .io, "call \(number)")
      #expect(disk.journal.isEmpty)
      if disk.calls < number { break }
    }
  }

  // Defends: a handle whose sync failed acknowledges nothing more, though the disk is well again; a new handle writes.
  @Test func aFailedSyncLatches() throws {
    let (whole, _, contents) = try Self.images()
    let disk = SimulatedDisk(whole)
    let vault = try Vault.open(.simulated(disk, seed: 1), credential: key())
    try vault.commit([.put("first", [1])])
    disk.beforeNextSync { disk.fail(FailurePlan(first: 1)) }
    #expect(try code { try vault.commit(Self.batch) } == .io)
    for _ in 0..<3 { #expect(try code { try vault.commit(Self.batch) } == .handleFailed) }
    #expect(try code { _ = try vault.contents() } == .handleFailed)
    let another = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(try another.contents() == Self.applied([.put("first", [1])], to: contents))
    try another.commit(Self.batch)
  }
}
