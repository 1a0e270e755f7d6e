internal import VaultCrypto

/// Part of a text, cut where no token is cut.
final class LeakBlock: Sendable {
  private let memory: SecretBytes
  private let range: Range<Int>
  /// Bytes of the text before it.
  let offset: UInt64
  /// Whether its first bytes are the end of a line that began before.
  let startsInLine: Bool
  /// Whether its last line goes on behind it.
  let endsInLine: Bool

  fileprivate init(
    _ memory: consuming SecretBytes, _ range: Range<Int>, offset: UInt64, startsInLine: Bool, endsInLine: Bool
  ) {
    self.memory = memory
    self.range = range
    self.offset = offset
    self.startsInLine = startsInLine
    self.endsInLine = endsInLine
  }

  /// Gives its bytes to `body`.
  func withBytes<Result>(_ body: (Span<UInt8>) throws(VaultError) -> Result) throws(VaultError) -> Result {
    try memory.withSpan { (bytes) throws(VaultError) in try body(bytes.extracting(range)) }
  }
}

/// Cuts a text that comes in pieces of any size into blocks, always in the same places: behind the end of a line, or in a line
/// that is longer than a block behind a byte that is no part of a token.
///
/// A line or a run of tokens' bytes that is as long as a block or longer is never in one as a whole: of the line the runs are
/// seen, of the run nothing. No more than one block is held, wiped when it goes away.
struct LeakBlocks: ~Copyable {
  /// Bytes that are read before anything is, of a text that may be short.
  private static let first = 1 << 16

  /// Bytes of a block at most.
  private let size: Int
  /// What was read and is in no block yet.
  private var rest: SecretBytes
  private var capacity: Int
  /// Bytes of the text before `rest`.
  private var offset: UInt64 = 0
  private var isInLine = false
  /// Everything is left out up to the end of a run that is too long.
  private var isInRun = false
  private var isAtEnd = false

  init(size: Int) throws(VaultError) {
    self.size = size
    capacity = min(size, Self.first)
    rest = try Self.memory(0)
  }

  /// The next block; `nil` behind the last.
  ///
  /// - Parameter read: appends what comes next of the text, and nothing at its end.
  /// - Throws: what `read` throws; `crypto-failure` when there is no memory.
  mutating func next(
    _ read: (inout OutputSpan<UInt8>) throws(VaultError) -> Void
  ) throws(VaultError) -> LeakBlock? {
    while true {
      var bytes = try Self.memory(max(capacity, rest.count))
      bytes.append(rest.span)
      try fill(&bytes, read)
      var start = 0
      if isInRun {
        start = Self.endOfRun(bytes.span)
        isInRun = start == bytes.count
      }
      let count = bytes.count
      let end = isAtEnd ? count : Self.cut(bytes.span, from: start)
      let wasInLine = isInLine
      let block = (offset + UInt64(start), start..<end)
      if end == start {
        // Nothing of it can be in a token: a run that is too long, or the end of the text.
        guard !isAtEnd else { return nil }
        isInRun = true
        isInLine = true
        offset += UInt64(count)
        rest = try Self.memory(0)
        continue
      }
      isInLine = bytes.span[end - 1] != UInt8(ascii: "\n")
      offset += UInt64(end)
      rest = try Self.memory(count - end)
      rest.append(bytes.span.extracting(end..<count))
      return LeakBlock(
        bytes, block.1, offset: block.0, startsInLine: wasInLine, endsInLine: isInLine && !isAtEnd)
    }
  }

  private mutating func fill(
    _ bytes: inout SecretBytes, _ read: (inout OutputSpan<UInt8>) throws(VaultError) -> Void
  ) throws(VaultError) {
    while !isAtEnd, bytes.count < size {
      if bytes.count == bytes.capacity {
        capacity = min(size, capacity * 2)
        var larger = try Self.memory(capacity)
        larger.append(bytes.span)
        bytes = larger
      }
      let before = bytes.count
      try bytes.append { (output) throws(VaultError) in try read(&output) }
      isAtEnd = bytes.count == before
    }
  }

  /// Where a full block ends: 0 bytes behind `start`, if all of it is one run.
  private static func cut(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var end = bytes.count
    while end > start, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    if end > start { return end }
    end = bytes.count
    while end > start, TokenBytes.isPart(bytes[end - 1]) { end -= 1 }
    return end
  }

  private static func endOfRun(_ bytes: Span<UInt8>) -> Int {
    var end = 0
    while end < bytes.count, TokenBytes.isPart(bytes[end]) { end += 1 }
    return end
  }

  private static func memory(_ count: Int) throws(VaultError) -> SecretBytes {
    try crypto { () throws(CryptoError) in try SecretBytes(capacity: count) }
  }
}
