internal import VaultCrypto
internal import VaultFormat

/// Seals and opens records under the data key of one term, on cipher contexts and buffers of its own: one thread at a time.
///
/// A ``Keyring`` keeps a few of them, so that threads don't wait for each other.
struct RecordCipher: ~Copyable, Sendable {
  let term: UInt32
  private var cipher: XAES256GCM
  private var lookup: LookupKey
  /// The plaintext of one record at a time.
  private var plaintext: SecretBytes
  /// The frame that was read last.
  private var bytes: [UInt8] = []
  /// Bytes that are read at once, in the hope that they hold the whole frame: those of the last one.
  private var guess = 512

  /// Wipes what the last record left behind.
  mutating func wipe() { plaintext.removeLast(plaintext.count) }

  /// Whether its buffers have grown so large that they should not be kept.
  var isLarge: Bool { max(plaintext.capacity, bytes.capacity) > 1 << 16 }

  init(term: UInt32, cipher: consuming XAES256GCM, lookup: consuming LookupKey) throws(CryptoError) {
    self.term = term
    self.cipher = cipher
    self.lookup = lookup
    plaintext = try SecretBytes(capacity: 1024)
  }

  /// The lookup tag of a name.
  mutating func tag(of name: Span<UInt8>) throws(VaultError) -> LookupTag {
    do {
      return try lookup.tag(of: name)
    } catch {
      throw VaultError(error)
    }
  }

  // MARK: Sealing

  /// Seals records that stand side by side and do not end the batch.
  mutating func seal(
    _ part: BatchPlan.Part, of batch: borrowing VaultBatch, in generation: Generation
  ) throws(VaultError) -> LooseFrames {
    var frames = LooseFrames(at: part.place, term: term, in: generation, capacity: part.length)
    for (number, planned) in part.records.enumerated() {
      try prepare(planned, of: batch, in: generation)
      try Self.seal(plaintext, with: &cipher) { (plaintext, cipher) throws(FormatError) in
        try frames.append(plaintext, key: &cipher, nonce: part.nonce(number))
      }
    }
    return frames
  }

  /// Seals the record that ends a batch.
  ///
  /// - Returns: the frame's authTag.
  mutating func sealLast(
    _ planned: BatchPlan.Planned, of batch: borrowing VaultBatch, in generation: Generation,
    into encoder: inout BatchEncoder, random: inout AnyRandomSource
  ) throws(VaultError) -> FixedBytes<16> {
    try prepare(planned, of: batch, in: generation)
    let term = term
    return try Self.seal(plaintext, with: &cipher) { (plaintext, cipher) throws(FormatError) in
      try encoder.append(.record, term: term, plaintext: plaintext, key: &cipher, random: &random, last: true)
    }
  }

  /// Static, as two parts of the value are in use at once.
  private static func seal<Result>(
    _ plaintext: borrowing SecretBytes, with cipher: inout XAES256GCM,
    _ body: (Span<UInt8>, inout XAES256GCM) throws(FormatError) -> Result
  ) throws(VaultError) -> Result {
    do throws(FormatError) {
      return try body(plaintext.span, &cipher)
    } catch {
      throw VaultError(error)
    }
  }

  private mutating func prepare(
    _ planned: BatchPlan.Planned, of batch: borrowing VaultBatch, in generation: Generation
  ) throws(VaultError) {
    let (operation, padding) = (planned.operation, generation.header.padding)
    wipe()
    do {
      try plaintext.reserve(planned.record.plaintextLength(padding: padding))
    } catch {
      throw VaultError(error)
    }
    plaintext.append { (output) in
      planned.record.serialize(
        name: batch.span(operation.name), value: batch.span(operation.value), padding: padding, into: &output)
    }
  }

  // MARK: Opening

  /// Opens a frame of a replay.
  ///
  /// - Throws: `chain-broken` when its term is not this one, the newest; `frame-damaged` when it does not open or holds no
  ///   record.
  mutating func open(_ frame: borrowing Frame, in generation: Generation) throws(FormatError) -> OpenedRecord {
    let header = frame.header
    guard header.term == term else {
      throw FormatError(.chainBroken, "the record is sealed under term \(header.term), which is not the newest")
    }
    try frame.open(with: &cipher, in: generation, into: &plaintext)
    let record = try Record(parsing: plaintext.span, at: header.offset, in: generation.header)
    if record.isDeflated {
      _ = try Deflate.inflate(plaintext.span.extracting(record.valueRange), limit: Limits.hardValue)
    }
    return OpenedRecord(
      record: record, tag: try Self.tag(of: record, in: plaintext, &lookup), sequence: header.sequence,
      offset: header.offset,
      authTagPrefix: FixedBytes(frame.authTag.extracting(first: 6)))
  }

  private static func tag(
    of record: Record, in plaintext: borrowing SecretBytes, _ lookup: inout LookupKey
  ) throws(FormatError) -> LookupTag {
    do {
      return try lookup.tag(of: plaintext.span.extracting(record.nameRange))
    } catch {
      throw FormatError(.cryptoFailure, error.sentence)
    }
  }

  /// Reads the record whose frame begins at `offset`.
  ///
  /// - Parameters:
  ///   - authTagPrefix: the first bytes of the frame's authTag, if they are known.
  ///   - keyring: opens a frame of another term.
  /// - Throws: `frame-damaged`; `chain-broken` when its term is not in the file; `io`.
  mutating func entry(
    at offset: UInt64, knownBy authTagPrefix: FixedBytes<6>?, of file: any StorageFile, in generation: Generation,
    with keyring: Keyring
  ) throws(VaultError) -> VaultEntry {
    // One read for a frame of the usual size, a second for a larger one.
    try read(guess, at: offset, of: file)
    let header: FrameHeader
    do {
      header = try FrameHeader(parsing: bytes.span, at: offset, in: generation)
      try header.checkShape()
    } catch {
      throw VaultError(error)
    }
    if header.frameLength > bytes.count { try read(header.frameLength, at: offset, of: file) }
    guess = min(max(512, header.frameLength), 4096)
    do throws(FormatError) {
      // Held apart from the cipher, which is in use at the same time.
      let bytes = bytes
      let frame = try Frame(header, in: bytes.span)
      let isMeant = authTagPrefix.map { frame.authTag.extracting(first: 6).equals($0.span) } ?? true
      guard header.type == .record, isMeant else { throw header.damaged("it is not the record that stood here") }
      let plaintext: SecretBytes
      do throws(FormatError) {
        plaintext =
          header.term == term ? try frame.open(with: &cipher, in: generation) : try keyring.open(frame, in: generation)
      } catch {
        // What the checksum covers, the authTag vouches for, but for the link; it is asked only to name what is wrong.
        _ = try frame.checkedTrailer()
        throw error
      }
      return try VaultEntry(plaintext, at: offset, in: generation.header)
    } catch {
      throw VaultError(error)
    }
  }

  private mutating func read(_ count: Int, at offset: UInt64, of file: any StorageFile) throws(VaultError) {
    bytes.removeAll(keepingCapacity: true)
    try bytes.append(addingCapacity: count) { (output) throws(VaultError) in try file.read(at: offset, into: &output) }
  }
}
