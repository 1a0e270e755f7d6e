internal import VaultFormat

/// What a compaction would keep, found out by reading everything and writing nothing.
enum CompactionTrial {
  /// - Parameter old: with a complete index.
  static func run(
    on old: View, keeping retention: Retention, _ options: MaintenanceOptions,
    _ progress: ((MaintenanceProgress) -> Void)?
  ) throws(VaultError) -> MaintenanceReport {
    var report = MaintenanceReport()
    var selection = try RecordSelection(of: old, keeping: retention)
    var source = RecordSource(for: old.keyring, isOver: selection.isOver, skipsDamaged: options.skipsDamaged)
    let padding = old.generation.header.padding
    var records: UInt64 = 0
    var over = 0
    while source.offset < old.chain.offset {
      var blocks = try source.next(of: old)
      over += selection.apply(to: &blocks, counting: &report).count
      for item in blocks.flatMap(\.items) {
        records += UInt64(Frame.overhead + item.record.plaintextLength(padding: padding))
      }
      progress?(MaintenanceProgress(done: source.sequence, total: old.chain.sequence))
    }
    report.generation = old.generation.header.generation + 1
    report.names = old.index.count - over
    report.damaged = source.failures
    report.bytesBefore = try old.file.length()
    report.bytesAfter = records + overhead(names: report.names, slots: try old.sealedSlots().count, old.history.count)
    return report
  }

  /// Bytes of a new file beside its records: keys twice, the anchor, and pages of the index, which are four fifths full.
  static func overhead(names: Int, slots: Int, _ generations: Int) -> UInt64 {
    let keys = 2 * (slots * (Frame.overhead + KeySlot.clearLength + KeySlot.sealedLength) + Frame.overhead + 80)
    let pages = names == 0 ? 0 : 1 + names * 5 / (4 * IndexPage.capacity)
    return UInt64(
      FileHeader.length + keys + 3 * Frame.overhead + 400 + 104 * generations + pages * IndexPage.frameLength)
  }
}
