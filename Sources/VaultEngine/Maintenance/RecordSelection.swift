internal import VaultFormat

/// Which records of the old file, up to the end of a view, the new one takes over.
///
/// Records behind that view are all taken over: they are few, and whether they count is not known before the last.
struct RecordSelection {
  /// Why a record is left out.
  private enum Reason { case superseded, event, over }

  /// Offsets of the puts that stay, ascending; `nil`, when everything stays.
  private let puts: [UInt64]?
  private let eventsSince: Int64
  /// Asked of every put's value when it is opened.
  let isOver: (@Sendable (Span<UInt8>) -> Bool)?
  /// Offsets of puts whose time was found to be over already.
  private var over: Set<UInt64> = []
  /// The first put that was not met yet.
  private var next = 0

  /// Every record.
  static let everything = RecordSelection()

  private init() {
    (puts, eventsSince, isOver) = (nil, .min, nil)
  }

  /// What `retention` keeps.
  ///
  /// - Parameter view: with a complete index.
  /// - Throws: the error of a record that has to be read for it, which only more than one version asks for.
  init(of view: View, keeping retention: Retention) throws(VaultError) {
    let live = view.index.inFileOrder
    eventsSince = retention.eventsSince
    guard retention.versions > 1 else {
      puts = live.map(\.offset)
      isOver = retention.isOver
      return
    }
    isOver = nil
    var puts: [UInt64] = []
    for place in live {
      let newest = try view.entry(at: place)
      puts.append(place.offset)
      // The older values of a name that is over must not come back when it is gone; their own time does not count.
      if let isOver = retention.isOver, !newest.isLegacy, isOver(newest.value) {
        over.insert(place.offset)
        continue
      }
      // No put points behind a deletion of its name.
      var previous = newest.previous
      for _ in 1..<retention.versions where previous != 0 {
        puts.append(previous)
        previous = try view.record(at: previous).previous
      }
    }
    self.puts = puts.sorted()
  }

  /// Removes what is left out, and counts it; is given all blocks, in the order of the file.
  ///
  /// - Returns: the tags of names that are left out because they are over.
  mutating func apply(to blocks: inout [RecordBlock], counting report: inout MaintenanceReport) -> [LookupTag] {
    var over: [LookupTag] = []
    for number in blocks.indices {
      blocks[number].items.removeAll { (item) in
        switch reasonToDrop(item) {
        case nil: return false
        case .superseded: report.superseded += 1
        case .event: report.events += 1
        case .over: over.append(item.tag)
        }
        return true
      }
      report.kept += blocks[number].items.count
    }
    report.over += over.count
    return over
  }

  private mutating func reasonToDrop(_ item: RecordBlock.Item) -> Reason? {
    if item.record.operation == .event { return item.record.time < eventsSince ? .event : nil }
    guard let puts else { return nil }
    while next < puts.count, puts[next] < item.offset { next += 1 }
    guard next < puts.count, puts[next] == item.offset else { return .superseded }
    return item.isOver || over.contains(item.offset) ? .over : nil
  }
}
