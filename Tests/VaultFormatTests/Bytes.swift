import Testing
import VaultCrypto
import VaultFormat

/// A small generator with a seed (Steele, Lea, Flood: SplitMix64), so that a failure can be run again.
struct SplitMix64: RandomNumberGenerator, RandomSource {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func fill(_ output: inout OutputSpan<UInt8>) throws(CryptoError) {
    while output.freeCapacity > 0 { output.append(UInt8(truncatingIfNeeded: next())) }
  }

  /// `count` bytes of noise.
  mutating func array(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

  /// A number from 0 up to, and without, `bound`.
  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

extension [UInt8] {
  /// Writes the low `count` bytes of `number` at `place`, big-endian.
  mutating func put(_ number: UInt64, count: Int, at place: Int) {
    for index in 0..<count {
      self[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * (count - 1 - index)))
    }
  }

  /// The big-endian number of `count` bytes at `place`.
  func number(at place: Int, count: Int) -> UInt64 {
    self[place..<place + count].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A copy with one bit changed; bits count from the highest of the first byte.
  func flipping(bit: Int) -> [UInt8] {
    var copy = self
    copy[bit / 8] ^= 0x80 >> UInt8(bit % 8)
    return copy
  }

  /// The bytes of a hexadecimal text.
  init(hex: String) {
    let digits = hex.compactMap(\.hexDigitValue)
    self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// These bytes as a secret.
  func secret() throws -> SecretBytes { try SecretBytes(copying: span) }
}

/// The code of the error that `body` throws; `nil` when it throws none.
func code(of body: () throws -> Void) -> FormatError.Code? {
  do {
    try body()
    return nil
  } catch let error as FormatError {
    return error.code
  } catch {
    Issue.record("not an error of the format: \(error)")
    return nil
  }
}

extension FormatError.Code {
  /// Every code that bytes may be refused with; `crypto-failure` is not among them.
  static let declared: Set<FormatError.Code> = [
    .wrongKey, .headerDamaged, .slotDamaged, .commitmentMismatch, .frameDamaged, .chainBroken, .indexDamaged,
    .tailDamaged, .rollback, .limitExceeded, .unsupportedVersion, .unsupportedFeature, .legacyMalformed,
    .legacyUnopened,
  ]
}

/// Checks that whatever `parse` takes, `serialize` gives back: one way to write each thing, and a declared error for the rest.
struct Canonical<Value> {
  let codes: Set<FormatError.Code>
  let parse: (Span<UInt8>) throws -> Value
  let serialize: (Value) throws -> [UInt8]

  /// Whether `bytes` are refused; records an issue when they are neither refused as they should nor written back the same.
  @discardableResult
  func refuses(_ bytes: [UInt8], _ comment: Comment) -> Bool {
    do {
      let value = try parse(bytes.span)
      let again = try serialize(value)
      #expect(again == bytes, comment)
      return false
    } catch let error as FormatError {
      #expect(codes.contains(error.code), "\(comment): \(error)")
      return true
    } catch {
      Issue.record("\(comment): \(error)")
      return true
    }
  }

  /// Tries every truncation, every single-bit flip, every byte at its extremes, and noise.
  func attack(_ bytes: [UInt8], seed: UInt64 = 1) {
    #expect(!refuses(bytes, "as it was"))
    for count in 0..<bytes.count { refuses(Array(bytes.prefix(count)), "cut to \(count)") }
    for bit in 0..<bytes.count * 8 { refuses(bytes.flipping(bit: bit), "bit \(bit)") }
    for index in bytes.indices {
      for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
        var changed = bytes
        changed[index] = value
        refuses(changed, "byte \(index) is \(value)")
      }
    }
    for count in [1, 15, 16, 17, 32] { refuses(bytes + [UInt8](repeating: 0, count: count), "\(count) zeros more") }
    var random = SplitMix64(seed: seed)
    for round in 0..<200 {
      refuses(random.array(random.below(bytes.count + 40)), "noise, seed \(seed), round \(round)")
    }
  }
}
