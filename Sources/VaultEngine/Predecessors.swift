internal import VaultCrypto
internal import VaultFormat

/// What each record of one batch has as the one before it: its name's newest put, or the newest event.
struct Predecessors: ~Copyable {
  /// The newest of each name that the batch writes; their authTags are not known yet.
  private var written: TagTable
  private var newestEvent: UInt64

  /// - Parameters:
  ///   - view: up to the batch.
  ///   - count: how many records there will be, about.
  init(after view: View, count: Int) {
    written = TagTable(expecting: count)
    newestEvent = view.newestEvent
  }

  /// Takes in the next record.
  ///
  /// - Parameter known: where the newest put of its name stands before the batch; 0 if nowhere.
  /// - Returns: the offset of the record before; 0 if there is none.
  mutating func take(_ operation: Record.Operation, of tag: LookupTag, at offset: UInt64, known: UInt64) -> UInt64 {
    guard operation != .event else {
      defer { newestEvent = offset }
      return newestEvent
    }
    let entry = IndexEntry(
      tag: tag, offset: offset, isDeletion: operation == .delete, authTagPrefix: FixedBytes())
    guard let earlier = written.insert(entry) else { return known }
    return earlier.isDeletion ? 0 : earlier.offset
  }
}
