import VaultEngine

/// Crashes inside what follows a crash: recovery, commits, new generations, changes of keys. Two deep: the power goes, goes
/// again while somebody goes on from there, and once more while somebody goes on from that. No nonce may seal two things in all of it.
package struct NestedCuts: Sendable {
  private let large: Int
  private let seed: UInt64
  private let rounds: Int

  /// - Parameters:
  ///   - large: bytes of the values of large commits.
  ///   - rounds: crashes to begin with.
  package init(large: Int, seed: UInt64, rounds: Int) {
    (self.large, self.seed, self.rounds) = (large, seed, rounds)
  }

  package func report() throws -> Report {
    let ledger = NonceLedger()
    let traces = try ReferenceTraces(large: large, seed: seed, ledger: ledger).all()
    var report = Report.over(Array(0..<rounds)) { (round) in
      var branch = CrashBranch(seed: seed &+ UInt64(round) &* 0xD1B5_4A32_D192_ED03, ledger: ledger)
      branch.run(traces[round % traces.count])
      return branch.report
    }
    report.add(ledger.report)
    return report
  }
}

/// One crash, and those that come after it.
private struct CrashBranch {
  private enum Step: CaseIterable {
    case commit, largeCommit, severalCommits, group, compaction, rotation, rekeying, shredding, keys, withoutNote
  }

  private static let depth = 2
  private let seed: UInt64
  private let ledger: NonceLedger
  private var random: SeededRandom
  private(set) var report = Report()

  init(seed: UInt64, ledger: NonceLedger) {
    (self.seed, self.ledger) = (seed, ledger)
    random = SeededRandom(seed: seed)
  }

  private mutating func draw(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  mutating func run(_ trace: Trace) {
    let first = trace.disks.indices.first { !trace.mayBeMissing(at: $0) } ?? 0
    let point = first + draw(trace.disks.count - first)
    let place = "seed \(seed), \(trace.name) at \(point)"
    crash(trace, at: point, depth: 0, place: place)
  }

  /// Draws a state, and holds it against what was acknowledged; then goes on from there.
  private mutating func crash(_ trace: Trace, at point: Int, depth: Int, place: String) {
    var images = CrashImages(trace.disks[point], budget: 1, seed: random.next())
    let image = images.any()
    report.count("states, \(depth + 1) crash\(depth > 0 ? "es" : "")")
    do {
      let found = try SimulatedDisk(image).held()
      let allowed = trace.allowedStates(at: point)
      guard allowed.contains(where: { $0.version == found.version && $0.contents == found.contents }) else {
        report.violation("\(place): holds \(found.words) instead of \(allowed.map(\.words))")
        return
      }
      if depth == Self.depth || draw(8) == 0 {
        report.count("writers and verifications")
        let disk = try Recovered.check(image, seed: random.next())
        ledger.take(disk.journal, on: image)
      }
      guard depth < Self.depth, depth == 0 || draw(4) == 0 else { return }
      try goOn(from: image, holding: found, depth: depth, place: place)
    } catch {
      report.violation("\(place): \(error)")
    }
  }

  private mutating func goOn(from image: DiskImage, holding held: Held, depth: Int, place: String) throws {
    let step = Step.allCases[draw(Step.allCases.count)]
    let recorder = TraceRecorder(image, holding: held, seed: random.next(), ledger: ledger)
    try perform(step, recorder)
    let next = Trace(recorder)
    for point in next.disks.indices {
      for _ in 0..<(depth == 0 ? 3 : 1) {
        crash(next, at: point, depth: depth + 1, place: "\(place), \(step) at \(point)")
      }
    }
  }

  private mutating func perform(_ step: Step, _ recorder: TraceRecorder) throws {
    switch step {
    case .commit: try recorder.commit([.put("alice", random.array(draw(700)))], to: recorder.open())
    case .largeCommit:
      let deletion = recorder.contents["bob"] == nil ? [] : [Write.delete("bob")]
      try recorder.commit([.put("large", random.array(5000))] + deletion, to: recorder.open())
    case .severalCommits:
      let vault = try recorder.open()
      for number in 0..<6 { try recorder.commit([.put("bob", random.array(100 * number))], to: vault) }
    case .group:
      let (first, second) = (random.array(draw(300)), random.array(draw(900)))
      let refused = Write.put("bob", [1], .absent)
      try recorder.commitGroup(
        behind: [.put("bob", first)],
        of: [
          GroupRequest([.put("carol", second), .event("carol", [1])]), GroupRequest([refused], refusal: .conflict),
          GroupRequest([.put("dora", first), .delete("carol")]),
        ], to: recorder.open())
    case .compaction: try ReferenceTraces.NewGeneration.compaction.make(in: recorder.environment())
    case .rotation: try ReferenceTraces.NewGeneration.rotation.make(in: recorder.environment())
    case .rekeying: try ReferenceTraces.NewGeneration.rekeying.make(in: recorder.environment())
    case .shredding: try ReferenceTraces.NewGeneration.rotation.make(in: recorder.environment(), shreds: true)
    case .keys:
      let slot = try recorder.open().addKey(key(9))
      try recorder.acknowledge()
      try recorder.open().removeKey(slot)
      try recorder.acknowledge()
    case .withoutNote:
      recorder.disk.perform(.note([]))
      try recorder.commit([.put("carol", random.array(900)), .event("carol", [1])], to: recorder.open())
    }
  }
}
