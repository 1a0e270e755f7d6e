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
