package import VaultCrypto

/// Where the next frame of a batch will stand. Lengths alone decide it: it is known before anything is sealed.
package struct FramePlace: Equatable, Sendable {
  /// Offset in the file.
  package private(set) var offset: UInt64
  private var sequence: UInt64
  /// Number in the batch.
  package private(set) var position: UInt32 = 0
  private let newestRoot: UInt64

  /// - Parameter start: between two batches.
  init(after start: Chain) {
    precondition(start.isBetweenBatches)
    offset = start.offset
    sequence = start.sequence + 1
    newestRoot = start.newestRoot
  }

  /// Moves behind a frame of `length` bytes.
  package mutating func advance(over length: Int) {
    offset += UInt64(length)
    sequence += 1
    position += 1
  }

  /// The header of a frame that stands here, does not end its batch, and links to nothing yet.
  ///
  /// - Parameter length: bytes of the ciphertext.
  func header(of type: FrameType, term: UInt32, length: Int) -> FrameHeader {
    FrameHeader(
      type: type, sequence: sequence, offset: offset, position: position, term: term, ciphertextLength: length,
      previousLink: Link(), newestRoot: newestRoot)
  }
}

/// Record frames of one batch that stand side by side and were sealed apart from those before them: only their links and
/// checksums are missing, which need those. ``BatchEncoder/append(_:)-(LooseFrames)`` fills them in.
///
/// None of them may end its batch: the authTag of the frame that does vouches for the link before it.
package struct LooseFrames: Sendable {
  /// Bytes of a frame's nonce: salt and iv.
  package static let nonceLength = 24

  /// Where the first one stands.
  let start: FramePlace
  /// Where the next one will stand.
  private var place: FramePlace
  let term: UInt32
  private let generation: Generation
  private(set) var bytes: [UInt8] = []
  /// Bytes of each frame's ciphertext.
  private(set) var lengths: [Int] = []

  /// - Parameters:
  ///   - capacity: bytes that they will have together.
  ///   - term: of the data key that seals them all.
  package init(at place: FramePlace, term: UInt32, in generation: Generation, capacity: Int) {
    start = place
    self.place = place
    self.term = term
    self.generation = generation
    bytes.reserveCapacity(capacity)
  }

  /// Seals one record behind the others.
  ///
  /// - Parameters:
  ///   - plaintext: a multiple of 16 bytes.
  ///   - key: the data key of the term.
  ///   - nonce: 24 bytes that this key has never been used with.
  package mutating func append(
    _ plaintext: Span<UInt8>, key: inout XAES256GCM, nonce: Span<UInt8>
  ) throws(FormatError) {
    let header = place.header(of: .record, term: term, length: plaintext.count)
    let generation = generation
    do throws(CryptoError) {
      try bytes.append(addingCapacity: header.frameLength) { (output) throws(CryptoError) in
        try header.seal(plaintext, clear: Span(), nonce: nonce, key: &key, in: generation, appendingTo: &output)
      }
    } catch {
      throw FormatError(error)
    }
    lengths.append(plaintext.count)
    place.advance(over: header.frameLength)
  }
}

extension FrameHeader {
  /// Appends the frame with `plaintext` sealed in it, and zeros in the place of the header's checksum and the trailer.
  ///
  /// - Parameter nonce: salt and iv, 24 bytes.
  func seal(
    _ plaintext: Span<UInt8>, clear: Span<UInt8>, nonce: Span<UInt8>, key: inout XAES256GCM, in generation: Generation,
    appendingTo output: inout OutputSpan<UInt8>
  ) throws(CryptoError) {
    let start = output.count
    serialize(into: &output)
    let aad = AdditionalData(header: output.span.extracting(start..<output.count), clear: clear, in: generation)
    output.append(contentsOf: clear)
    output.append(contentsOf: nonce)
    try key.seal(
      plaintext, salt: FixedBytes(nonce.extracting(0..<12)), iv: FixedBytes(nonce.extracting(12..<24)),
      authenticating: aad.span, appendingTo: &output)
    output.append(repeating: 0, count: FrameTrailer.length)
  }
}
