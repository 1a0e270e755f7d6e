internal import VaultCrypto
internal import VaultFormat

/// Where the records of one batch point to.
struct CopyPlan: ~Copyable {
  /// The newest of each name that the batch writes; their authTags are not known yet.
  private var written: TagTable
  private var newestEvent: UInt64

  /// - Parameter count: how many records there will be.
  init(into view: View, count: Int) {
    newestEvent = view.newestEvent
    written = TagTable(expecting: count)
  }

  /// - Parameter known: where the newest put of the item's name stands before the batch; 0 if nowhere.
  /// - Returns: what the item that stands at `offset` has as the one before.
  mutating func place(_ item: RecordBlock.Item, at offset: UInt64, known: UInt64) -> UInt64 {
    switch item.record.operation {
    case .event:
      defer { newestEvent = offset }
      return newestEvent
    case .put, .delete:
      let isDeletion = item.record.operation == .delete
      let entry = IndexEntry(tag: item.tag, offset: offset, isDeletion: isDeletion, authTagPrefix: FixedBytes())
      guard let earlier = written.insert(entry) else { return known }
      return earlier.isDeletion ? 0 : earlier.offset
    }
  }

  /// Where the newest puts of the items' names stand in `view`; 0 if nowhere.
  static func known(_ items: [RecordBlock.Item], in view: View) throws(VaultError) -> [UInt64] {
    var known: [UInt64] = []
    known.reserveCapacity(items.count)
    for item in items {
      let isEvent = item.record.operation == .event
      known.append(isEvent ? 0 : try view.place(of: item.tag)?.offset ?? 0)
    }
    return known
  }

  /// The blocks without deletions of names that are not in `view`.
  static func withoutIdleDeletions(
    _ blocks: [RecordBlock], of view: View
  ) throws(VaultError) -> [RecordBlock] {
    guard blocks.contains(where: { $0.items.contains { $0.record.operation == .delete } }) else { return blocks }
    var present: [LookupTag: Bool] = [:]
    var kept: [RecordBlock] = []
    for var block in blocks {
      var items: [RecordBlock.Item] = []
      for item in block.items {
        if item.record.operation == .delete {
          var isPresent = present[item.tag]
          if isPresent == nil { isPresent = try view.place(of: item.tag) != nil }
          if isPresent == false { continue }
        }
        if item.record.operation != .event { present[item.tag] = item.record.operation == .put }
        items.append(item)
      }
      block.items = items
      kept.append(block)
    }
    return kept
  }
}
