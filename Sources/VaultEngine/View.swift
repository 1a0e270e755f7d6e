internal import VaultCrypto
internal import VaultFormat

/// What is known of one generation up to a batch border: all that a read needs. A value: a copy is a snapshot.
struct View: Sendable {
  let file: any StorageFile
  let generation: Generation
  let keyring: Keyring
  /// The end of the last batch that was taken in.
  private(set) var chain: Chain
  /// Where that batch begins.
  private(set) var lastBatch: UInt64
  private(set) var index = NameIndex()
  /// The newest version; the next write has one more.
  private(set) var lastVersion: UInt64 = 0
  /// Offset of the newest event; 0 if there is none.
  private(set) var newestEvent: UInt64 = 0
  /// Records taken in, deletions and events among them.
  private(set) var records: UInt64 = 0
  /// The genesis frame's plaintext, which every anchor repeats.
  private var genesis: Genesis?
  /// The generation before this one, if an anchor told.
  private var parent: UInt64?

  /// Before the first frame.
  init(file: any StorageFile, generation: Generation, keyring: Keyring) {
    self.file = file
    self.generation = generation
    self.keyring = keyring
    chain = Chain(startOf: generation)
    lastBatch = chain.offset
  }

  // MARK: Replay

  /// Opens every frame up to the end of `walk`, which went from this view's end over whole batches, and takes it in.
  ///
  /// After an error the view is of no use any more: it may hold half a batch.
  mutating func replay(_ walk: Walk, _ window: inout FileWindow) throws(VaultError) {
    guard let newest = walk.lastBatch else { return }
    index.reserve(index.count + Int(clamping: walk.records))
    var offset = chain.offset
    while offset < walk.committed.offset {
      let header = try window.acceptedHeader(at: offset)
      try window.load(at: offset, count: header.frameLength)
      do {
        try take(Frame(header, in: window.bytes(at: offset, count: header.frameLength)))
      } catch {
        throw VaultError(error.at(offset: offset, sequence: header.sequence))
      }
      offset += UInt64(header.frameLength)
    }
    chain = walk.committed
    lastBatch = newest
    if generation.header.generation > 1, parent != generation.header.generation - 1 {
      throw VaultError(
        .chainBroken, "the file is a copy that was never finished: no checkpoint tells of the generation before it")
    }
  }

  private mutating func take(_ frame: borrowing Frame) throws(FormatError) {
    let header = frame.header
    if header.type == .keySlot {
      _ = try KeySlot(parsing: frame.clear)
      return
    }
    if header.type == .record { return try take(record: frame) }
    let plaintext = try keyring.open(frame, in: generation)
    switch header.type {
    case .dataKey: try keyring.accept(dataKey: plaintext.span)
    case .genesis: genesis = try Genesis(parsing: plaintext.span)
    case .anchor: try take(anchor: plaintext.span, of: frame)
    default: break
    }
  }

  private mutating func take(anchor plaintext: Span<UInt8>, of frame: borrowing Frame) throws(FormatError) {
    let anchor = try Anchor(parsing: plaintext)
    guard anchor.genesis == genesis, frame.clear.equals(generation.header.serialized().span) else {
      throw frame.header.damaged("its anchor is of another file")
    }
    guard anchor.history.allSatisfy({ $0.generation < generation.header.generation }) else {
      throw frame.header.damaged("its history names a later generation")
    }
    parent = anchor.history.first?.generation
  }

  private mutating func take(record frame: borrowing Frame) throws(FormatError) {
    let (record, tag) = try keyring.openRecord(frame, in: generation)
    guard record.version > lastVersion else {
      throw FormatError(.chainBroken, "the record's version \(record.version) is not above \(lastVersion)")
    }
    let expected = record.operation == .event ? newestEvent : index[tag]?.offset ?? 0
    guard record.previous == expected else {
      throw FormatError(.chainBroken, "the record points to byte \(record.previous) as the one before it")
    }
    apply(record.operation, tag, at: frame.header.offset, authTag: FixedBytes(frame.authTag), version: record.version)
  }

  private mutating func apply(
    _ operation: Record.Operation, _ tag: LookupTag, at offset: UInt64, authTag: FixedBytes<16>, version: UInt64
  ) {
    switch operation {
    case .put: index[tag] = .init(offset: offset, authTagPrefix: FixedBytes(authTag.span.extracting(first: 6)))
    case .delete: index[tag] = nil
    case .event: newestEvent = offset
    }
    lastVersion = version
    records += 1
  }

  // MARK: Own commits

  /// One record of a batch that this process has sealed itself.
  struct Sealed: Sendable {
    let operation: Record.Operation
    let tag: LookupTag
    let offset: UInt64
    let authTag: FixedBytes<16>
    let version: UInt64
  }

  /// Takes in a batch that was written and synced.
  mutating func append(_ records: [Sealed], end: Chain) {
    lastBatch = chain.offset
    chain = end
    for record in records {
      apply(record.operation, record.tag, at: record.offset, authTag: record.authTag, version: record.version)
    }
  }

  // MARK: Reading

  /// The newest put of a name.
  func entry(named name: Span<UInt8>) throws(VaultError) -> VaultEntry? {
    let tag = try keyring.tag(of: name)
    guard let place = index[tag] else { return nil }
    let entry = try entry(at: place)
    // Two names with one tag of 96 bits: not found is the truth about this one.
    guard entry.isNamed(name) else { return nil }
    return entry
  }

  /// The record at a place of the index, whose frame must be the one that the index means.
  func entry(at place: NameIndex.Place) throws(VaultError) -> VaultEntry {
    try record(at: place.offset, knownBy: place.authTagPrefix)
  }

  /// The record whose frame begins at `offset`.
  func record(at offset: UInt64, knownBy authTagPrefix: FixedBytes<6>? = nil) throws(VaultError) -> VaultEntry {
    let bytes = try frameBytes(at: offset)
    return try format { () throws(FormatError) in
      let header = try FrameHeader(parsing: bytes.span, at: offset, in: generation)
      let frame = try Frame(header, in: bytes.span)
      let isMeant = authTagPrefix.map { frame.authTag.extracting(first: 6).equals($0.span) } ?? true
      guard header.type == .record, isMeant else { throw header.damaged("it is not the record that stood here") }
      _ = try frame.checkedTrailer()
      let plaintext = try keyring.open(frame, in: generation)
      return try VaultEntry(plaintext, at: offset, in: generation.header)
    }
  }

  /// One read for a frame of ordinary size, a second for the rest of a large one.
  private func frameBytes(at offset: UInt64) throws(VaultError) -> [UInt8] {
    let guess = try file.read(at: offset, count: 1024)
    let length = try format { () throws(FormatError) in
      let header = try FrameHeader(parsing: guess.span, at: offset, in: generation)
      try header.checkShape()
      return header.frameLength
    }
    return length <= guess.count ? guess : try file.read(at: offset, count: length)
  }
}
