internal import VaultFormat

/// What lies between the frames that open.
struct SalvageGaps {
  private(set) var gaps: [SalvageReport.Gap] = []
  /// A gap behind them may have held a newer version of every value up to this version.
  private(set) var staleThrough: UInt64 = 0
  private var sequence: UInt64 = 0
  private var version: UInt64 = 0
  /// The end of the last frame that opens.
  private(set) var end: UInt64
  private var endsBatch = true
  /// Gaps behind the last record.
  private var pending = 0

  /// - Parameter isHeaderLost: the file begins with a gap.
  init(isHeaderLost: Bool) {
    end = UInt64(FileHeader.length)
    if isHeaderLost {
      gaps.append(.init(bytes: 0..<end, sequences: nil, mayHoldWrites: false))
    }
  }

  /// The version of the last record.
  var lastVersion: UInt64 { version }

  /// Takes in the next frame that opens.
  ///
  /// - Parameter version: of its record, above all before.
  mutating func take(_ header: FrameHeader, version: UInt64?) {
    if header.offset > end || header.sequence != sequence + 1 {
      let isAscending = header.sequence > sequence + 1
      note(end..<header.offset, isAscending ? sequence + 1...header.sequence - 1 : nil)
    }
    sequence = header.sequence
    end = header.offset + UInt64(header.frameLength)
    endsBatch = header.endsBatch
    guard let version else { return }
    // Versions ascend by one with each write, unless a compaction has dropped some.
    settle(mayHoldWrites: version != self.version + 1)
    self.version = version
  }

  /// Takes in the end of the file.
  ///
  /// - Parameter last: the end of what is not zero.
  mutating func finish(at last: UInt64) {
    if last > end || !endsBatch { note(end..<max(last, end), nil) }
    settle(mayHoldWrites: true)
  }

  private mutating func note(_ bytes: Range<UInt64>, _ sequences: ClosedRange<UInt64>?) {
    gaps.append(.init(bytes: bytes, sequences: sequences))
    pending += 1
  }

  private mutating func settle(mayHoldWrites: Bool) {
    guard pending > 0 else { return }
    for number in gaps.count - pending..<gaps.count { gaps[number].mayHoldWrites = mayHoldWrites }
    pending = 0
    if mayHoldWrites { staleThrough = version }
  }
}
