package import VaultCrypto

/// Records on their way to another generation: all stays but the place of the record before.
extension Record {
  /// Where a plaintext says ``previous``.
  private static let link = 24..<32

  /// Puts a record's plaintext with another ``previous`` into the place of what `copy` held.
  ///
  /// - Throws: an error when there is no memory.
  package static func copy(
    _ plaintext: Span<UInt8>, pointingTo previous: UInt64, into copy: inout SecretBytes
  ) throws(CryptoError) {
    copy.removeLast(copy.count)
    try copy.reserve(plaintext.count)
    copy.append { (output) in
      output.append(contentsOf: plaintext.extracting(first: link.lowerBound))
      output.append(bigEndian: previous)
      output.append(contentsOf: plaintext.extracting(link.upperBound..<plaintext.count))
    }
  }

  /// Whether two plaintexts hold the same record: operation, flags, time, version, name and value.
  package static func isSame(_ one: Span<UInt8>, as other: Span<UInt8>) -> Bool {
    one.count == other.count && one.count >= headerLength
      && one.extracting(first: link.lowerBound).equals(other.extracting(first: link.lowerBound))
      && one.extracting(link.upperBound..<one.count).equals(other.extracting(link.upperBound..<other.count))
  }
}
