/// When a handle that stays open allocates space ahead, and how much: zeros behind the last batch, over which the next
/// batches are written. The file then keeps its length, and a sync has the data alone to bring to the disk.
struct SpaceAhead: Sendable {
  /// Small batches in a row after which a handle is one that stays open, and is not loading much.
  private static let patience = 4
  /// A batch of more bytes is worth the new length that its sync writes.
  private static let smallBatch = 1 << 14
  /// Bytes ahead of the batch, doubled from one time to the next.
  private static let chunks: ClosedRange<UInt64> = 1 << 14...1 << 20
  private static let block: UInt64 = 4096

  private var commits = 0
  private var chunk = chunks.lowerBound
  /// There was no room: it is left to the batches.
  private var isGivenUp = false
  /// Whether this handle has allocated space.
  private(set) var isUsed = false
  /// The file in which it allocated some, and up to where.
  private var allocated: (file: FileIdentity, end: UInt64)?

  /// Where zeros are to be written before a batch is.
  ///
  /// - Parameters:
  ///   - count: bytes of the batch, and `offset`, where it begins.
  ///   - room: bytes behind it that were asked for.
  ///   - length: the file's.
  /// - Returns: `nil` as long as all of it fits into the file, or if space ahead is of no use to it.
  mutating func zeros(for count: Int, roomBehind room: Int = 0, at offset: UInt64, length: UInt64) -> Range<UInt64>? {
    let end = offset + UInt64(count)
    guard room == 0 else {
      let target = (end + UInt64(room) + Self.block - 1) / Self.block * Self.block
      guard target > length else { return nil }
      isUsed = true
      return max(length, offset)..<target
    }
    guard count <= Self.smallBatch else {
      commits = 0
      return nil
    }
    guard !isGivenUp else { return nil }
    commits += 1
    guard commits > Self.patience, end > length else { return nil }
    let target = (end + chunk) / Self.block * Self.block
    chunk = min(chunk * 2, Self.chunks.upperBound)
    isUsed = true
    return max(length, offset)..<target
  }

  /// Whether a batch that ends at `end` lies in what this handle has allocated, so that the file need not be asked for its
  /// length. Should another handle have cut it off since, batches take longer until they are beyond it.
  func covers(_ end: UInt64, of file: FileIdentity) -> Bool {
    guard let allocated else { return false }
    return allocated.file == file && end <= allocated.end
  }

  /// Zeros were written up to `end`.
  mutating func note(_ end: UInt64, of file: FileIdentity) { allocated = (file, end) }

  /// There is no room for more than the batches themselves.
  mutating func giveUp() { isGivenUp = true }
}
