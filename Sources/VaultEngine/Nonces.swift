internal import VaultCrypto
internal import VaultFormat

/// Fresh random bytes for frames that are sealed apart from one another, drawn at once: little is drawn slowly.
struct Nonces: Sendable {
  private let bytes: [UInt8]

  /// - Throws: `crypto-failure`.
  init(count: Int, random: inout AnyRandomSource) throws(VaultError) {
    bytes = try crypto { () throws(CryptoError) in
      try [UInt8](capacity: count * LooseFrames.nonceLength) { (output) throws(CryptoError) in
        try random.fill(&output)
      }
    }
  }

  /// The nonce of one of the frames.
  @_lifetime(borrow self)
  func nonce(_ number: Int) -> Span<UInt8> {
    let start = number * LooseFrames.nonceLength
    return bytes.span.extracting(start..<start + LooseFrames.nonceLength)
  }
}
