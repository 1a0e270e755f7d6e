import VaultCrypto
import VaultLaboratory

/// Random bytes for so many draws, and no more.
struct EndingRandom: RandomSource, Sendable {
  var random: SeededRandom
  var left: Int

  mutating func fill(_ output: inout OutputSpan<UInt8>) throws(CryptoError) {
    left -= 1
    // A derivation that can't be made is an error like another.
    if left < 0 { _ = try KeyDerivation.hkdfSHA256(keyMaterial: Span(), salt: Span(), info: Span(), count: 0) }
    try random.fill(&output)
  }
}
