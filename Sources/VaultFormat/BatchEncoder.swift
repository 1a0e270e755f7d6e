package import VaultCrypto

/// Seals the frames of one batch, in order, into one piece of bytes that is written at once (FORMAT.md, "Batches").
///
/// Many record frames are sealed faster apart, on several threads, as ``LooseFrames``, and are only linked here.
package struct BatchEncoder: ~Copyable, Sendable {
  private let generation: Generation
  private var linker: FrameLinker
  private var isEnded = false
  /// The frames so far.
  package private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - start: the end of what is in the file, between two batches.
  ///   - capacity: bytes of the batch, as far as they are known.
  package init(after start: Chain, in generation: Generation, capacity: Int = 0) throws(FormatError) {
    self.generation = generation
    linker = try FrameLinker(after: start, in: generation)
    bytes.reserveCapacity(capacity)
  }

  /// Link of the last frame so far.
  package var link: Link { linker.link }
  /// Where the next frame will stand.
  package var place: FramePlace { linker.place }
  /// Where the next frame will stand in the file.
  package var offset: UInt64 { place.offset }
  /// Number of the next frame in the batch.
  package var position: UInt32 { place.position }

  /// The chain behind the frames, each of which was accepted as a reader will: all but what was computed from the same bytes
  /// a moment before, checksums and links, was checked.
  ///
  /// - Throws: what a reader would say of the first frame that does not belong where it stands.
  package func end() throws(FormatError) -> Chain {
    if let failure = linker.failure { throw failure }
    return linker.chain
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
    var header = place.header(of: type, term: term, length: plaintext.count)
    header.previousLink = linker.link
    header.endsBatch = last
    do throws(CryptoError) {
      let nonce: FixedBytes<24> = try random.bytes()
      let generation = generation
      try bytes.append(addingCapacity: header.frameLength) { (output) throws(CryptoError) in
        try header.seal(
          plaintext, clear: clear.span, nonce: nonce.span, key: &key, in: generation, appendingTo: &output)
      }
    } catch {
      throw FormatError(error)
    }
    isEnded = last
    return try linker.complete(header, in: &bytes)
  }

  /// Appends the frame of a key slot, which was sealed apart and can't end a batch.
  package mutating func append(_ sealed: KeySlot.Sealed) throws(FormatError) {
    precondition(!isEnded)
    let header = place.header(of: .keySlot, term: 0, length: KeySlot.sealedLength)
    bytes.append(addingCapacity: header.frameLength) { (output) in
      header.serialize(into: &output)
      output.append(contentsOf: sealed.slot.clear().span)
      output.append(contentsOf: sealed.box.span)
      output.append(repeating: 0, count: FrameTrailer.length)
    }
    _ = try linker.complete(header, in: &bytes)
  }

  /// Appends record frames that were sealed for this place, none of which ends the batch.
  ///
  /// - Returns: their authTags.
  package mutating func append(_ loose: LooseFrames) throws(FormatError) -> [FixedBytes<16>] {
    precondition(loose.start == place && !isEnded)
    bytes.append(addingCapacity: loose.bytes.count) { (output) in output.append(contentsOf: loose.bytes.span) }
    var tags: [FixedBytes<16>] = []
    tags.reserveCapacity(loose.lengths.count)
    for length in loose.lengths {
      let header = place.header(of: .record, term: loose.term, length: length)
      tags.append(try linker.complete(header, in: &bytes))
    }
    return tags
  }
}

/// Carries the link and the trailers from frame to frame of a batch.
private struct FrameLinker: ~Copyable, Sendable {
  private let batchStart: UInt64
  private let generation: Generation
  private var hasher: LinkHasher
  /// Where the next frame will stand.
  private(set) var place: FramePlace
  /// The link that the next frame holds.
  private(set) var link: Link
  /// The chain up to the last frame that it takes.
  private(set) var chain: Chain
  /// Why it does not take one of them.
  private(set) var failure: FormatError?

  init(after start: Chain, in generation: Generation) throws(FormatError) {
    self.generation = generation
    batchStart = start.offset
    hasher = try LinkHasher()
    place = FramePlace(after: start)
    link = start.link
    chain = start
  }

  /// Gives the next frame, of which all but link, checksums and trailer is in `bytes`, these, and moves behind it.
  ///
  /// - Returns: its authTag.
  mutating func complete(_ header: FrameHeader, in bytes: inout [UInt8]) throws(FormatError) -> FixedBytes<16> {
    var header = header
    header.previousLink = link
    let start = Int(header.offset - batchStart)
    let end = start + header.frameLength
    var target = bytes.mutableSpan
    header.writeLink(to: &target, at: start, in: generation)
    let checksum = CRC32(of: bytes.span.extracting(start..<end - FrameTrailer.length)).value
    let trailer = FrameTrailer(total: header.frameLength, distance: end, checksum: checksum)
    target = bytes.mutableSpan
    trailer.write(to: &target, at: end - FrameTrailer.length)
    let frame = bytes.span.extracting(start..<end)
    link = try hasher.link(of: frame)
    if failure == nil {
      do throws(FormatError) {
        try chain.accept(Frame(header, in: frame), with: FrameDigest(checksum: checksum, link: link))
      } catch {
        failure = error
      }
    }
    place.advance(over: header.frameLength)
    let tag = FrameHeader.length + Int(header.clearLength) + 24
    return FixedBytes(frame.extracting(tag..<tag + 16))
  }
}
