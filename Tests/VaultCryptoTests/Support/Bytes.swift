import VaultCrypto

@testable import VaultVectors

/// The bytes of a hexadecimal literal.
func hex(_ text: String) throws -> [UInt8] { try Hexadecimal.bytes(text) }

/// `count` bytes that differ from one another and from zero, always the same.
func pattern(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(seed)) | 1 }
}

extension Array<UInt8> {
  /// A copy of `bytes`, for comparisons.
  init(_ bytes: Span<UInt8>) { self = bytes.indices.map { bytes[$0] } }

  /// The same bytes with one bit changed.
  func flipping(bit: Int) -> [UInt8] {
    var changed = self
    changed[bit / 8] ^= 1 << UInt8(bit % 8)
    return changed
  }

  /// Lower-case hexadecimal.
  var hexText: String { span.hex }
}

/// The code of the error that `body` throws; nil if it throws none.
func errorCode(_ body: () throws(CryptoError) -> Void) -> CryptoError.Code? {
  do throws(CryptoError) {
    try body()
    return nil
  } catch {
    return error.code
  }
}
