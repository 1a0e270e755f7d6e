internal import VaultFormat

/// Reads the records of a file from its first byte on, in order, and opens them on all cores.
///
/// What it may take grows with the file: it goes up to the end of a view, and on to that of a later one.
struct RecordSource: Sendable {
  /// Bytes of the file that are in memory at a time: little enough to stay in the processor's cache.
  private static let portion: UInt64 = 4 << 20

  private let target: Keyring
  private let isOver: (@Sendable (Span<UInt8>) -> Bool)?
  private let skipsDamaged: Bool
  /// Offset of the next frame.
  private(set) var offset = UInt64(FileHeader.length)
  /// Where the last frame ended; less than ``offset`` behind damage.
  private var end = UInt64(FileHeader.length)
  /// Sequence of the last frame.
  private(set) var sequence: UInt64 = 0
  /// Why frames were left out.
  private(set) var failures: [VaultError] = []
  /// Where they stood.
  private(set) var lost: [Range<UInt64>] = []

  /// - Parameters:
  ///   - target: the keys of the file that the records are for.
  ///   - isOver: asked of every put's value.
  ///   - skipsDamaged: leaves out record frames that are damaged.
  init(for target: Keyring, isOver: (@Sendable (Span<UInt8>) -> Bool)?, skipsDamaged: Bool) {
    self.target = target
    self.isOver = isOver
    self.skipsDamaged = skipsDamaged
  }

  /// The records of the next 4 MiB, which may be none.
  ///
  /// - Throws: `frame-damaged`, `chain-broken` for a frame that is not the one that belongs there; `io`.
  mutating func next(of view: View) throws(VaultError) -> [RecordBlock] {
    let (target, isOver, skipsDamaged) = (target, isOver, skipsDamaged)
    var window = try FileWindow(view.file)
    let end = offset + Self.portion
    var opened: [FramePiece.Opened] = []
    try Threads.inOrder { () throws(VaultError) in
      try piece(of: view, before: end, &window)
    } work: { (piece) throws(VaultError) in
      try piece.open(from: view, for: target, isOver: isOver, skipsDamaged: skipsDamaged)
    } give: { (piece: FramePiece.Opened) in
      opened.append(piece)
    }
    for failure in opened.flatMap(\.failures) {
      failures.append(failure)
      if let offset = failure.offset { lost.append(offset..<offset + 1) }
    }
    return opened.map(\.block)
  }

  /// The next record frames that begin before `limit`.
  ///
  /// - Returns: `nil` when there are none.
  private mutating func piece(
    of view: View, before limit: UInt64, _ window: inout FileWindow
  ) throws(VaultError) -> FramePiece? {
    var piece = FramePiece()
    while offset < min(limit, view.chain.offset) {
      guard let header = try header(&window, of: view) else { continue }
      if header.type == .record {
        guard piece.takes(header) else { break }
        try window.load(at: header.offset, count: header.frameLength)
        piece.append(header, window.bytes(at: header.offset, count: header.frameLength))
      }
      sequence = header.sequence
      offset += UInt64(header.frameLength)
      end = offset
    }
    return piece.frames.isEmpty ? nil : piece
  }

  /// The header of the next frame, which must follow the one before.
  ///
  /// - Returns: `nil` when something was passed over instead.
  private mutating func header(_ window: inout FileWindow, of view: View) throws(VaultError) -> FrameHeader? {
    do throws(VaultError) {
      let header = try window.header(at: offset, in: view.generation)
      // As many frames may be missing as have room in what was passed over.
      let room = (offset - end) / UInt64(Frame.overhead)
      guard header.sequence > sequence, header.sequence - sequence - 1 <= room,
        UInt64(header.frameLength) <= view.chain.offset - offset
      else {
        throw VaultError(
          .chainBroken, "the frame is not the one that follows here", offset: offset, sequence: header.sequence)
      }
      return header
    } catch {
      guard skipsDamaged, error.code.isDamage else { throw error }
      failures.append(error)
      let start = offset
      offset += 16
      while offset < view.chain.offset {
        if try isHeader(&window, of: view) { break }
        offset += 16
      }
      lost.append(start..<offset)
      return nil
    }
  }

  private func isHeader(_ window: inout FileWindow, of view: View) throws(VaultError) -> Bool {
    try window.load(at: offset, count: FrameHeader.length)
    let bytes = window.bytes(at: offset, count: FrameHeader.length)
    return FrameHeader.valid(in: bytes, at: offset, of: view.generation) != nil
  }
}
