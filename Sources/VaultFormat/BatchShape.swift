/// The order in which frames may stand in a batch (FORMAT.md, "Batches"): what was accepted so far, and what may follow.
struct BatchShape: Equatable, Sendable {
  private enum Stage {
    case start
    case foundingSlots, foundingDataKey
    case slots, dataKeys, anchor, checkpointPages
    case pages
    case records
  }

  private var stage = Stage.start
  private var slots = 0
  private var dataKeys = 0
  private let isFirst: Bool

  /// - Parameter isFirst: the batch is the first of its file, which has an order of its own.
  init(isFirst: Bool) { self.isFirst = isFirst }

  /// Whether the batch is a checkpoint.
  var isCheckpoint: Bool {
    switch stage {
    case .slots, .dataKeys, .anchor, .checkpointPages: true
    default: false
    }
  }

  /// Accepts the next frame.
  ///
  /// - Throws: `chain-broken` when a frame of this type may not stand here, or may not end the batch.
  mutating func accept(_ header: FrameHeader) throws(FormatError) {
    guard let next = following(header.type), mayEnd(header, at: next) else {
      throw FormatError(
        .chainBroken, "a frame of type \(header.type.rawValue) may not stand here in its batch", offset: header.offset,
        sequence: header.sequence)
    }
    if header.type == .keySlot { slots += 1 }
    if header.type == .dataKey { dataKeys += 1 }
    stage = next
    guard slots <= Limits.slots, dataKeys <= Limits.liveTerms else {
      throw FormatError(
        .limitExceeded, "a batch has more than \(Limits.slots) key slots or \(Limits.liveTerms) data keys",
        offset: header.offset, sequence: header.sequence)
    }
  }

  private func following(_ type: FrameType) -> Stage? {
    switch (stage, type) {
    case (.start, .keySlot): isFirst ? .foundingSlots : .slots
    case (.foundingSlots, .keySlot): .foundingSlots
    case (.foundingSlots, .dataKey): .foundingDataKey
    case (.foundingDataKey, .genesis): .foundingDataKey
    case (.slots, .keySlot): .slots
    case (.slots, .dataKey), (.dataKeys, .dataKey): .dataKeys
    case (.dataKeys, .anchor): .anchor
    case (.anchor, .indexPage), (.checkpointPages, .indexPage): .checkpointPages
    case (.anchor, .indexRoot), (.checkpointPages, .indexRoot): .checkpointPages
    case (.start, .indexPage): isFirst ? nil : .pages
    case (.pages, .indexPage): .pages
    case (.start, let type): !isFirst && (type == .record || type.isAncillary) ? .records : nil
    case (.records, let type): type == .record || type.isAncillary ? .records : nil
    default: nil
    }
  }

  /// A founding batch ends with its genesis and a checkpoint with its root, and these end nothing else; the other two kinds
  /// may end with any frame.
  private func mayEnd(_ header: FrameHeader, at stage: Stage) -> Bool {
    switch stage {
    case .pages, .records: true
    default: header.endsBatch == (header.type == .genesis || header.type == .indexRoot)
    }
  }
}
