internal import VaultFormat

/// Counts frames by type and by term, without a key, in memory that does not grow with the file.
struct FrameTally {
  typealias Count = (frames: UInt64, bytes: UInt64)

  private static let types = (1...7).map { FrameType(rawValue: $0) } + [FrameType(rawValue: 0x80)]

  private var counts = [Count](repeating: (0, 0), count: types.count)
  private var terms: [UInt32: UInt64] = [:]
  private(set) var recordsSinceRoot: UInt64 = 0

  /// Counts a frame of a possible shape.
  mutating func take(_ header: FrameHeader) {
    let place = header.type.isKnown ? Int(header.type.rawValue) - 1 : Self.types.count - 1
    counts[place].frames += 1
    counts[place].bytes += UInt64(header.frameLength)
    if header.type == .record { recordsSinceRoot += 1 }
    if header.type == .indexRoot { recordsSinceRoot = 0 }
    // Without a key nothing says which terms there are: a hostile file could name another in each frame.
    if header.term != 0, terms[header.term] != nil || terms.count < Limits.liveTerms {
      terms[header.term, default: 0] += 1
    }
  }

  /// - Parameters:
  ///   - checkpoint: the frames of the batch that holds what counts of slots, keys, anchors and roots.
  ///   - content: what a key told.
  func kinds(_ checkpoint: FrameTally, _ content: ContentTally?) -> [Inspection.Kind] {
    zip(Self.types, counts.indices).compactMap { (type, place) in
      guard counts[place].frames > 0 else { return nil }
      let live: Count? =
        switch type {
        case .record: content?.liveRecords
        case .indexPage: content?.livePages
        case .keySlot, .dataKey, .anchor, .indexRoot: checkpoint.counts[place]
        default: counts[place]
        }
      return Inspection.Kind(
        name: type.name, frames: counts[place].frames, bytes: counts[place].bytes, live: live)
    }
  }

  /// - Parameter content: what a key told.
  func terms(_ content: ContentTally?) -> [Inspection.Term] {
    let numbers = Set(terms.keys).union(content?.terms.keys.map { $0 } ?? [])
    return numbers.sorted().map { (number) in
      Inspection.Term(number: number, frames: terms[number] ?? 0, created: content?.terms[number])
    }
  }
}

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

extension FrameType {
  /// The word for a person.
  var name: String {
    switch self {
    case .record: "record"
    case .keySlot: "key slot"
    case .dataKey: "data key"
    case .genesis: "genesis"
    case .indexPage: "index page"
    case .indexRoot: "index root"
    case .anchor: "anchor"
    default: "ancillary"
    }
  }
}
