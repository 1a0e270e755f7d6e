internal import VaultCrypto
internal import VaultFormat

/// What is known of one generation up to a batch border: all that a read needs. A value: a copy is a snapshot.
struct View: Sendable {
  let file: any StorageFile
  let generation: Generation
  let keyring: Keyring
  /// Tells of pages of the index that may be bad, if opening met any.
  let excuse: PageExcuse?
  /// Those that were passed over.
  private(set) var badPages: [BadPage] = []
  /// The end of the last batch that was taken in.
  private(set) var chain: Chain
  /// Where that batch begins, and what is before it.
  private(set) var lastBatch: Chain
  /// The last bytes of that batch, by which a reader sees whether it still stands in the file.
  private(set) var lastTrailer: FixedBytes<16>?
  private(set) var index = NameIndex()
  private var totals = Totals()
  /// What replay has changed in the index so far, while it may still fail.
  private var undo: [(tag: LookupTag, place: NameIndex.Place?)]?

  /// What replay carries along beside the index.
  private struct Totals {
    var lastVersion: UInt64 = 0
    var newestEvent: UInt64 = 0
    var records: UInt64 = 0
    /// The genesis frame's plaintext, which every anchor repeats.
    var genesis: Genesis?
    /// Earlier generations, as the newest anchor lists them.
    var history: [Anchor.Ancestor] = []
    /// Terms of the data keys met, ascending.
    var terms: [UInt32] = []
    /// Terms of the data keys met in the batch.
    var carried: [UInt32] = []
  }

  /// The newest version; the next write has one more.
  var lastVersion: UInt64 { totals.lastVersion }
  /// Offset of the newest event; 0 if there is none.
  var newestEvent: UInt64 { totals.newestEvent }
  /// Records taken in, deletions and events among them.
  var records: UInt64 { totals.records }
  /// Earlier generations, as the newest anchor lists them.
  var history: [Anchor.Ancestor] { totals.history }

  /// Before the first frame.
  init(file: any StorageFile, generation: Generation, keyring: Keyring, excuse: PageExcuse? = nil) {
    self.file = file
    self.excuse = excuse
    self.generation = generation
    self.keyring = keyring
    chain = Chain(startOf: generation)
    lastBatch = chain
  }

  /// Whether this is the same file and no shorter, or a later generation: anything else goes back behind what was seen.
  func succeeds(_ other: View) -> Bool {
    let (mine, theirs) = (generation.header, other.generation.header)
    return mine.fileID == theirs.fileID
      ? chain.sequence >= other.chain.sequence : mine.generation > theirs.generation
  }

  // MARK: Replay

  /// Opens every frame up to the end of `walk`, which went from this view's end over whole batches, and takes it in.
  ///
  /// In place, so that the index is not copied for every batch of another process. After an error the view is as it was.
  ///
  /// - Parameter comparison: is shown all that the index must agree with.
  mutating func replay(
    _ walk: Walk, _ window: inout FileWindow, comparing comparison: IndexComparison? = nil
  ) throws(VaultError) {
    guard let newest = walk.lastBatch else { return }
    index.reserve(index.count + Int(clamping: walk.records))
    let before = totals
    // A view of a whole file is thrown away when that can't be opened: it need not be restored.
    undo = chain.isInFirstBatch ? nil : []
    defer { undo = nil }
    do throws(VaultError) {
      for gap in walk.badPages.gaps(in: chain.offset..<walk.committed.offset) {
        try take(gap, &window, comparison)
      }
      if generation.header.generation > 1, history.first?.generation != generation.header.generation - 1 {
        throw VaultError.unfinished
      }
      lastTrailer = try Self.trailer(before: walk.committed.offset, &window)
    } catch {
      for change in (undo ?? []).reversed() { index[change.tag] = change.place }
      totals = before
      throw error
    }
    chain = walk.committed
    lastBatch = newest
    badPages += walk.badPages
  }

  private mutating func take(
    _ range: Range<UInt64>, _ window: inout FileWindow, _ comparison: IndexComparison?
  ) throws(VaultError) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      try takeRecords(&offset, before: range.upperBound, &window, comparison)
      guard offset < range.upperBound else { return }
      let header = try window.acceptedHeader(at: offset)
      try window.load(at: offset, count: header.frameLength)
      do {
        try take(Frame(header, in: window.bytes(at: offset, count: header.frameLength)), comparison)
      } catch {
        throw VaultError(error.at(offset: offset, sequence: header.sequence))
      }
      offset += UInt64(header.frameLength)
    }
  }

  /// Opens the records that stand side by side at `offset`, on all cores, and moves behind them.
  private mutating func takeRecords(
    _ offset: inout UInt64, before end: UInt64, _ window: inout FileWindow, _ comparison: IndexComparison?
  ) throws(VaultError) {
    let (keyring, generation, term) = (keyring, generation, totals.terms.last ?? 0)
    var isAtEnd = false
    try Threads.inOrder { () throws(VaultError) in
      guard !isAtEnd, offset < end, let run = try window.recordRun(at: offset, end: end) else {
        isAtEnd = true
        return RecordRun?.none
      }
      offset = run.end
      return run
    } work: { (run) throws(VaultError) in
      try run.open(with: keyring, term: term, in: generation)
    } give: { (records: [OpenedRecord]) throws(VaultError) in
      for opened in records {
        try take(opened)
        comparison?.take(opened)
      }
    }
  }

  private static func trailer(before end: UInt64, _ window: inout FileWindow) throws(VaultError) -> FixedBytes<16> {
    let offset = end - UInt64(FrameTrailer.length)
    try window.load(at: offset, count: FrameTrailer.length)
    let bytes = window.bytes(at: offset, count: FrameTrailer.length)
    guard bytes.count == FrameTrailer.length else {
      throw VaultError(.tailDamaged, "the file became shorter while it was read", offset: offset)
    }
    return FixedBytes(bytes)
  }

  private mutating func take(_ frame: borrowing Frame, _ comparison: IndexComparison?) throws(FormatError) {
    let header = frame.header
    if header.position == 0 { totals.carried = [] }
    // Its clear part was checked, and only its owner's credential opens it.
    if header.type == .keySlot { return }
    if header.type.usesDataKey, header.term != totals.terms.last {
      throw FormatError(.chainBroken, "the frame is sealed under term \(header.term), which is not the newest")
    }
    let plaintext = try keyring.open(frame, in: generation)
    switch header.type {
    case .dataKey: try take(dataKey: plaintext.span)
    case .genesis: totals.genesis = try Genesis(parsing: plaintext.span)
    case .anchor: try take(anchor: plaintext.span, of: frame)
    case .indexPage: comparison?.take(page: plaintext.span, of: header)
    case .indexRoot: try take(root: plaintext.span, of: header, comparison)
    default: break
    }
  }

  /// A checkpoint carries every term that the file has introduced, ascending.
  private mutating func take(dataKey plaintext: Span<UInt8>) throws(FormatError) {
    let term = try keyring.accept(dataKey: plaintext)
    let isNew = !totals.terms.contains(term)
    guard term > totals.carried.last ?? 0, !isNew || term > totals.terms.last ?? 0 else {
      throw FormatError(.chainBroken, "the data key of term \(term) is not in its place")
    }
    totals.carried.append(term)
    if isNew { totals.terms.append(term) }
  }

  /// The records are what counts; a root that disagrees with them is for a verification to tell.
  private func take(
    root plaintext: Span<UInt8>, of header: FrameHeader, _ comparison: IndexComparison?
  ) throws(FormatError) {
    do throws(FormatError) {
      let root = try IndexRoot(parsing: plaintext)
      comparison?.take(root, of: header, lastVersion: lastVersion, newestEvent: newestEvent)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      comparison?.note(error.at(offset: header.offset, sequence: header.sequence))
    }
  }

  private mutating func take(anchor plaintext: Span<UInt8>, of frame: borrowing Frame) throws(FormatError) {
    guard totals.carried == totals.terms else {
      throw FormatError(.chainBroken, "the checkpoint does not carry every data key of the file")
    }
    let anchor = try Anchor(parsing: plaintext)
    guard anchor.genesis == totals.genesis else { throw frame.header.damaged("its anchor is of another file") }
    guard anchor.history.allSatisfy({ $0.generation < generation.header.generation }) else {
      throw frame.header.damaged("its history names a later generation")
    }
    totals.history = anchor.history
  }

  private mutating func take(_ opened: OpenedRecord) throws(VaultError) {
    let record = opened.record
    guard record.version > lastVersion else {
      throw VaultError(
        .chainBroken, "the record's version \(record.version) is not above \(lastVersion)", offset: opened.offset)
    }
    let expected = record.operation == .event ? newestEvent : index[opened.tag]?.offset ?? 0
    guard record.previous == expected else {
      throw VaultError(
        .chainBroken, "the record points to byte \(record.previous) as the one before it", offset: opened.offset)
    }
    let place = NameIndex.Place(offset: opened.offset, authTagPrefix: opened.authTagPrefix)
    apply(record.operation, opened.tag, at: place, version: record.version)
  }

  private mutating func apply(
    _ operation: Record.Operation, _ tag: LookupTag, at place: NameIndex.Place, version: UInt64
  ) {
    if operation == .event {
      totals.newestEvent = place.offset
    } else {
      undo?.append((tag, index[tag]))
      index[tag] = operation == .put ? place : nil
    }
    totals.lastVersion = version
    totals.records += 1
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
  mutating func append(_ batch: BatchSealer.Sealed) {
    lastBatch = chain
    chain = batch.end
    lastTrailer = FixedBytes(batch.bytes.span.extracting(last: FrameTrailer.length))
    for record in batch.records {
      let place = NameIndex.Place(
        offset: record.offset, authTagPrefix: FixedBytes(record.authTag.span.extracting(first: 6)))
      apply(record.operation, record.tag, at: place, version: record.version)
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
    try keyring.entry(at: offset, knownBy: authTagPrefix, of: file, in: generation)
  }
}
