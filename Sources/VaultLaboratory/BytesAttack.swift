import VaultEngine
import VaultFormat

/// Changes and cuts off whole vaults, byte by byte and bit by bit, and judges what a reader makes of that.
package struct ByteAttack: Sendable {
  /// What is done to a stretch of a vault's bytes.
  private enum Kind: Sendable { case flip, overwrite, truncate }

  private struct Part: Sendable {
    let kind: Kind
    let sample: Int
    let places: Range<Int>
  }

  /// One byte of so many, where not each is given every value.
  private static let sparsity: UInt64 = 16

  private let samples: [VaultSample]
  private let reading: VaultReading
  private let clock: CaseClock
  private let seed: UInt64
  /// One byte, or one length, of so many.
  private let step: Int

  package init(
    on samples: [VaultSample], reading: VaultReading = .engine, clock: CaseClock = CaseClock(), seed: UInt64,
    step: Int = 1
  ) {
    self.samples = samples
    self.reading = reading
    self.clock = clock
    self.seed = seed
    self.step = step
  }

  /// Every bit, every byte, every length.
  package func report() -> Report {
    let stretch = 32
    let parts = [Kind.truncate, .flip, .overwrite].flatMap { (kind) in
      samples.indices.flatMap { (sample) in
        stride(from: 0, to: samples[sample].bytes.count, by: stretch).map { (start) in
          let end = min(start + stretch, samples[sample].bytes.count)
          return Part(kind: kind, sample: sample, places: start..<end)
        }
      }
    }
    var report = Report.over(parts) { (part) in self.report(on: part) }
    for sample in samples { report.count("vault-\(sample.name)-bytes", sample.bytes.count) }
    return report
  }

  private func report(on part: Part) -> Report {
    var report = Report()
    let sample = samples[part.sample]
    for place in part.places where place % step == 0 {
      switch part.kind {
      case .flip: flip(place, of: sample, &report)
      case .overwrite: overwrite(place, of: sample, &report)
      case .truncate: truncate(to: place, sample, &report)
      }
    }
    return report
  }

  private func note(_ name: @autoclosure () -> String, _ faults: [String], _ report: inout Report) {
    for fault in faults { report.violation("seed \(seed), vault \(name()): \(fault)") }
  }

  // MARK: Changed bytes

  private func flip(_ place: Int, of sample: VaultSample, _ report: inout Report) {
    for bit in 0..<8 {
      var bytes = sample.bytes
      bytes[place] ^= 1 << UInt8(bit)
      report.count("bit-flips")
      let expected = sample.expectation(changing: place, to: bytes[place])
      let name = { @Sendable in "\(sample.name), bit \(bit) of byte \(place)" }
      let faults = clock.time(name) {
        reading.faults(in: bytes, expecting: expected, key: sample.newest.key, names: sample.names)
          + pinFaults(bytes, sample, expected, place)
      }
      note(name(), faults, &report)
    }
  }

  /// Against a pin every byte up to there counts, wherever opening begins; only a page of the index may be passed over.
  private func pinFaults(
    _ bytes: [UInt8], _ sample: VaultSample, _ expected: Expectation, _ place: Int
  ) -> [String] {
    let found = reading.code(of: bytes, key: sample.newest.key, pin: sample.newest.pin)
    let isPage = sample.frame(at: place)?.type == 5
    if let found {
      let isDeclared =
        expected.refusals.contains(found) || Expectation.damage.contains(found) && place < sample.end
        || found == .rollback && isPage
      return isDeclared ? [] : ["refused as \(found) against the pin"]
    }
    let mayOpen = place >= sample.end ? expected.state != nil : isPage && expected.state != nil
    return mayOpen ? [] : ["opened against the pin"]
  }

  /// The other 247 values: the flips are among the 255.
  private func overwrite(_ place: Int, of sample: VaultSample, _ report: inout Report) {
    guard isTaken(place, of: sample) else { return }
    let old = sample.bytes[place]
    let names = [sample.names[place % sample.names.count]]
    var bytes = sample.bytes
    for change in 1...255 as ClosedRange<UInt8> where change.nonzeroBitCount > 1 {
      bytes[place] = old ^ change
      let changed = bytes
      report.count("byte-values")
      let expected = sample.expectation(changing: place, to: bytes[place])
      let name = { @Sendable in "\(sample.name), byte \(place) is \(old ^ change)" }
      let faults = clock.time(name) {
        reading.faults(in: changed, expecting: expected, key: sample.newest.key, names: names, by: [.open])
      }
      note(name(), faults, &report)
    }
    report.count("bytes-given-every-value")
  }

  private func isTaken(_ place: Int, of sample: VaultSample) -> Bool {
    switch sample.thoroughness {
    case .whole: return true
    case .end: if place >= sample.frames.last?.batchStart ?? 0 { return true }
    case .allButCiphertext: if sample.frame(at: place)?.isCiphertext(place) != true { return true }
    case .sampled: break
    }
    var random = SeededRandom(seed: seed &+ UInt64(place))
    return random.next() % Self.sparsity == 0
  }

  // MARK: Cut files

  private func truncate(to length: Int, _ sample: VaultSample, _ report: inout Report) {
    let bytes = Array(sample.bytes.prefix(length))
    report.count("truncations")
    let expected = sample.expectation(truncatedTo: length)
    let key = expected.state?.key ?? sample.newest.key
    let name = { @Sendable in "\(sample.name), cut to \(length) bytes" }
    let faults = clock.time(name) {
      reading.faults(in: bytes, expecting: expected, key: key, names: sample.names)
        + pinFaults(bytes, sample, expected.state)
    }
    note(name(), faults, &report)
    guard let state = expected.state else { return }
    report.count("truncations-that-open")
    if state.end == length, length < sample.end { report.count("truncations-that-look-whole") }
    if state.end < sample.newest.end { report.count("truncations-told-by-the-pin") }
  }

  /// What opens as an older state is told by the newest pin alone; its own pin, and older ones, still fit.
  private func pinFaults(_ bytes: [UInt8], _ sample: VaultSample, _ state: SampleState?) -> [String] {
    guard let state else { return [] }
    var faults: [String] = []
    for pinned in [state, sample.states[0], sample.newest] {
      let found = reading.code(of: bytes, key: state.key, pin: pinned.pin)
      let right: VaultError.Code? = pinned.end > state.end ? .rollback : nil
      if found != right {
        faults.append("against the pin of frame \(pinned.sequence): \(found.map { "\($0)" } ?? "opened")")
      }
    }
    return faults
  }
}
