internal import VaultFormat

/// What is asked of the new file's index before records are sealed for it.
enum CopyPlan {
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
