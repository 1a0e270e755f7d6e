internal import VaultCrypto
internal import VaultFormat

/// Random bytes of a scenario: block k of 1024 bytes is SHAKE-128 of `seed || u32 k`. The same seed gives the same vault.
struct ScenarioRandom: Sendable {
  private static let block = 1024

  private let seed: [UInt8]
  private var number: UInt32 = 0
  private var rest: ArraySlice<UInt8> = []

  init(seed: [UInt8]) { self.seed = seed }

  /// The next `count` bytes.
  mutating func bytes(_ count: Int) throws(CryptoError) -> [UInt8] {
    while rest.count < count {
      let input = seed + bigEndian(number)
      rest += try SHAKE128.output(of: input.span, count: Self.block)
      number += 1
    }
    let drawn = rest.prefix(count)
    rest = rest.dropFirst(count)
    return Array(drawn)
  }
}

/// The bytes of a number, the most significant first.
func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> Number(8 * $0)) }
}
