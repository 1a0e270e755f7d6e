internal import VaultFormat

/// Where the records of one batch point to.
struct CopyPlan: ~Copyable {
  private let view: View
  /// The newest put of each name that the batch has written; 0 once it is deleted.
  private var written: [LookupTag: UInt64] = [:]
  private var newestEvent: UInt64

  /// - Parameter count: how many records there will be.
  init(into view: View, count: Int) {
    self.view = view
    newestEvent = view.newestEvent
    written.reserveCapacity(count)
  }

  /// - Returns: what the item that stands at `offset` has as the one before.
  mutating func place(_ item: RecordBlock.Item, at offset: UInt64) throws(VaultError) -> UInt64 {
    switch item.record.operation {
    case .event:
      defer { newestEvent = offset }
      return newestEvent
    case .put, .delete:
      let put = item.record.operation == .put ? offset : 0
      if let earlier = written.updateValue(put, forKey: item.tag) { return earlier }
      return try view.place(of: item.tag)?.offset ?? 0
    }
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
