import Testing
import VaultLaboratory

@testable import VaultEngine

/// Power cuts on a simulated disk.
@Suite struct CrashTests {
  private static let seed: UInt64 = 2026

  /// Opens every crash image of a trace, and compares what it holds with what was acknowledged.
  ///
  /// - Returns: the images with a vault in them, and how many held the commit in flight.
  private func check(_ trace: Trace, budget: Int) -> (states: Int, inFlight: Int) {
    var (states, inFlight) = (0, 0)
    for point in 0...trace.disk.journal.count {
      let allowed = trace.allowed(at: point)
      var images = CrashImages(of: trace.disk, at: point, budget: budget, seed: Self.seed &+ UInt64(point))
      for image in images.all() {
        let place = Comment(rawValue: "seed \(Self.seed), point \(point), state \(states)")
        guard image[SimulatedStorage.name] != nil else {
          #expect(allowed.isEmpty, place)
          continue
        }
        states += 1
        do {
          let found = try Recovery(of: image, seed: UInt64(states)).before
          #expect(allowed.isEmpty ? found.isEmpty : allowed.contains(found), place)
          if allowed.count > 1, found == allowed[1] { inFlight += 1 }
        } catch {
          Issue.record(error, place)
        }
      }
    }
    return (states, inFlight)
  }

  // Defends: whenever the power goes, and whatever part of what was not synced is on the disk, the vault opens for a
  // reader and for a writer, and holds every acknowledged commit and at most the one in flight, whole.
  @Test func everyPointAndEverySubsetOfSectors() throws {
    let (states, inFlight) = check(try Trace(Trace.ordinary, seed: Self.seed), budget: 1 << 11)
    #expect(states > 1000 && inFlight > 0, "\(states) states, \(inFlight) with the commit in flight")
  }

  // Defends: the same when each commit is another process's, and begins with the last batch written again.
  @Test func everyPointWithAHandlePerCommit() throws {
    let (states, inFlight) = check(try Trace(Trace.ordinary, reopening: true, seed: Self.seed), budget: 1 << 8)
    #expect(states > 200 && inFlight > 0, "\(states) states, \(inFlight) with the commit in flight")
  }

  // Defends: a batch of a process that was killed before its sync is on the disk before another one builds on it.
  @Test func aKilledProcessAndThenThePower() throws {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).commit([.put("alice", [1])])
    var allowed: [Contents] = [["alice": [1]]]
    var states = 0
    for round in 0..<4 {
      let start = disk.journal.count
      let killed = try Vault.open(.simulated(disk, seed: UInt64(round) + 2), credential: key())
      let value = [UInt8](repeating: UInt8(round), count: 700)
      // Of the two syncs of a commit that finds no note, the second is that of its own batch.
      disk.perform(.note([]))
      disk.beforeNextSync { disk.beforeNextSync { disk.fail(FailurePlan(first: 1, count: .max, isKill: true)) } }
      #expect(try code { try killed.commit([.put("bob", value), .put("carol", value)]) } == .io)
      disk.fail(nil)
      let writer = try Vault.open(.simulated(disk, seed: UInt64(round) + 20), credential: key())
      try writer.commit([.put("dora", value)])
      var attempted = allowed[allowed.count - 1]
      attempted["bob"] = value
      attempted["carol"] = value
      var done = attempted
      done["dora"] = value
      allowed = [allowed[allowed.count - 1], attempted, done]
      for point in start...disk.journal.count {
        var images = CrashImages(of: disk, at: point, budget: 128, seed: Self.seed)
        for image in images.all() {
          states += 1
          let place: Comment = "round \(round), point \(point) of \(disk.journal.count), state \(states)"
          do {
            let found = try Recovery(of: image, seed: UInt64(states)).before
            #expect(point == disk.journal.count ? found == done : allowed.contains(found), place)
          } catch {
            Issue.record(error, place)
          }
        }
      }
    }
    #expect(states > 100)
  }

  // Defends: the power may go while a writer cuts off what a killed one had half written: also when the file system has emptied
  // what is behind the cut and not yet shortened the file. Wherever in a sector the cut is, the vault opens.
  @Test(arguments: [1, 150, 300]) func aTornTailIsCutAndThenThePower(size: Int) throws {
    let disk = SimulatedDisk()
    let known: Contents = ["alice": Array(repeating: 1, count: size)]
    try Vault.create(.simulated(disk, seed: 1), credential: key()).commit([.put("alice", known["alice"] ?? [])])
    let killed = try Vault.open(.simulated(disk, seed: 2), credential: key())
    disk.fail(FailurePlan(first: 1, only: .write, count: .max, isKill: true, writesHalf: true))
    #expect(try code { try killed.commit([.put("bob", Array(repeating: 2, count: 2400))]) } == .io)
    disk.fail(nil)
    let start = disk.journal.count
    try Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put("carol", [3])])
    var done = known
    done["carol"] = [3]
    var states = 0
    for point in start...disk.journal.count {
      var images = CrashImages(of: disk, at: point, budget: 512, seed: Self.seed)
      for image in images.all() {
        states += 1
        let place: Comment = "point \(point) of \(disk.journal.count), state \(states)"
        do {
          let found = try Recovery(of: image, seed: UInt64(states)).before
          #expect(found == done || point < disk.journal.count && found == known, place)
        } catch {
          Issue.record(error, place)
        }
      }
    }
    #expect(states > 50)
  }

  // Defends: the newest write cut at any byte is an interrupted append, and a writer goes on behind it.
  @Test func theNewestWriteCutAtEveryByte() throws {
    let trace = try Trace(Trace.ordinary, seed: Self.seed)
    var states = 0
    var image = DiskImage()
    for (point, operation) in trace.disk.journal.enumerated() {
      if case .write(let file, let offset, let bytes) = operation, offset > 0 {
        let expected = trace.allowed(at: point)[0]
        // Where zeros were allocated, they stand behind the cut: a sector torn inside would be damage.
        let isOverwritten = image.files[file, default: []].count >= offset + bytes.count
        for length in stride(from: 0, to: bytes.count, by: bytes.count > 2000 ? 16 : 1) {
          guard !isOverwritten || (offset + length) % CrashImages.sector == 0 else { continue }
          states += 1
          var cut = image
          cut.files[file, default: []].overwrite(at: offset, with: bytes[..<length])
          let vault = try Vault.open(.simulated(SimulatedDisk(cut), seed: 1), credential: key())
          #expect(try vault.contents() == expected, "commit at byte \(offset) cut to \(length)")
          guard length % 48 == 0 else { continue }
          #expect(try Recovery(of: cut, seed: UInt64(states)).before == expected)
        }
      }
      image.apply(operation)
    }
    #expect(states > 1000)
  }

  // Defends: a crash while a crash is being recovered from, and again while that is, loses nothing: keeping the torn tail,
  // the cut, the last batch written again and the append may stop anywhere.
  @Test func crashesInsideRecovery() throws {
    let trace = try Trace(Array(Trace.ordinary.prefix(5)), reopening: true, seed: Self.seed)
    var random = SeededRandom(seed: Self.seed)
    var counts = [0, 0, 0]
    for point in 0...trace.disk.journal.count where !trace.allowed(at: point).isEmpty {
      var images = CrashImages(of: trace.disk, at: point, budget: 64, seed: Self.seed)
      for image in images.all().shuffled(using: &random).prefix(4) {
        try checkDeeper(image, depth: 0, random: &random, counts: &counts)
      }
    }
    #expect(counts[2] > 500)
  }

  private func checkDeeper(
    _ image: DiskImage, depth: Int, random: inout SeededRandom, counts: inout [Int]
  ) throws {
    counts[depth] += 1
    let recovery = try Recovery(of: image, seed: random.next())
    guard depth < 2 else { return }
    for point in 0...recovery.disk.journal.count {
      var images = CrashImages(of: recovery.disk, at: point, budget: 64, seed: random.next())
      for image in images.all().shuffled(using: &random).prefix(depth == 0 ? 4 : 1) {
        let place: Comment = "seed \(Self.seed), depth \(depth), point \(point) of \(recovery.disk.journal)"
        do {
          let found = try Recovery.contents(of: image)
          let isDone = point == recovery.disk.journal.count
          #expect(found == recovery.after || !isDone && found == recovery.before, place)
          try checkDeeper(image, depth: depth + 1, random: &random, counts: &counts)
        } catch {
          Issue.record(error, place)
        }
      }
    }
  }
}

/// A vault found after a crash, and a writer that commits one batch more.
struct Recovery {
  let disk: SimulatedDisk
  /// What a reader finds in the image.
  let before: Contents
  /// What the vault holds with the writer's batch.
  let after: Contents

  init(of image: DiskImage, seed: UInt64) throws {
    before = try Self.contents(of: image)
    disk = SimulatedDisk(image)
    let vault = try Vault.open(.simulated(disk, seed: seed), credential: key())
    let addition = [Write.put("after the crash", Array("\(seed)".utf8)), .put("alice", [0xAA])]
    try vault.commit(addition)
    var after = before
    for write in addition { write.apply(to: &after) }
    self.after = after
    #expect(try vault.contents() == after)
    #expect(try Self.contents(of: disk.cache) == after)
  }

  /// What a reader finds, who must leave the disk alone.
  static func contents(of image: DiskImage) throws -> Contents {
    let disk = SimulatedDisk(image)
    let vault = try Vault.open(.simulated(disk, seed: 0), credential: key(), options: .reading)
    let contents = try vault.contents()
    #expect(disk.journal.isEmpty, "a reader changed the disk")
    return contents
  }
}
