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

  /// Gives itself to `body`: in the place where it lies.
  mutating func run<Result: ~Copyable>(
    _ body: (inout RecordCipher) throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    try body(&self)
  }

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
      return try lookupTag(of: name)
    } catch {
      throw VaultError(error)
    }
  }

  /// The same with OpenSSL's error.
  mutating func lookupTag(of name: Span<UInt8>) throws(CryptoError) -> LookupTag { try lookup.tag(of: name) }

  // MARK: Sealing

  /// Seals records that stand side by side and do not end the batch.
  mutating func seal(
    _ part: BatchPlan.Part, of batch: borrowing VaultBatch, at time: Int64, in generation: Generation
  ) throws(VaultError) -> LooseFrames {
    var frames = LooseFrames(at: part.place, term: term, in: generation, capacity: part.length)
    for (number, planned) in part.records.enumerated() {
      try prepare(planned, of: batch, at: time, in: generation)
      try Self.seal(plaintext, with: &cipher) { (plaintext, cipher) throws(FormatError) in
        try frames.append(plaintext, key: &cipher, nonce: part.nonces.nonce(number))
      }
    }
    return frames
  }

  /// Seals the record that ends a batch.
  ///
  /// - Returns: the frame's authTag.
  mutating func sealLast(
    _ planned: BatchPlan.Planned, of batch: borrowing VaultBatch, at time: Int64, in generation: Generation,
    into encoder: inout BatchEncoder, random: inout AnyRandomSource
  ) throws(VaultError) -> FixedBytes<16> {
    try prepare(planned, of: batch, at: time, in: generation)
    let term = term
    return try Self.seal(plaintext, with: &cipher) { (plaintext, cipher) throws(FormatError) in
      try encoder.append(.record, term: term, plaintext: plaintext, key: &cipher, random: &random, last: true)
    }
  }

  /// Seals a record of another file behind `frames`, with another place of the record before.
  ///
  /// - Parameter nonce: 24 bytes that the data key has never been used with.
  mutating func seal(
    _ original: Span<UInt8>, pointingTo previous: UInt64, nonce: Span<UInt8>, appendingTo frames: inout LooseFrames
  ) throws(VaultError) {
    try copy(original, pointingTo: previous)
    try Self.seal(plaintext, with: &cipher) { (plaintext, cipher) throws(FormatError) in
      try frames.append(plaintext, key: &cipher, nonce: nonce)
    }
  }

  /// The same for the record that ends a batch.
  ///
  /// - Returns: the frame's authTag.
  mutating func sealLast(
    _ original: Span<UInt8>, pointingTo previous: UInt64, into encoder: inout BatchEncoder,
    random: inout AnyRandomSource
  ) throws(VaultError) -> FixedBytes<16> {
    try copy(original, pointingTo: previous)
    let term = term
    return try Self.seal(plaintext, with: &cipher) { (plaintext, cipher) throws(FormatError) in
      try encoder.append(.record, term: term, plaintext: plaintext, key: &cipher, random: &random, last: true)
    }
  }

  private mutating func copy(_ original: Span<UInt8>, pointingTo previous: UInt64) throws(VaultError) {
    do {
      try Record.copy(original, pointingTo: previous, into: &plaintext)
    } catch {
      throw VaultError(error)
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
    _ planned: BatchPlan.Planned, of batch: borrowing VaultBatch, at time: Int64, in generation: Generation
  ) throws(VaultError) {
    let (operation, padding) = (batch.operations[planned.number], generation.header.padding)
    let record = operation.record(planned, at: time)
    wipe()
    do {
      try plaintext.reserve(record.plaintextLength(padding: padding))
    } catch {
      throw VaultError(error)
    }
    plaintext.append { (output) in
      record.serialize(
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

  /// Opens a frame, and gives its plaintext to `body`.
  mutating func open<Result>(
    _ frame: borrowing Frame, in generation: Generation, _ body: (Span<UInt8>) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    try frame.open(with: &cipher, in: generation, into: &plaintext)
    return try body(plaintext.span)
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
  ///   - meant: which record should stand there.
  ///   - keyring: opens a frame of another term.
  /// - Throws: `frame-damaged`; `index-damaged` when it is whole, but not the one that is meant; `chain-broken` when its term
  ///   is not in the file; `io`.
  mutating func entry(
    at offset: UInt64, meant: MeantRecord, of file: any StorageFile, in generation: Generation,
    with keyring: Keyring
  ) throws(VaultError) -> VaultEntry {
    // One read for a frame of the usual size, a second for a larger one.
    try read(guess, at: offset, of: file)
    let header: FrameHeader
    do {
      header = try self.header(at: offset, in: generation)
    } catch {
      throw VaultError(error)
    }
    if header.frameLength > bytes.count { try read(header.frameLength, at: offset, of: file) }
    guess = min(max(512, header.frameLength), 4096)
    do throws(FormatError) {
      // Held apart from the cipher, which is in use at the same time.
      let bytes = bytes
      let frame = try Frame(header, in: bytes.span)
      let plaintext: SecretBytes
      do throws(FormatError) {
        guard header.type == .record else { throw meant.isNot(header) }
        plaintext =
          header.term == term ? try frame.open(with: &cipher, in: generation) : try keyring.open(frame, in: generation)
      } catch {
        // What the checksums cover, the authTag vouches for, but for link and trailer; they are asked only to name what is
        // wrong.
        _ = try FrameHeader(parsing: bytes.span, at: offset, in: generation)
        _ = try frame.checkedTrailer()
        throw error
      }
      guard meant.fits(frame) else { throw meant.isNot(header) }
      return try VaultEntry(plaintext, at: offset, in: generation.header)
    } catch {
      throw VaultError(error)
    }
  }

  /// The header in ``bytes``, which were read from `offset` on.
  ///
  /// Its checksum is asked where the authTag will not vouch for it at once: before as many more bytes are read as it says, and to
  /// name what is wrong.
  private func header(at offset: UInt64, in generation: Generation) throws(FormatError) -> FrameHeader {
    if let header = try? FrameHeader(unchecked: bytes.span),
      header.offset == offset, header.frameLength <= bytes.count
    {
      return header
    }
    let header = try FrameHeader(parsing: bytes.span, at: offset, in: generation)
    try header.checkShape()
    return header
  }

  private mutating func read(_ count: Int, at offset: UInt64, of file: any StorageFile) throws(VaultError) {
    bytes.removeAll(keepingCapacity: true)
    try bytes.append(addingCapacity: count) { (output) throws(VaultError) in try file.read(at: offset, into: &output) }
  }
}

/// Which record should stand at a place, as far as that is known.
struct MeantRecord {
  /// The first bytes of its frame's authTag.
  var authTagPrefix: FixedBytes<6>?
  /// Those of the run of the index that names it.
  var sequences: ClosedRange<UInt64>?
  /// A replay has seen it there: then another one in its place is damage, and no fault of the index.
  var isReplayed = true

  func fits(_ frame: borrowing Frame) -> Bool {
    let hasTag = authTagPrefix.map { frame.authTag.extracting(first: 6).equals($0.span) } ?? true
    return hasTag && sequences?.contains(frame.header.sequence) ?? true
  }

  /// What is wrong with a whole frame that is another one.
  func isNot(_ header: FrameHeader) -> FormatError {
    isReplayed
      ? FormatError(.frameDamaged, "it is not the record that stood here", offset: header.offset)
      : FormatError(.indexDamaged, "the index means another record", offset: header.offset)
  }
}
