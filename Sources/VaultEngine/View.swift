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
  /// Whether every frame from the first on was taken in.
  private(set) var isWhole = true
  /// The file is a copy in the making, whose last checkpoint is still to come.
  private let isUnfinished: Bool
  /// The end of the last batch that was taken in.
  private(set) var chain: Chain
  /// Where that batch begins, and what is before it.
  private(set) var lastBatch: Chain
  /// The last bytes of that batch, by which a reader sees whether it still stands in the file.
  private(set) var lastTrailer: FixedBytes<16>?
  private(set) var index: NameIndex
  private var totals = Totals()
  /// How often pages of the index were read for want of it in memory; shared by all copies.
  let use = IndexUse()

  /// What replay carries along beside the index.
  private struct Totals {
    var lastVersion: UInt64 = 0
    var newestEvent: UInt64 = 0
    /// Record and ancillary frames behind the newest index root.
    var framesSinceRoot = 0
    /// Where the live slots stand.
    var slots = UInt64(FileHeader.length)
    /// The genesis frame's plaintext, which every anchor repeats.
    var genesis: Genesis?
    /// Earlier generations, as the newest anchor lists them.
    var history: [Anchor.Ancestor] = []
    /// Terms of the data keys met, ascending.
    var terms: [UInt32] = []
    /// Terms of the data keys met in the batch.
    var carried: [UInt32] = []

    /// Takes in a record, but for its name.
    mutating func take(_ operation: Record.Operation, at offset: UInt64, version: UInt64) {
      lastVersion = version
      framesSinceRoot += 1
      if operation == .event { newestEvent = offset }
    }
  }

  /// The newest version in this file.
  var lastVersion: UInt64 { totals.lastVersion }
  /// The greatest version that the vault ever gave, as far as file and history tell; the next write has one more.
  var greatestVersion: UInt64 { history.reduce(lastVersion) { max($0, $1.lastVersion) } }
  /// Changes with every write, and with the generation.
  var stamp: UInt64 { generation.header.generation << 44 ^ lastVersion }
  /// Data keys that the file has introduced.
  var termCount: Int { totals.terms.count }
  /// Offset of the newest event; 0 if there is none.
  var newestEvent: UInt64 { totals.newestEvent }
  /// Where the live key slots stand.
  var slotsOffset: UInt64 { totals.slots }
  /// What the vault was made by; `nil` before the founding batch.
  var genesis: Genesis? { totals.genesis }
  /// Earlier generations, as the newest anchor lists them.
  var history: [Anchor.Ancestor] { totals.history }

  /// Before the first frame.
  init(
    file: any StorageFile, generation: Generation, keyring: Keyring, excuse: PageExcuse? = nil,
    isUnfinished: Bool = false
  ) {
    self.file = file
    self.excuse = excuse
    self.isUnfinished = isUnfinished
    self.generation = generation
    self.keyring = keyring
    chain = Chain(startOf: generation)
    lastBatch = chain
    index = NameIndex(isComplete: true)
  }

  /// Before a checkpoint in the midst of a file, whose root tells what stands before it.
  ///
  /// - Parameter genesis: of the founding batch.
  init(file: any StorageFile, generation: Generation, keyring: Keyring, resumingAt start: Chain, genesis: Genesis) {
    self.file = file
    self.generation = generation
    self.keyring = keyring
    excuse = nil
    isUnfinished = false
    chain = start
    lastBatch = start
    index = NameIndex(isComplete: false)
    totals.genesis = genesis
    isWhole = false
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
  /// After an error the view is as it was.
  ///
  /// - Parameter comparison: is shown all that the index must agree with.
  mutating func replay(
    _ walk: Walk, _ window: inout FileWindow, comparing comparison: IndexComparison? = nil
  ) throws(VaultError) {
    guard let newest = walk.lastBatch else { return }
    let before = self
    index.expect(Int(walk.records))
    var names = NamesReplay(into: index)
    index = NameIndex(isComplete: index.isComplete)
    do throws(VaultError) {
      do throws(VaultError) {
        for gap in walk.badPages.gaps(in: chain.offset..<walk.committed.offset) {
          try take(gap, &window, &names, comparison)
        }
      } catch {
        // What is wrong with a record before comes first.
        _ = try names.finish()
        throw error
      }
      index = try names.finish()
      let before = generation.header.generation - 1
      if before > 0, history.first?.generation != before, !isUnfinished {
        throw VaultError.unfinished
      }
      lastTrailer = try Self.trailer(before: walk.committed.offset, &window)
    } catch {
      self = before
      throw error
    }
    chain = walk.committed
    lastBatch = newest
    badPages += walk.badPages
  }

  private mutating func take(
    _ range: Range<UInt64>, _ window: inout FileWindow, _ names: inout NamesReplay, _ comparison: IndexComparison?
  ) throws(VaultError) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      try takeRecords(&offset, before: range.upperBound, &window, &names, comparison)
      guard offset < range.upperBound else { return }
      let header = try window.acceptedHeader(at: offset)
      try window.load(at: offset, count: header.frameLength)
      do {
        try take(Frame(header, in: window.bytes(at: offset, count: header.frameLength)), &names, comparison)
      } catch {
        throw VaultError(error.at(offset: offset, sequence: header.sequence))
      }
      offset += UInt64(header.frameLength)
    }
  }

  /// Opens the records that stand side by side at `offset`, on all cores, and moves behind them.
  private mutating func takeRecords(
    _ offset: inout UInt64, before end: UInt64, _ window: inout FileWindow, _ names: inout NamesReplay,
    _ comparison: IndexComparison?
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
        names.take(opened)
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

  private mutating func take(
    _ frame: borrowing Frame, _ names: inout NamesReplay, _ comparison: IndexComparison?
  ) throws(FormatError) {
    let header = frame.header
    if header.position == 0 { totals.carried = [] }
    if header.type == .keySlot {
      // Its clear part was checked, and only its owner's credential opens it.
      if header.position == 0 { totals.slots = header.offset }
      return
    }
    if header.type.usesDataKey, header.term != totals.terms.last {
      throw FormatError(.chainBroken, "the frame is sealed under term \(header.term), which is not the newest")
    }
    let plaintext = try keyring.open(frame, in: generation)
    switch header.type {
    case .dataKey: try take(dataKey: plaintext.span)
    case .genesis: totals.genesis = try Genesis(parsing: plaintext.span)
    case .anchor: try take(anchor: plaintext.span, of: frame)
    case .indexPage: comparison?.take(page: plaintext.span, of: header)
    case .indexRoot: try take(root: plaintext.span, of: header, &names, comparison)
    default: totals.framesSinceRoot += 1
    }
  }

  /// A checkpoint carries every term that the file has introduced, ascending.
  private mutating func take(dataKey plaintext: Span<UInt8>) throws(FormatError) {
    let term = try keyring.accept(dataKey: plaintext)
    totals.carried.append(term)
    // The keyring takes no new term that is not above all before; the anchor is where the order of all is asked.
    if !totals.terms.contains(term) { totals.terms.append(term) }
  }

  /// The records are what counts: a root that breaks the rules is passed over, and one that disagrees with the records is
  /// for a verification to tell. Where the root is all there is, it must be right.
  private mutating func take(
    root plaintext: Span<UInt8>, of header: FrameHeader, _ names: inout NamesReplay, _ comparison: IndexComparison?
  ) throws(FormatError) {
    do throws(FormatError) {
      let root = try IndexRoot(parsing: plaintext)
      try root.check(isIn: header)
      comparison?.take(root, of: header, lastVersion: lastVersion, newestEvent: newestEvent)
      if !isWhole { try take(outline: root, isFirst: !names.hasRoot) }
      names.take(root)
    } catch {
      guard error.code == .indexDamaged, isWhole else { throw error }
      comparison?.note(error.at(offset: header.offset, sequence: header.sequence))
      names.take(nil)
    }
    totals.framesSinceRoot = 0
  }

  /// What a root says beside its runs, in a view that may have nothing else to know it from.
  private mutating func take(outline root: IndexRoot, isFirst: Bool) throws(FormatError) {
    guard isFirst || root.lastVersion == lastVersion && root.newestEvent == newestEvent else {
      throw FormatError(.indexDamaged, "the index root does not agree with the records before it")
    }
    totals.lastVersion = root.lastVersion
    totals.newestEvent = root.newestEvent
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

  /// Takes in a record, but for its name.
  private mutating func take(_ opened: OpenedRecord) throws(VaultError) {
    let record = opened.record
    guard record.version > lastVersion else {
      throw VaultError(
        .chainBroken, "the record's version \(record.version) is not above \(lastVersion)", offset: opened.offset)
    }
    guard record.operation != .event || record.previous == newestEvent else {
      throw OpenedRecord.misplaced(at: opened.offset, pointingTo: record.previous)
    }
    totals.take(record.operation, at: opened.offset, version: record.version)
  }

  // MARK: Own commits

  /// One record of a batch that this process has sealed itself.
  struct Sealed: Sendable {
    let operation: Record.Operation
    let tag: LookupTag
    let offset: UInt64
    let authTag: FixedBytes<16>
    let version: UInt64

    /// What the index says of it, unless it is an event.
    fileprivate var entry: IndexEntry {
      IndexEntry(
        tag: tag, offset: offset, isDeletion: operation == .delete,
        authTagPrefix: FixedBytes(authTag.span.extracting(first: 6)))
    }
  }

  /// Takes in a batch that was written and synced.
  mutating func append(_ batch: AppendedBatch) {
    switch batch {
    case .records(let batch): append(batch)
    case .index(let batch): append(batch)
    }
  }

  private mutating func append(_ batch: BatchSealer.Sealed) {
    move(behind: batch.bytes, to: batch.end)
    var entries: [IndexEntry] = []
    entries.reserveCapacity(batch.records.count)
    for record in batch.records {
      totals.take(record.operation, at: record.offset, version: record.version)
      if record.operation != .event { entries.append(record.entry) }
    }
    index.take(entries)
  }

  private mutating func append(_ batch: Checkpoint.Batch) {
    if let root = batch.root {
      totals.slots = chain.offset
      totals.history = batch.history
      totals.framesSinceRoot = 0
      index.take(root)
    }
    move(behind: batch.bytes, to: batch.end)
  }

  private mutating func move(behind bytes: [UInt8], to end: Chain) {
    lastBatch = chain
    chain = end
    lastTrailer = FixedBytes(bytes.span.extracting(last: FrameTrailer.length))
  }

  /// Whether the next batch must be a checkpoint, because too much would have to be replayed: 1024 frames, and fewer as long
  /// as the vault is small and a page of its index more costs little.
  var isCheckpointDue: Bool {
    let covered = index.root?.runs.reduce(0) { $0 + $1.entries } ?? 0
    return totals.framesSinceRoot >= Int(min(1024, max(128, covered / 4)))
  }

  /// Has the whole index in memory from now on.
  ///
  /// - Parameter covered: all live entries that the newest root covers.
  mutating func completeIndex(with covered: TagTable) { index.complete(with: covered) }
}
