import Testing
import VaultEngine
import VaultLaboratory

/// The laboratory that changes vaults byte by byte and frame by frame: that it finds readers that lie. At full strength it runs
/// as `vaultlab bytes` and `vaultlab structure`.
@Suite struct BytesLaboratoryTests {
  private static let seed: UInt64 = 31

  /// Something wrong that a reader might do.
  enum Lie: CaseIterable {
    case servesWhatIsDamaged, callsItAWrongKey, hidesARecord, hidesAnEvent, servesAnOlderValue, inventsAName
    case overlooksDamage, overlooksTheEnd, overlooksThePin, refusesWhatIsTorn
  }

  /// The product's reader, with one lie.
  private static func reader(_ lie: Lie, _ sample: VaultSample) -> VaultReading {
    let truth = VaultReading.engine
    var reader = truth
    reader.open = { (bytes, key, names) in
      let isChanged = bytes != sample.bytes
      var found: Found
      do {
        found = try truth.open(bytes, key, names)
      } catch let error as VaultError where error.code.isDamage && lie == .servesWhatIsDamaged {
        return try truth.open(sample.bytes, key, names)
      } catch let error as VaultError where error.code == .slotDamaged && lie == .callsItAWrongKey {
        throw VaultError(.wrongKey, "a lie")
      }
      switch lie {
      case .hidesARecord: found.records = found.records.map { Array($0.dropLast()) }
      case .hidesAnEvent: found.events = found.events.map { Array($0.dropFirst()) }
      case .servesAnOlderValue: if found.values["alice"] != nil { found.values["alice"] = .success([1, 2, 3]) }
      case .inventsAName: found.contents = found.contents.map { $0.merging(["eve": []]) { $1 } }
      case .refusesWhatIsTorn where isChanged: throw VaultError(.tailDamaged, "a lie")
      default: break
      }
      return found
    }
    reader.check = { (bytes, key, pin) in
      if lie == .overlooksThePin { _ = try truth.open(bytes, key, []) } else { try truth.check(bytes, key, pin) }
    }
    reader.verify = { (bytes, key) in
      var verified = try truth.verify(bytes, key)
      if lie == .overlooksDamage { (verified.findings, verified.isDamaged) = ([], false) }
      if lie == .overlooksTheEnd { verified.rest = 0 }
      return verified
    }
    return reader
  }

  // Defends: what the laboratory would report, it does report: each lie of a reader is a violation, and the product has none.
  @Test func everyLieIsFound() throws {
    let sample = try VaultSample.ordinary(seed: Self.seed).attacked(.end)
    func report(_ reader: VaultReading, step: Int) -> Report {
      ByteAttack(on: [sample], reading: reader, seed: Self.seed, step: step).report()
    }
    let honest = report(.engine, step: 61)
    #expect(honest.violations.isEmpty)
    for kind in ["bit-flips", "byte-values", "truncations", "truncations-that-open", "truncations-told-by-the-pin"] {
      #expect(honest.counts[kind, default: 0] > 30, "\(kind)")
    }
    for lie in Lie.allCases { #expect(report(Self.reader(lie, sample), step: 307).violationCount > 0, "\(lie)") }
  }

  // Defends: the books that the laboratory keeps are what readers are judged by: one wrong value in them shows.
  @Test func aWrongExpectationIsReported() throws {
    let sample = try VaultSample.indexed(seed: Self.seed)
    let right = Expectation.served(sample.newest)
    func faults(_ expected: VaultLaboratory.Expectation) -> [String] {
      VaultReading.engine.faults(in: sample.bytes, expecting: expected, key: 7, names: sample.names)
    }
    #expect(faults(right).isEmpty)
    #expect(!faults(.served(sample.states[sample.states.count - 2])).isEmpty)
    #expect(!faults(.refused(VaultLaboratory.Expectation.damage)).isEmpty)
    let other = try VaultSample.ordinary(seed: Self.seed)
    #expect(!faults(.served(other.newest)).isEmpty)
    for sample in try VaultSample.all(seed: Self.seed) {
      let expected = sample.expectation(truncatedTo: sample.bytes.count)
      #expect(
        VaultReading.engine.faults(in: sample.bytes, expecting: expected, key: 7, names: sample.names).isEmpty,
        "\(sample.name)")
    }
  }

  // Defends: the oracle of files that were put together takes a vault and its beginnings for what they are, and nothing else;
  // a reader that serves two exchanged frames is found out.
  @Test func exchangedFramesAreNotAVault() throws {
    let sample = try VaultSample.ordinary(seed: Self.seed)
    let oracle = StructureOracle([sample])
    for state in sample.states {
      #expect(oracle.expectation(of: Array(sample.bytes[..<state.end])).state?.sequence == state.sequence)
    }
    let (one, other) = (sample.frames[3].range, sample.frames[6].range)
    try #require(one.count == other.count)
    var file = sample.bytes
    file.replaceSubrange(one, with: sample.bytes[other])
    file.replaceSubrange(other, with: sample.bytes[one])
    let expected = oracle.expectation(of: file)
    #expect(expected.state == nil)
    var liar = VaultReading.engine
    #expect(liar.faults(in: file, expecting: expected, key: 7, names: sample.names).isEmpty)
    liar.open = { (_, key, names) in try VaultReading.engine.open(sample.bytes, key, names) }
    #expect(!liar.faults(in: file, expecting: expected, key: 7, names: sample.names).isEmpty)
  }

  // Defends: who forges with the keys forges what a sound program would have written, down to the last byte: what is changed
  // besides is what was meant to be.
  @Test func theForgeWritesWhatItRead() throws {
    for sample in try VaultSample.all(seed: Self.seed) {
      let forge = try Forge(Array(sample.bytes[..<sample.end]), key: 7)
      #expect(try forge.file(forge.frames) == Array(sample.bytes[..<sample.end]), "\(sample.name)")
      #expect(
        try FrameFit.file(header: Array(sample.bytes[..<128]), sample.frames.map { sample.bytes[$0.range] })
          == Array(sample.bytes[..<sample.end]), "\(sample.name)")
    }
  }

  // Defends: a case that takes too long is a violation, and the slowest is named.
  @Test func aSlowCaseIsReported() {
    let clock = CaseClock(limit: .zero)
    #expect(clock.time({ "this one" }, { [] }).count == 1)
    #expect(clock.slowest.name == "this one")
    #expect(CaseClock().time({ "that one" }, { [] }).isEmpty)
  }
}
