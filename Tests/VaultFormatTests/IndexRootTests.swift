import Testing
import VaultCrypto
import VaultFormat

@Suite struct IndexRootTests {
  private let canonical = Canonical(
    codes: [.indexDamaged, .limitExceeded], parse: { try IndexRoot(parsing: $0) }, serialize: { $0.plaintext() })

  private func root(_ runs: [IndexRoot.Run], last: UInt64 = 100) -> IndexRoot {
    IndexRoot(lastSequence: last, lastVersion: 5, newestEvent: 0, runs: runs)
  }

  private func code(of root: IndexRoot) -> FormatError.Code? {
    let bytes = root.plaintext()
    return VaultFormatTests.code { _ = try IndexRoot(parsing: bytes.span) }
  }

  @Test func aRootHasOneForm() throws {
    // Defends: round trip; every truncation, flipped bit and surplus byte is refused or means itself.
    let bytes = Samples.root.plaintext()
    #expect(bytes.count == (32 + 2 * 40 + 4 * 44 + 15) / 16 * 16)
    #expect(try IndexRoot(parsing: bytes.span) == Samples.root)
    canonical.attack(bytes)
    canonical.attack(root([]).plaintext())
  }

  @Test func runsAdjoin() {
    // Defends: at most 64 runs, newest first, from the last sequence on without a gap or an overlap.
    #expect(code(of: root([Samples.run(1...100)])) == nil)
    #expect(code(of: root([Samples.run(51...100), Samples.run(1...50)])) == nil)
    #expect(code(of: root([Samples.run(1...99)])) == .indexDamaged)
    #expect(code(of: root([Samples.run(51...100), Samples.run(1...49)])) == .indexDamaged)
    #expect(code(of: root([Samples.run(51...100), Samples.run(1...51)])) == .indexDamaged)
    #expect(code(of: root([Samples.run(1...50), Samples.run(51...100)])) == .indexDamaged)
    #expect(code(of: root([Samples.run(1...100), Samples.run(1...100)])) == .indexDamaged)
    let many = (0..<64).map { Samples.run(UInt64(100 - $0)...UInt64(100 - $0)) }
    #expect(code(of: root(many)) == nil)
    var bytes = root(many).plaintext()
    for count: UInt64 in [65, 0xFFFF_FFFF] {
      bytes.put(count, count: 4, at: 24)
      #expect(VaultFormatTests.code { _ = try IndexRoot(parsing: bytes.span) } == .limitExceeded)
    }
  }

  @Test func aRootStandsWhereItWasMadeFor() {
    // Defends: what a root covers ends before its checkpoint and begins with the first frame; it names nothing behind itself, and no
    // run without entries.
    let place = FrameHeader(
      type: .indexRoot, sequence: 105, offset: 1 << 20, position: 4, term: 1, ciphertextLength: 128,
      previousLink: Samples.filled(1), newestRoot: 0)
    func code(_ root: IndexRoot) -> FormatError.Code? { VaultFormatTests.code { try root.check(isIn: place) } }
    let end = 1 << 20 - UInt64(3 * IndexPage.frameLength)
    #expect(code(root([])) == nil && code(root([Samples.run(1...100, offset: end)])) == nil)
    #expect(code(root([], last: 99)) == .indexDamaged && code(root([], last: 101)) == .indexDamaged)
    #expect(code(root([Samples.run(2...100)])) == .indexDamaged)
    #expect(code(root([Samples.run(1...100, entries: 0)])) == .indexDamaged)
    #expect(code(root([Samples.run(1...100, offset: end + 16)])) == .indexDamaged)
    for (event, expected): (UInt64, FormatError.Code?) in [((1 << 20) - 16, nil), (1 << 20, .indexDamaged)] {
      #expect(code(IndexRoot(lastSequence: 100, lastVersion: 5, newestEvent: event, runs: [])) == expected)
    }
  }

  @Test func segmentsKeepToTheirRules() {
    // Defends: page 0 first, ascending, inside the run, and 1024 pages in each but the last.
    func run(_ first: [UInt32], pages: UInt32 = 5000) -> IndexRoot {
      root([Samples.run(1...100, pages: pages, entries: 1, firstPages: first)])
    }
    #expect(code(of: run([0])) == nil && code(of: run([0, 1024])) == nil && code(of: run([0, 1024, 4999])) == nil)
    #expect(code(of: run([1])) == .indexDamaged && code(of: run([0, 0])) == .indexDamaged)
    #expect(code(of: run([0, 2048, 1024])) == .indexDamaged && code(of: run([0, 5000])) == .indexDamaged)
    #expect(code(of: run([0], pages: 0)) == .indexDamaged)
    #expect(code(of: run([0, 1023])) == .indexDamaged && code(of: run([0, 1024, 2047])) == .indexDamaged)
    var bytes = run([0]).plaintext()
    bytes.put(0, count: 2, at: 32 + 10)
    #expect(canonical.refuses(bytes, "no segments"))
    bytes.put(0xFFFF, count: 2, at: 32 + 10)
    #expect(canonical.refuses(bytes, "more segments than bytes"))
  }

  @Test func numbersKeepToTheirBounds() {
    // Defends: sequences and versions under 2^63, offsets of frames, no more entries than the pages hold.
    let good = root([Samples.run(1...100)]).plaintext()
    func refused(_ number: UInt64, at place: Int) -> Bool {
      var bytes = good
      bytes.put(number, count: 8, at: place)
      return canonical.refuses(bytes, "\(number) at \(place)")
    }
    for number: UInt64 in [1 << 63, .max] {
      #expect(refused(number, at: 8), "last version")
      #expect(refused(number, at: 56) && refused(number, at: 64), "sequences of a run")
    }
    var empty = root([], last: 1 << 63).plaintext()
    #expect(canonical.refuses(empty, "last sequence of an empty index"))
    empty = root([], last: (1 << 63) - 1).plaintext()
    #expect(!canonical.refuses(empty, "last sequence of an empty index"))
    for offset: UInt64 in [1, 8, 16, 112, 1 << 48, .max, .max - 15] { #expect(refused(offset, at: 16), "event") }
    for offset: UInt64 in [0, 1, 16, 112, 1 << 48, .max - 15] { #expect(refused(offset, at: 76), "segment \(offset)") }
    #expect(refused(0, at: 56) && refused(101, at: 56), "a run that covers nothing")
    #expect(!refused(3 * 164, at: 48) && refused(3 * 164 + 1, at: 48) && refused(.max, at: 48), "entries")
  }
}
