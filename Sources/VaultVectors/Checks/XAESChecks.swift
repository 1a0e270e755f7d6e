private import VaultCrypto

/// A case of XAES-256-GCM, with the intermediate values of C2SP's specification.
///
/// They are computed a second time from AES-CBC and GCM under test, as the specification writes them down.
struct XAESCheck: DemandingCheck {
  /// Values between the key and the ciphertext; nil where the file does not give them.
  struct Intermediates: Sendable {
    let l: [UInt8]?
    let k1: [UInt8]?
    let m1: [UInt8]?
    let m2: [UInt8]?
    let derivedKey: [UInt8]?
  }

  let sealing: AEADCheck
  let intermediates: Intermediates

  func demand(of primitives: Primitives) throws(Verdict) {
    try sealing.demand(of: primitives)
    do throws(Verdict) {
      try demandIntermediates(of: primitives)
    } catch {
      // Without AES alone there is nothing to compute them from a second time.
      if case .notApplicable = error.outcome { return }
      throw error
    }
  }

  private func demandIntermediates(of primitives: Primitives) throws(Verdict) {
    let salt = sealing.iv.prefix(12)
    let l = try encrypt([UInt8](repeating: 0, count: 16), with: primitives)
    let k1 = Self.doubled(l)
    let m1: [UInt8] = [0, 1, 0x58, 0] + salt
    let m2: [UInt8] = [0, 2, 0x58, 0] + salt
    let derivedKey =
      try encrypt(zip(m1, k1).map { $0 ^ $1 }, with: primitives)
      + encrypt(zip(m2, k1).map { $0 ^ $1 }, with: primitives)
    try require(intermediates.l ?? l == l, "L is another")
    try require(intermediates.k1 ?? k1 == k1, "K1 is another")
    try require(intermediates.m1 ?? m1 == m1, "M1 is another")
    try require(intermediates.m2 ?? m2 == m2, "M2 is another")
    try require(intermediates.derivedKey ?? derivedKey == derivedKey, "the derived key is another")
    let sealed = try succeed("sealing with the derived key") { () throws(PrimitiveError) in
      try primitives.gcm.seal(sealing.message ?? [], derivedKey, Array(sealing.iv.dropFirst(12)), sealing.aad)
    }
    try require(sealed == sealing.sealed, "sealing with the derived key gave another ciphertext")
  }

  /// One block of AES: CBC with an IV of zeros.
  private func encrypt(_ block: [UInt8], with primitives: Primitives) throws(Verdict) -> [UInt8] {
    try succeed("AES") { () throws(PrimitiveError) in
      try primitives.plainCBC.seal(block, sealing.key, [UInt8](repeating: 0, count: 16))
    }
  }

  /// The block, shifted left by one bit, reduced by 0x87 (NIST SP 800-38B, section 6.1).
  private static func doubled(_ block: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var carry: UInt8 = 0
    for byte in block.reversed() {
      result.append(byte << 1 | carry)
      carry = byte >> 7
    }
    if carry == 1, !result.isEmpty { result[0] ^= 0x87 }
    return result.reversed()
  }
}

/// C2SP's accumulated test: inputs from one SHAKE-128 stream, outputs into another.
///
/// Each round reads key (32), nonce (24), one byte of length and that much plaintext, one byte of length and that much
/// AAD. Ten thousand rounds take a fraction of a second, a million about 320 MB of memory and well under a minute.
struct XAESAccumulatedCheck: DemandingCheck {
  let rounds: Int
  /// 32 bytes of the second stream.
  let digest: [UInt8]
  /// How the first stream begins, where the file gives it.
  let streamStart: [UInt8]

  /// More rounds are run on request alone.
  static let shortForm = 10_000
  /// No file may ask for more.
  static let longForm = 1_000_000

  /// True for more rounds than the short form has.
  package var isLong: Bool { rounds > Self.shortForm }

  func demand(of primitives: Primitives) throws(Verdict) {
    // A round reads 313 bytes on average; what is added covers the spread of few rounds as well as of many.
    let stream = try hashed { () throws(CryptoError) in
      try SHAKE128.output(of: [UInt8]().span, count: 320 * rounds + 16_384)
    }
    try require(stream.starts(with: streamStart), "the stream of inputs begins otherwise")
    var inputs = Inputs(stream: stream)
    var outputs = try Accumulator()
    for round in 0..<rounds {
      guard let input = inputs.next() else { throw .failed("the stream of inputs ends in round \(round)") }
      let sealed = try demandRoundTrip(of: input, round: round, with: primitives)
      try outputs.add(sealed)
    }
    try require(try outputs.finish() == digest, "the accumulated value is another")
  }

  private func demandRoundTrip(
    of input: Inputs.Input, round: Int, with primitives: Primitives
  ) throws(Verdict) -> Primitives.Sealed {
    let sealed = try succeed("sealing in round \(round)") { () throws(PrimitiveError) in
      try primitives.xaes.seal(input.plaintext, input.key, input.nonce, input.aad)
    }
    let opened = try succeed("opening in round \(round)") { () throws(PrimitiveError) in
      try primitives.xaes.open(sealed, input.key, input.nonce, input.aad)
    }
    try require(opened == input.plaintext, "opening gave another plaintext in round \(round)")
    return sealed
  }

  /// The inputs of one round after another, read from the stream.
  private struct Inputs {
    struct Input {
      let key: [UInt8]
      let nonce: [UInt8]
      let plaintext: [UInt8]
      let aad: [UInt8]
    }

    private let stream: [UInt8]
    private var position = 0

    init(stream: [UInt8]) { self.stream = stream }

    /// Nil when the stream is used up.
    mutating func next() -> Input? {
      guard let key = take(32), let nonce = take(24), let plaintext = takeCounted(), let aad = takeCounted() else {
        return nil
      }
      return Input(key: key, nonce: nonce, plaintext: plaintext, aad: aad)
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
      guard stream.count - position >= count else { return nil }
      defer { position += count }
      return Array(stream[position..<position + count])
    }

    private mutating func takeCounted() -> [UInt8]? {
      guard let count = take(1)?.first else { return nil }
      return take(Int(count))
    }
  }
}

/// The second stream: every ciphertext and tag, in order.
private struct Accumulator: ~Copyable {
  private var hash: SHAKE128

  init() throws(Verdict) {
    do throws(CryptoError) {
      hash = try SHAKE128()
    } catch {
      throw .failed("SHAKE-128 failed: \(error)")
    }
  }

  mutating func add(_ sealed: Primitives.Sealed) throws(Verdict) {
    do throws(CryptoError) {
      try hash.update(sealed.ciphertext.span)
      try hash.update(sealed.tag.span)
    } catch {
      throw .failed("SHAKE-128 failed: \(error)")
    }
  }

  /// 32 bytes.
  consuming func finish() throws(Verdict) -> [UInt8] {
    do throws(CryptoError) {
      return try hash.finish(count: 32)
    } catch {
      throw .failed("SHAKE-128 failed: \(error)")
    }
  }
}

/// The result of a hash, whose failure fails the case.
private func hashed(_ body: () throws(CryptoError) -> [UInt8]) throws(Verdict) -> [UInt8] {
  do throws(CryptoError) {
    return try body()
  } catch {
    throw .failed("SHAKE-128 failed: \(error)")
  }
}
