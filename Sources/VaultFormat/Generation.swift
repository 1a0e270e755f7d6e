package import VaultCrypto

/// What every frame of one physical file is bound to: its header, and the first link, which is a digest of that header.
package struct Generation: Sendable {
  package let header: FileHeader
  /// `link(0) = SHA-256("tokenvault/1 link" || 00 || file header)`
  package let zeroLink: Link
  /// `"tokenvault/1 frame" || 00 || link(0)`, with which the additional data of every frame begins.
  let additionalDataPrefix: FixedBytes<51>
  /// The checksum of link(0), with which every frame header's checksum begins.
  let checksumSeed: CRC32

  /// - Throws: `crypto-failure` when OpenSSL has no memory.
  package init(header: FileHeader) throws(FormatError) {
    self.header = header
    var hasher = try LinkHasher()
    zeroLink = try hasher.link(of: header.serialized().span)
    additionalDataPrefix = FixedBytes(Label.bytes("tokenvault/1 frame", zeroLink.span.array).span)
    checksumSeed = CRC32(of: zeroLink.span)
  }
}

/// SHA-256 chained over frames: 32 bytes.
package typealias Link = FixedBytes<32>

/// What is computed over all bytes of a frame, and over nothing else: so of many frames at once.
package struct FrameDigest: Equatable, Sendable {
  /// CRC-32 of the bytes before the trailer.
  let checksum: UInt32
  /// The frame's link.
  let link: Link
}

/// Computes links. One value serves one thread.
package struct LinkHasher: ~Copyable, Sendable {
  private var hash: SHA256

  /// - Throws: `crypto-failure` when OpenSSL has no memory.
  package init() throws(FormatError) { hash = try crypto { () throws(CryptoError) in try SHA256() } }

  /// `SHA-256("tokenvault/1 link" || 00 || bytes)`: of a whole frame, which holds the link before it, or of a file header.
  package mutating func link(of bytes: Span<UInt8>) throws(FormatError) -> Link {
    do {
      try hash.update(Self.prefix.span)
      try hash.update(bytes)
      return try hash.finish()
    } catch {
      throw FormatError(error)
    }
  }

  /// Of a whole frame.
  ///
  /// - Returns: `nil` when its trailer does not fit: nobody need know the link of a damaged frame.
  /// - Throws: `crypto-failure`.
  package mutating func digest(of frame: borrowing Frame) throws(FormatError) -> FrameDigest? {
    let checksum = frame.checksum
    guard (try? frame.trailer(with: checksum)) != nil else { return nil }
    return FrameDigest(checksum: checksum, link: try link(of: frame.bytes))
  }

  private static let prefix = Label.bytes("tokenvault/1 link")
}

/// The strings that keep one use of a key or a hash apart from every other (FORMAT.md, "Labels").
enum Label {
  /// The label and the zero byte that ends it, then `context`.
  static func bytes(_ label: String, _ context: [UInt8] = []) -> [UInt8] { Array(label.utf8) + [0] + context }
}
