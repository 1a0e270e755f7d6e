import Testing
import VaultCrypto
import VaultFormat

@Suite struct GenesisTests {
  private let canonical = Canonical(
    codes: [.frameDamaged], parse: { try Genesis(parsing: $0) }, serialize: { $0.plaintext() })

  @Test func aGenesisHasOneForm() throws {
    // Defends: round trip; every truncation, flipped bit and surplus byte is refused or means itself.
    let bytes = Samples.genesis.plaintext()
    #expect(try Genesis(parsing: bytes.span) == Samples.genesis)
    #expect(bytes.count % 16 == 0 && bytes[8] == 2 && bytes[9] == 10 && bytes[10] == 5)
    canonical.attack(bytes)
    let longest = String(repeating: "x", count: 255)
    let long = Genesis(created: .min, madeBy: .salvage, writer: longest, version: longest)
    let longBytes = long.plaintext()
    #expect(try Genesis(parsing: longBytes.span) == long)
  }

  @Test func aGenesisRefusesWhatIsReserved() {
    // Defends: an unknown maker, reserved bytes, lengths beyond the end, padding that is not zero or too long.
    let bytes = Samples.genesis.plaintext()
    for (place, value) in [(8, 6), (8, 255), (11, 1), (12, 1), (15, 1), (9, 255), (bytes.count - 1, 1)] {
      var changed = bytes
      changed[place] = UInt8(value)
      #expect(canonical.refuses(changed, "byte \(place) is \(value)"))
    }
    #expect(canonical.refuses(bytes + [UInt8](repeating: 0, count: 16), "a block too many"))
  }
}

@Suite struct AnchorTests {
  private let canonical = Canonical(
    codes: [.frameDamaged, .limitExceeded], parse: { try Anchor(parsing: $0) }, serialize: { $0.plaintext() })

  private func anchor(_ generations: [UInt64]) -> Anchor {
    Anchor(genesis: Samples.genesis, history: generations.map { Samples.ancestor($0) })
  }

  @Test func anAnchorHasOneForm() throws {
    // Defends: round trip with no, one, two and 64 ancestors; nothing else is taken.
    for generations in [[], [1], [5, 2], Array((1...64).reversed())] as [[UInt64]] {
      let bytes = anchor(generations).plaintext()
      #expect(try Anchor(parsing: bytes.span) == anchor(generations))
    }
    canonical.attack(anchor([5, 2]).plaintext())
    canonical.attack(anchor([]).plaintext())
  }

  @Test func theGenesisInsideHasOneForm() {
    // Defends: the length before the genesis is that of its one encoding, not of one with more or fewer zeros.
    let short = Genesis(created: 1, madeBy: .initialization, writer: "a", version: "b")
    let bytes = Anchor(genesis: short, history: []).plaintext()
    #expect(bytes.number(at: 0, count: 4) == 32)
    for length in [UInt64(18), 19, 31, 33] {
      let inner = Array(short.plaintext().prefix(Int(length)))
      var forged = [UInt8](repeating: 0, count: 4) + inner + [UInt8](repeating: 0, count: 44 - inner.count)
      forged.put(length, count: 4, at: 0)
      #expect(canonical.refuses(forged, "a genesis of \(length) bytes"))
    }
  }

  @Test func theHistoryKeepsToItsBounds() {
    // Defends: at most 64 ancestors, newest first, each number within the format's limits.
    var bytes = anchor([5, 2]).plaintext()
    let count = 4 + Samples.genesis.plaintext().count
    bytes.put(65, count: 4, at: count)
    #expect(code { _ = try Anchor(parsing: bytes.span) } == .limitExceeded)
    bytes.put(0xFFFF_FFFF, count: 4, at: count)
    #expect(code { _ = try Anchor(parsing: bytes.span) } == .limitExceeded)
    for generations: [UInt64] in [[2, 5], [2, 2], [0], [1 << 63]] {
      let refused = anchor(generations).plaintext()
      #expect(code { _ = try Anchor(parsing: refused.span) } == .frameDamaged, "\(generations)")
    }
    for place in [count + 4 + 40, count + 4 + 48] {
      bytes = anchor([5]).plaintext()
      bytes.put(1 << 63, count: 8, at: place)
      #expect(canonical.refuses(bytes, "sequence or version out of range"))
    }
    bytes = anchor([5]).plaintext()
    bytes[count + 4 + 97] = 1
    #expect(canonical.refuses(bytes, "reserved byte"))
  }
}
