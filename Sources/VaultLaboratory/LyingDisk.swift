import VaultEngine

/// A test of the tests: disks that leave out one sync, or do two things in the other order, at each place of a trace. The power
/// cuts must find every one of them, but those of which it is said why they can't matter.
package struct LyingDisk: Sendable {
  package let traces: [Trace]
  package let seed: UInt64
  /// States of a file at one point beyond which they are drawn.
  package let limit: Int

  package init(along traces: [Trace], seed: UInt64, limit: Int) {
    (self.traces, self.seed, self.limit) = (traces, seed, limit)
  }

  private struct Part: Sendable {
    let trace: Trace
    let lie: Lie
  }

  package func report() -> Report {
    let parts = traces.flatMap { (trace) in Lie.all(of: trace).map { Part(trace: trace, lie: $0) } }
    return Report.over(parts) { (part) in report(of: part.lie, in: part.trace) }
  }

  /// Programs with a fault planted in them, which the power cuts must find as well.
  ///
  /// - Parameter planted: what such programs did.
  package func report(planting planted: [Trace]) -> Report {
    Report.over(planted) { (trace) in
      var report = Report()
      report.count("planted faults")
      let cuts = PowerCuts(along: [trace], seed: seed, limit: limit, sampling: 0)
      if cuts.report().violationCount == 0 { report.violation("\(trace.name), seed \(seed): went unnoticed") }
      return report
    }
  }

  private func report(of lie: Lie, in trace: Trace) -> Report {
    var report = Report()
    let place = "\(trace.name), seed \(seed): \(lie.words(in: trace))"
    report.count(lie.kind)
    let isFound = isFound(lie, in: trace, place, &report)
    switch (isFound, lie.excuse(in: trace)) {
    case (true, nil): report.count("\(lie.kind): noticed")
    case (true, let excuse?): report.violation("\(place): was noticed, and yet it is said that \(excuse)")
    case (false, nil): report.violation("\(place): went unnoticed")
    case (false, let excuse?): report.count("\(lie.kind): can't matter, as \(excuse)")
    }
    return report
  }

  /// Cuts the power at each point from the lie on, up to where it is made good.
  private func isFound(_ lie: Lie, in trace: Trace, _ place: String, _ report: inout Report) -> Bool {
    var disk = trace.disks[lie.place]
    let seen = SeenStates()
    for (point, operation) in lie.journal(of: trace) {
      if let operation { disk.apply(operation) }
      var check = PointCheck(
        trace, disk, at: point, place: place, seed: seed &+ UInt64(point), seen: seen, salt: 0)
      check.hasFills = false
      check.isHasty = true
      check.run(limit: limit)
      report.count("states", check.report.counts["contract: distinct"] ?? 0)
      if check.report.violationCount > 0 { return true }
    }
    return false
  }
}

/// One thing that a disk does not do as it was told.
enum Lie: Sendable {
  /// Acknowledges the sync at a place of the journal and does nothing.
  case leavesOut(Int)
  /// Does what comes after the place first.
  case swaps(Int)

  var place: Int {
    switch self {
    case .leavesOut(let place), .swaps(let place): place
    }
  }

  var kind: String {
    switch self {
    case .leavesOut: "syncs left out"
    case .swaps: "pairs swapped"
    }
  }

  /// Every sync, and every pair of neighbours of which one is a sync or both change the same file.
  static func all(of trace: Trace) -> [Lie] {
    let journal = trace.journal
    var lies: [Lie] = []
    for (place, operation) in journal.enumerated() {
      if operation.isSync { lies.append(.leavesOut(place)) }
      let next = place + 1
      // What stands on both sides of a border belongs to two calls.
      guard next < journal.count, !trace.borders.contains(next) else { continue }
      if operation.isOrdered(before: journal[next]) { lies.append(.swaps(place)) }
    }
    return lies
  }

  /// What the disk then does, with the number of operations that the program takes for done; the power may go after each.
  ///
  /// It ends behind the next sync of the same thing, which makes the lie good, if anything does.
  func journal(of trace: Trace) -> [(point: Int, operation: DiskOperation?)] {
    let journal = trace.journal
    var steps: [(point: Int, operation: DiskOperation?)]
    // What is not yet made good.
    var open: Set<Int>
    switch self {
    case .leavesOut(let place):
      steps = [(place + 1, nil)]
      open = [place]
    case .swaps(let place):
      steps = [(place, journal[place + 1]), (place + 2, journal[place])]
      open = [place, place + 1]
    }
    for next in steps[steps.count - 1].point..<journal.count {
      steps.append((next + 1, journal[next]))
      for subject in open where journal[next].isSync && journal[next].settles(journal[subject]) { open.remove(subject) }
      if open.isEmpty { break }
    }
    return steps
  }
}

extension DiskOperation {
  /// The file whose bytes it is about.
  var file: Int? {
    switch self {
    case .write(let file, _, _), .resize(let file, _), .sync(let file), .failedSync(let file): file
    case .create, .rename, .remove, .syncDirectory, .note: nil
    }
  }

  var isSync: Bool {
    switch self {
    case .sync, .syncDirectory: true
    default: false
    }
  }

  var isNote: Bool { if case .note = self { true } else { false } }
  var isFailure: Bool { if case .failedSync = self { true } else { false } }

  /// Whether this sync brings to the disk what `other` is about.
  func settles(_ other: DiskOperation) -> Bool { file == other.file }

  /// Whether the program relies on this being done before the one that follows.
  func isOrdered(before next: DiskOperation) -> Bool {
    // The worst case of a note is that it is on the disk at once; a failed sync is no promise.
    guard !isNote, !next.isNote, !isFailure, !next.isFailure else { return false }
    if isSync || next.isSync { return true }
    guard let file, file == next.file, let mine = touched, let others = next.touched else { return false }
    return mine.overlaps(others)
  }

  /// The bytes of its file that it may change.
  private var touched: Range<Int>? {
    switch self {
    case .write(_, let offset, let bytes): offset..<offset + bytes.count
    case .resize(_, let length): length..<Int.max
    default: nil
    }
  }
}
