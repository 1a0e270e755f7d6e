internal import Synchronization
internal import VaultCrypto
internal import VaultFormat

/// What a replay keeps of a record: what it does and to which name, but not its value.
struct OpenedRecord: Sendable {
  let record: Record
  let tag: LookupTag
  let sequence: UInt64
  let offset: UInt64
  let authTagPrefix: FixedBytes<6>
}

/// Opens record frames for a replay, on keys of its own. One value serves one thread.
struct RecordOpener: ~Copyable, Sendable {
  private let term: UInt32
  private var cipher: XAES256GCM
  private var lookup: LookupKey
  /// The plaintext of one record at a time.
  private var plaintext: SecretBytes

  init(term: UInt32, cipher: consuming XAES256GCM, lookup: consuming LookupKey) throws(CryptoError) {
    self.term = term
    self.cipher = cipher
    self.lookup = lookup
    plaintext = try SecretBytes(capacity: 1024)
  }

  /// Opens one frame.
  ///
  /// - Throws: `chain-broken` when its term is not the newest; `frame-damaged` when it does not open or holds no record.
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

  /// Opens one frame of any term of this opener's, and gives its plaintext to `body`.
  mutating func open<Result>(
    _ frame: borrowing Frame, in generation: Generation, _ body: (Span<UInt8>) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    try frame.open(with: &cipher, in: generation, into: &plaintext)
    return try body(plaintext.span)
  }

  /// The lookup tag of a name.
  mutating func tag(of name: Span<UInt8>) throws(FormatError) -> LookupTag {
    do {
      return try lookup.tag(of: name)
    } catch {
      throw FormatError(.cryptoFailure, error.sentence)
    }
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
}

/// Record frames that stand side by side in memory.
struct RecordRun: Sendable {
  /// The bytes that hold them.
  let bytes: [UInt8]
  /// Where each begins in `bytes`, and the end of the last.
  let borders: [Int]
  /// Offset of `bytes` in the file.
  let start: UInt64

  /// The number of frames.
  var count: Int { borders.count - 1 }
  /// Offset in the file of what follows them.
  var end: UInt64 { start + UInt64(borders[borders.count - 1]) }

  /// Fewer frames than this are not worth a thread.
  private static let share = 128

  /// Opens all frames, on all cores if there are many.
  ///
  /// - Parameter term: the newest term before them.
  /// - Throws: the error of the first frame that does not open.
  func open(with keyring: Keyring, term: UInt32, in generation: Generation) throws(VaultError) -> [OpenedRecord] {
    let workers = count < 2 * Self.share ? 1 : min(count / Self.share, Threads.cores)
    guard workers > 1 else { return try open(0..<count, with: keyring.recordOpener(term: term), in: generation) }
    let shares = Shares(workers)
    Threads.perform(workers) { (worker) in
      let range = count * worker / workers..<count * (worker + 1) / workers
      let result = Result { () throws(VaultError) in
        try open(range, with: keyring.recordOpener(term: term), in: generation)
      }
      shares.results.withLock { $0[worker] = result }
    }
    var opened: [OpenedRecord] = []
    opened.reserveCapacity(count)
    for share in shares.results.withLock({ $0 }) {
      if let share { opened += try share.get() }
    }
    return opened
  }

  private final class Shares: Sendable {
    let results: Mutex<[Result<[OpenedRecord], VaultError>?]>

    init(_ count: Int) { results = Mutex(Array(repeating: nil, count: count)) }
  }

  private func open(
    _ range: Range<Int>, with opener: consuming RecordOpener, in generation: Generation
  ) throws(VaultError) -> [OpenedRecord] {
    var opened: [OpenedRecord] = []
    opened.reserveCapacity(range.count)
    for number in range {
      let offset = start + UInt64(borders[number])
      do throws(FormatError) {
        let frame = bytes.span.extracting(borders[number]..<borders[number + 1])
        opened.append(try opener.open(Frame(FrameHeader(accepted: frame), in: frame), in: generation))
      } catch {
        throw VaultError(error.at(offset: offset))
      }
    }
    return opened
  }
}
