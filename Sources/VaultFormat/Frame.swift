package import VaultCrypto

/// One whole frame in memory: header, clear part, `salt : iv : authTag : ciphertext`, trailer (FORMAT.md, "Frame").
///
/// A view of bytes that somebody else holds. Its lengths were checked; nothing else was.
package struct Frame: ~Escapable {
  /// Bytes of a frame beside its clear part and its ciphertext.
  package static let overhead = FrameHeader.length + 12 + 12 + 16 + FrameTrailer.length

  package let header: FrameHeader
  /// All bytes, from the sync to the end of the trailer.
  package let bytes: Span<UInt8>

  /// - Parameter bytes: the file's bytes from the frame on; what lies behind the frame is not looked at.
  /// - Throws: the error of ``FrameHeader/checkShape()``, or `frame-damaged` when the frame is longer than `bytes`.
  @_lifetime(copy bytes)
  package init(_ header: FrameHeader, in bytes: Span<UInt8>) throws(FormatError) {
    try header.checkShape()
    guard header.frameLength <= bytes.count else { throw header.damaged("the file ends inside it") }
    self.header = header
    self.bytes = bytes.extracting(first: header.frameLength)
  }

  /// What is not secret but authenticated: the parameters of a slot, the file header in an anchor.
  package var clear: Span<UInt8> {
    @_lifetime(copy self)
    get { bytes.extracting(FrameHeader.length..<sealedStart) }
  }

  private var sealedStart: Int { FrameHeader.length + Int(header.clearLength) }
  private var trailerStart: Int { bytes.count - FrameTrailer.length }

  /// `salt | iv | authTag | ciphertext`.
  package var sealed: Span<UInt8> {
    @_lifetime(copy self)
    get { bytes.extracting(sealedStart..<trailerStart) }
  }

  package var salt: XAES256GCM.Part { FixedBytes(bytes.extracting(sealedStart..<sealedStart + 12)) }
  package var iv: XAES256GCM.Part { FixedBytes(bytes.extracting(sealedStart + 12..<sealedStart + 24)) }

  /// 16 bytes.
  package var authTag: Span<UInt8> {
    @_lifetime(copy self)
    get { bytes.extracting(sealedStart + 24..<sealedStart + 40) }
  }

  package var ciphertext: Span<UInt8> {
    @_lifetime(copy self)
    get { bytes.extracting(sealedStart + 40..<trailerStart) }
  }

  /// The trailer, if it is one and its lengths and checksum fit this frame.
  ///
  /// - Throws: `frame-damaged`, or `slot-damaged` in a slot.
  package func checkedTrailer() throws(FormatError) -> FrameTrailer { try trailer(with: checksum) }

  /// CRC-32 of all bytes before the trailer.
  var checksum: UInt32 { CRC32(of: bytes.extracting(first: trailerStart)).value }

  /// The same as ``checkedTrailer()``, with the ``checksum`` that was computed before.
  func trailer(with checksum: UInt32) throws(FormatError) -> FrameTrailer {
    guard let trailer = FrameTrailer(parsing: bytes.extracting(trailerStart..<bytes.count)),
      Int(trailer.total) == bytes.count
    else { throw header.damaged("its trailer is damaged") }
    guard trailer.checksum == checksum else {
      throw header.damaged("its checksum does not fit")
    }
    return trailer
  }

  /// The plaintext, released only after the tag was checked.
  ///
  /// - Parameter key: the key that seals frames of this type: the wrap key, the genesis key, or the term's data key.
  /// - Throws: `frame-damaged` when the frame does not open.
  package func open(with key: inout XAES256GCM, in generation: Generation) throws(FormatError) -> SecretBytes {
    var plaintext = try SecretBytes.room(for: ciphertext.count)
    try open(with: &key, in: generation, into: &plaintext)
    return plaintext
  }

  /// The same for many frames: puts the plaintext in the place of what `plaintext` held.
  package func open(
    with key: inout XAES256GCM, in generation: Generation, into plaintext: inout SecretBytes
  ) throws(FormatError) {
    let aad = AdditionalData(header: bytes.extracting(first: FrameHeader.length), clear: clear, in: generation)
    try unseal(with: &key, authenticating: aad.span, into: &plaintext)
  }

  /// Opens the sealed part under another additional data: a key slot has its own.
  func unseal(
    with key: inout XAES256GCM, authenticating aad: Span<UInt8>, into plaintext: inout SecretBytes
  ) throws(FormatError) {
    plaintext.removeLast(plaintext.count)
    do {
      try plaintext.reserve(ciphertext.count)
      try plaintext.append { (output) throws(CryptoError) in
        try key.open(ciphertext, salt: salt, iv: iv, tag: authTag, authenticating: aad, appendingTo: &output)
      }
    } catch {
      guard error.code == .cannotOpen else { throw FormatError(error) }
      throw header.damaged("its authentication tag does not fit")
    }
  }
}

extension SecretBytes {
  /// An empty value with room for `count` bytes.
  static func room(for count: Int) throws(FormatError) -> SecretBytes {
    try crypto { () throws(CryptoError) in try SecretBytes(capacity: count) }
  }
}
