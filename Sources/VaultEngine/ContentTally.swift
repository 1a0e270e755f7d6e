internal import VaultFormat

/// Counts what frames hold.
///
/// What a record supersedes is found by the place that it names itself, so that no names need be kept.
struct ContentTally {
  /// Data keys' times of making, by term.
  private(set) var terms: [UInt32: Int64] = [:]
  /// The newest.
  private(set) var root: IndexRoot?
  /// Puts that are not superseded, and events.
  private(set) var liveRecords: FrameTally.Count = (0, 0)
  private var puts: UInt64 = 0
  private var deletions: UInt64 = 0
  private var events: UInt64 = 0
  private var times: ClosedRange<Int64>?

  /// The pages that the newest root names.
  var livePages: FrameTally.Count {
    let pages = root?.runs.reduce(0) { $0 + UInt64($1.pages) } ?? 0
    return (pages, pages * UInt64(IndexPage.frameLength))
  }

  /// Takes in an opened frame.
  ///
  /// - Throws: `frame-damaged`, `commitment-mismatch`.
  mutating func take(_ plaintext: Span<UInt8>, of header: FrameHeader, _ view: View) throws(VaultError) {
    switch header.type {
    case .record: try take(view.record(plaintext, of: header), of: header, view)
    case .dataKey:
      let vault = view.generation.header.vaultID
      let key = try format { () throws(FormatError) in try DataKey(parsing: plaintext, of: vault) }
      terms[key.term] = key.created
    // A bad root is for a verification to tell; the index is then simply not shown.
    case .indexRoot: root = try? IndexRoot(parsing: plaintext)
    default: break
    }
  }

  private mutating func take(_ record: Record, of header: FrameHeader, _ view: View) throws(VaultError) {
    times = min(times?.lowerBound ?? record.time, record.time)...max(times?.upperBound ?? record.time, record.time)
    switch record.operation {
    case .put: puts += 1
    case .delete: deletions += 1
    case .event: events += 1
    }
    if record.operation != .delete {
      liveRecords.frames += 1
      liveRecords.bytes += UInt64(header.frameLength)
    }
    guard record.operation != .event, record.previous != 0 else { return }
    let bytes = try view.file.read(at: record.previous, count: FrameHeader.length)
    let superseded = try format { () throws(FormatError) in
      try FrameHeader(parsing: bytes.span, at: record.previous, in: view.generation).frameLength
    }
    // A holder of the key may have written that a frame is superseded twice.
    liveRecords.frames -= min(1, liveRecords.frames)
    liveRecords.bytes -= min(UInt64(superseded), liveRecords.bytes)
  }

  /// All of it for a person.
  ///
  /// - Parameter view: what was gone over.
  func content(_ view: View) -> InspectedContent {
    let own = view.genesis.map { (genesis) in
      InspectedContent.Generation(
        number: view.generation.header.generation, madeBy: genesis.madeBy.description, created: genesis.created,
        lastSequence: view.chain.sequence, lastVersion: view.lastVersion)
    }
    let earlier = view.history.map { (ancestor) in
      InspectedContent.Generation(
        number: ancestor.generation, madeBy: ancestor.madeBy.description, created: ancestor.time,
        lastSequence: ancestor.lastSequence, lastVersion: ancestor.lastVersion)
    }
    let writer = view.genesis.map { $0.writer + [0x20] + $0.writerVersion } ?? []
    return InspectedContent(
      writer: String(decoding: writer, as: UTF8.self), generations: (own.map { [$0] } ?? []) + earlier,
      names: UInt64(view.index.count), puts: puts, deletions: deletions, events: events, times: times,
      badPages: view.badPages.count)
  }
}
