package import VaultCrypto

/// Seals the frames of one batch, in order, into one piece of bytes that is written at once (FORMAT.md, "Batches").
package struct BatchEncoder: ~Copyable, Sendable {
  private let generation: Generation
  private let start: Chain
  /// Link of the last frame so far.
  package private(set) var link: Link
  private var hasher: LinkHasher
  private var isEnded = false
  /// The frames so far.
  package private(set) var bytes: [UInt8] = []
  /// Number of the next frame in the batch.
  package private(set) var position: UInt32 = 0

  /// - Parameter start: the end of what is in the file, between two batches.
  package init(after start: Chain, in generation: Generation) throws(FormatError) {
    precondition(start.isBetweenBatches)
    self.start = start
    self.generation = generation
    link = start.link
    hasher = try LinkHasher()
  }

  /// Where the next frame will stand in the file.
  package var offset: UInt64 { start.offset + UInt64(bytes.count) }

  private func header(_ type: FrameType, term: UInt32, length: Int, last: Bool) -> FrameHeader {
    var header = FrameHeader(
      type: type, sequence: start.sequence + UInt64(position) + 1, offset: offset, position: position, term: term,
      ciphertextLength: length, previousLink: link, newestRoot: start.newestRoot)
    header.endsBatch = last
    return header
  }

  /// Seals `plaintext` and appends its frame.
  ///
  /// - Parameters:
  ///   - clear: the file header in an anchor; else nothing.
  ///   - plaintext: a multiple of 16 bytes.
  ///   - key: the key for frames of this type, with a fresh nonce from `random`.
  ///   - last: the frame ends the batch.
  /// - Returns: the frame's authTag, by which the index knows it.
  @discardableResult
  package mutating func append(
    _ type: FrameType, term: UInt32 = 0, clear: [UInt8] = [], plaintext: Span<UInt8>, key: inout XAES256GCM,
    random: inout some RandomSource & ~Copyable, last: Bool
  ) throws(FormatError) -> FixedBytes<16> {
    precondition(type != .keySlot && clear.count == type.clearLength && !isEnded)
    let header = header(type, term: term, length: plaintext.count, last: last)
    let salt: XAES256GCM.Part
    let iv: XAES256GCM.Part
    let frame: [UInt8]
    do {
      salt = try random.bytes()
      iv = try random.bytes()
      frame = try seal(header, clear: clear, salt: salt, iv: iv, plaintext: plaintext, key: &key)
    } catch {
      throw FormatError(error)
    }
    try append(frame, last: last)
    let tag = FrameHeader.length + clear.count + 24
    return FixedBytes(frame.span.extracting(tag..<tag + 16))
  }

  private func seal(
    _ header: FrameHeader, clear: [UInt8], salt: XAES256GCM.Part, iv: XAES256GCM.Part, plaintext: Span<UInt8>,
    key: inout XAES256GCM
  ) throws(CryptoError) -> [UInt8] {
    let generation = generation
    return try [UInt8](capacity: header.frameLength) { (output) throws(CryptoError) in
      header.serialize(into: &output, in: generation)
      let aad = Frame.additionalData(header: output.span, clear: clear.span, in: generation)
      output.append(contentsOf: clear.span)
      output.append(contentsOf: salt.span)
      output.append(contentsOf: iv.span)
      try key.seal(plaintext, salt: salt, iv: iv, authenticating: aad.span, appendingTo: &output)
      finish(header, &output)
    }
  }

  /// Appends the frame of a key slot, which was sealed apart and can't end a batch.
  package mutating func append(_ sealed: KeySlot.Sealed) throws(FormatError) {
    precondition(!isEnded)
    let header = header(.keySlot, term: 0, length: KeySlot.sealedLength, last: false)
    let generation = generation
    let frame = [UInt8](capacity: header.frameLength) { (output) in
      header.serialize(into: &output, in: generation)
      output.append(contentsOf: sealed.slot.clear().span)
      output.append(contentsOf: sealed.box.span)
      finish(header, &output)
    }
    try append(frame, last: false)
  }

  private func finish(_ header: FrameHeader, _ output: inout OutputSpan<UInt8>) {
    let trailer = FrameTrailer(
      total: header.frameLength, distance: bytes.count + header.frameLength, checksum: CRC32(of: output.span).value)
    trailer.serialize(into: &output)
  }

  private mutating func append(_ frame: [UInt8], last: Bool) throws(FormatError) {
    link = try hasher.link(of: frame.span)
    bytes += frame
    position += 1
    isEnded = last
  }
}
