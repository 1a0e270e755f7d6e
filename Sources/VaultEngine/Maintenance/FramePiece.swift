internal import VaultCrypto
internal import VaultFormat

/// Record frames of one term as they stand in a file, read but not opened: what one thread opens at a time.
struct FramePiece: Sendable {
  /// Frames and bytes of a piece, if no single frame is larger.
  static let limit = (frames: 256, bytes: 1 << 17)

  private(set) var bytes: [UInt8] = []
  private(set) var frames: [(header: FrameHeader, range: Range<Int>)] = []

  /// Whether another frame may be added.
  func takes(_ header: FrameHeader) -> Bool {
    guard let first = frames.first else { return true }
    return first.header.term == header.term && frames.count < Self.limit.frames
      && bytes.count + header.frameLength <= Self.limit.bytes
  }

  mutating func append(_ header: FrameHeader, _ frame: Span<UInt8>) {
    let start = bytes.count
    bytes.append(addingCapacity: frame.count) { (output) in output.append(contentsOf: frame) }
    frames.append((header, start..<bytes.count))
  }

  /// What became of a piece.
  struct Opened: Sendable {
    let block: RecordBlock
    /// Why frames do not open that were left out.
    let failures: [VaultError]
  }

  /// Opens all frames.
  ///
  /// - Parameters:
  ///   - source: of the file that they stand in.
  ///   - target: the keys of the file that they will stand in.
  ///   - isOver: asked of every put's value.
  ///   - skipsDamaged: leaves out what does not open, and says so.
  /// - Throws: the error of the first frame that does not open.
  func open(
    from source: View, for target: Keyring, isOver: (@Sendable (Span<UInt8>) -> Bool)?, skipsDamaged: Bool
  ) throws(VaultError) -> Opened {
    try source.keyring.withCipher(term: frames.first?.header.term) { (opener) throws(VaultError) in
      try target.withCipher { (tagger) throws(VaultError) in
        try open(&opener, &tagger, in: source.generation, isOver: isOver, skipsDamaged: skipsDamaged)
      }
    }
  }

  private func open(
    _ opener: inout RecordCipher, _ tagger: inout RecordCipher, in generation: Generation,
    isOver: (@Sendable (Span<UInt8>) -> Bool)?, skipsDamaged: Bool
  ) throws(VaultError) -> Opened {
    var failures: [VaultError] = []
    var builder = try crypto { () throws(CryptoError) in try RecordBlock.Builder(capacity: bytes.count) }
    for (header, range) in frames {
      do throws(FormatError) {
        let frame = try Frame(header, in: bytes.span.extracting(range))
        try opener.open(frame, in: generation) { (plaintext) throws(FormatError) in
          let record = try Record(parsing: plaintext, at: header.offset, in: generation.header)
          let isOver = try isOver.map { (isOver) throws(FormatError) in
            try Self.value(of: record, in: plaintext, says: isOver)
          }
          try Self.add(record, plaintext, &tagger, header.offset, isOver ?? false, to: &builder)
        }
      } catch {
        let failure = VaultError(error.at(offset: header.offset, sequence: header.sequence))
        guard skipsDamaged, failure.code.isDamage else { throw failure }
        failures.append(failure)
      }
    }
    return Opened(block: builder.block(), failures: failures)
  }

  private static func add(
    _ record: Record, _ plaintext: Span<UInt8>, _ tagger: inout RecordCipher, _ offset: UInt64, _ isOver: Bool,
    to builder: inout RecordBlock.Builder
  ) throws(FormatError) {
    do throws(CryptoError) {
      let tag = try tagger.lookupTag(of: plaintext.extracting(record.nameRange))
      try builder.append(record, plaintext, tag: tag, offset: offset, isOver: isOver)
    } catch {
      throw FormatError(.cryptoFailure, error.sentence)
    }
  }

  private static func value(
    of record: Record, in plaintext: Span<UInt8>, says isOver: (Span<UInt8>) -> Bool
  ) throws(FormatError) -> Bool {
    guard record.operation == .put, !record.isLegacy else { return false }
    let stored = plaintext.extracting(record.valueRange)
    guard record.isDeflated else { return isOver(stored) }
    let value = try Deflate.inflate(stored, limit: Limits.hardValue)
    return isOver(value.span)
  }
}
