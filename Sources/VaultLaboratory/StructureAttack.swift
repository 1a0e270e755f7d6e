import VaultEngine
import VaultFormat

/// Puts files together from frames, in all wrong ways, and judges what a reader makes of them.
package struct StructureAttack: Sendable {
  let reading: VaultReading
  let clock: CaseClock
  let seed: UInt64

  package init(reading: VaultReading = .engine, clock: CaseClock = CaseClock(), seed: UInt64) {
    self.reading = reading
    self.clock = clock
    self.seed = seed
  }

  /// A way to put them together. What is hostile comes first, while the process has needed little memory for anything else.
  package enum Kind: String, CaseIterable, Sendable {
    case lengths, permutations, moves, splices, forks, overlays
    case tornCheckpoints = "torn-checkpoints"
  }

  package func report(_ kinds: [Kind] = Kind.allCases) throws -> Report {
    var report = Report()
    for kind in kinds {
      switch kind {
      case .lengths: report.add(try lengths())
      case .permutations: report.add(try permutations())
      case .moves: report.add(try moves())
      case .splices: report.add(try splices())
      case .forks: report.add(try forks())
      case .overlays: report.add(try overlays())
      case .tornCheckpoints: report.add(try tornCheckpoints())
      }
    }
    return report
  }

  /// One file of which an oracle says what it is.
  struct Case {
    /// What is counted.
    let kind: String
    let name: @Sendable () -> String
    let file: [UInt8]
    var expected: Expectation
    var key: UInt8 = 7
    var names: [Name]
    var ways: VaultReading.Ways
    /// Vaults whose newest pin the file must not pass for, unless it is that vault.
    var pinned: [VaultSample] = []
  }

  /// Makes files and judges them; what making them throws is a violation, too.
  func trying(
    _ state: @autoclosure () -> String, _ report: inout Report, _ body: (inout Report) throws -> Void
  ) {
    do { try body(&report) } catch { report.violation("\(state()): \(error)") }
  }

  /// Reads a file in all ways, and counts it.
  func judge(_ attempt: Case, _ report: inout Report) {
    report.count(attempt.kind)
    if attempt.expected.state != nil { report.count("\(attempt.kind)-that-open") }
    let faults = clock.time(attempt.name) {
      reading.faults(
        in: attempt.file, expecting: attempt.expected, key: attempt.key, names: attempt.names, by: attempt.ways)
        + pinFaults(attempt)
    }
    for fault in faults { report.violation("seed \(seed), \(attempt.name()): \(fault)") }
  }

  private func pinFaults(_ attempt: Case) -> [String] {
    guard let state = attempt.expected.state else { return [] }
    var faults: [String] = []
    // What was pinned of an earlier generation is in the history of a later one.
    for vault in attempt.pinned where vault.newest.pin.generation >= state.pin.generation {
      let isThis = attempt.file.count >= vault.end && attempt.file[..<vault.end] == vault.bytes[..<vault.end]
      let found = reading.code(of: attempt.file, key: state.key, pin: vault.newest.pin)
      // A page of the index may be bad: the checkpoint that names it vouches for what is behind.
      if attempt.expected.verdict == .damagedOrIndex, found == nil { continue }
      if isThis != (found == nil) { faults.append("against a pin: \(found.map { "\($0)" } ?? "opened")") }
      if let found, found != .rollback, !Expectation.damage.contains(found) { faults.append("against a pin: \(found)") }
    }
    return faults
  }
}

extension VaultSample {
  /// The bytes of every frame.
  var parts: [ArraySlice<UInt8>] { frames.map { bytes[$0.range] } }

  var header: [UInt8] { Array(bytes.prefix(128)) }

  var zeroLink: Link {
    get throws {
      var hasher = try LinkHasher()
      return try hasher.link(of: bytes.span.extracting(first: 128))
    }
  }
}

/// Files made of whole frames, as they are or with all made right that takes no key.
enum Assembly: CaseIterable, Sendable {
  case plain, fitted

  func file(header: [UInt8], _ frames: [ArraySlice<UInt8>]) throws -> [UInt8] {
    switch self {
    case .plain: return frames.reduce(into: header) { $0 += $1 }
    case .fitted: return try FrameFit.file(header: header, frames)
    }
  }

  var ways: VaultReading.Ways { self == .plain ? [.open, .verifyWithoutKey] : [.open, .verifyWithKey] }
}
