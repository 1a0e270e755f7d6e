internal import VaultFormat

/// Finds the newest index root from the end of a file, without any key (FORMAT.md, "Opening", steps 3 to 6).
///
/// Only whoever has met damage in front of it asks: an ordinary opening walks from the first frame and meets it on its way.
enum NewestRoot {
  /// Roots that are tried: the newest, and three before it.
  private static let attempts = 4
  /// How far to look back for a frame where none ends.
  private static let reach: UInt64 = 320 << 20
  private static let piece: UInt64 = 1 << 19

  /// A walk over the checkpoint that ends with the newest root; `nil` if there is none, or it is not whole.
  static func checkpoint(_ window: inout FileWindow, in generation: Generation) throws(VaultError) -> Walk? {
    guard let last = try lastFrame(&window, in: generation) else { return nil }
    var offset = last.type == .indexRoot ? last.offset : last.newestRoot
    for _ in 0..<attempts {
      guard offset != 0, let root = try header(at: offset, &window, in: generation) else { return nil }
      if let walk = try walk(to: root, &window, in: generation) { return walk }
      offset = root.newestRoot
    }
    return nil
  }

  // MARK: The last frame

  /// The frame that ends before the zeros at the end, or the last valid header before them.
  private static func lastFrame(
    _ window: inout FileWindow, in generation: Generation
  ) throws(VaultError) -> FrameHeader? {
    let end = try (endOfNonzero(&window) + 15) / 16 * 16
    if let trailer = try trailer(before: end, &window), UInt64(trailer.total) <= end,
      let header = try header(at: end - UInt64(trailer.total), &window, in: generation),
      header.frameLength == Int(trailer.total)
    {
      return header
    }
    let floor = max(UInt64(FileHeader.length), end > reach ? end - reach : 0)
    var upper = end
    while upper > floor {
      let lower = max(floor, upper > piece ? upper - piece : 0)
      try window.load(at: lower, count: Int(upper - lower) + FrameHeader.length)
      // All of these are multiples of 16.
      var place = upper
      while place > lower {
        place -= 16
        let bytes = window.bytes(at: place, count: FrameHeader.length)
        if let header = FrameHeader.valid(in: bytes, at: place, of: generation) { return header }
      }
      upper = lower
    }
    return nil
  }

  private static func endOfNonzero(_ window: inout FileWindow) throws(VaultError) -> UInt64 {
    var end = window.length
    // The zeros are few, or as many as are allocated at a time.
    var piece: UInt64 = 1 << 12
    while true {
      let start = end > piece ? end - piece : 0
      try window.load(at: start, count: Int(end - start))
      let count = window.bytes(at: start, count: Int(end - start)).endOfNonzero
      if count > 0 || start == 0 { return start + UInt64(count) }
      end = start
      piece = min(piece * 2, Self.piece)
      guard window.length - end <= Limits.zeroTail else {
        throw VaultError(.limitExceeded, "the file ends in more than 257 MiB of zeros", offset: end)
      }
    }
  }

  private static func header(
    at offset: UInt64, _ window: inout FileWindow, in generation: Generation
  ) throws(VaultError) -> FrameHeader? {
    guard offset % 16 == 0, window.remaining(from: offset) >= UInt64(FrameHeader.length) else { return nil }
    try window.load(at: offset, count: FrameHeader.length)
    return FrameHeader.valid(in: window.bytes(at: offset, count: FrameHeader.length), at: offset, of: generation)
  }

  private static func trailer(before end: UInt64, _ window: inout FileWindow) throws(VaultError) -> FrameTrailer? {
    let length = FrameTrailer.length
    guard (UInt64(length)...window.length).contains(end) else { return nil }
    try window.load(at: end - UInt64(length), count: length)
    return FrameTrailer(parsing: window.bytes(at: end - UInt64(length), count: length))
  }

  // MARK: Its batch

  /// A walk over a root's batch, if all of its frames are whole, linked up to the root, and a checkpoint's.
  ///
  /// Else a torn checkpoint whose root reached the disk would read as committed.
  private static func walk(
    to root: FrameHeader, _ window: inout FileWindow, in generation: Generation
  ) throws(VaultError) -> Walk? {
    let end = root.offset + UInt64(root.frameLength)
    guard root.type == .indexRoot, let trailer = try trailer(before: end, &window), UInt64(trailer.distance) < end,
      let first = try header(at: end - UInt64(trailer.distance), &window, in: generation),
      let start = Chain(resumingAt: first, in: generation)
    else { return nil }
    let wasWalking = window.isWalking
    window.isWalking = true
    defer { window.isWalking = wasWalking }
    let walk = try Walk(&window, from: start, in: generation, batchLimit: 1)
    return walk.newestCheckpoint == start.offset && walk.committed.offset == end ? walk : nil
  }
}
