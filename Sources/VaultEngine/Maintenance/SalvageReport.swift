/// What a salvage found, and what it saved.
public struct SalvageReport: Sendable {
  /// A piece of the file that no frame covers which opens.
  public struct Gap: Sendable {
    /// Where it lies in the file; empty at the end of a file that ends inside a batch.
    public let bytes: Range<UInt64>
    /// Sequences of the frames that stood there; `nil` where that can't be told.
    public let sequences: ClosedRange<UInt64>?
    /// Whether it may have held a write. The versions of the records on both sides of it may show that it did not.
    public internal(set) var mayHoldWrites = true
  }

  /// What is not covered by frames that open, in the order of the file.
  public internal(set) var gaps: [Gap] = []
  /// The file header was lost, and the copy in an anchor stood for it.
  public internal(set) var isHeaderLost = false
  /// Records that were saved: puts, deletions and events.
  public internal(set) var records = 0
  /// Names that are there; 0 when nothing was written.
  public internal(set) var names = 0
  /// A gap behind them may have held a newer version, or the deletion, of every value up to this version; 0 for none.
  public internal(set) var staleThrough: UInt64 = 0
  /// Bytes of the file.
  public internal(set) var bytes: UInt64 = 0
  /// Bytes of all gaps, which the side file holds one behind the other.
  public var lostBytes: UInt64 { gaps.reduce(0) { $0 + UInt64($1.bytes.count) } }
}

/// How far a salvage has come.
public struct SalvageProgress: Sendable {
  /// Records found so far.
  public let records: Int
  /// Bytes gone over so far.
  public let done: UInt64
  /// Bytes to go over in all.
  public let total: UInt64
}
