internal import VaultFormat

/// Reads the records of a file from its first byte on, in order, and opens them on all cores.
///
/// What it may take grows with the file: it goes up to the end of a view, and on to that of a later one.
struct RecordSource: Sendable {
  /// Bytes of records that are in memory at a time.
  private static let portion = 16 << 20

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

  /// The next records, some 16 MiB; none at the end of `view`.
  ///
  /// - Throws: `frame-damaged`, `chain-broken` for a frame that is not the one that belongs there; `io`.
  mutating func next(of view: View) throws(VaultError) -> [RecordBlock] {
    var window = try FileWindow(view.file)
    var pieces = [FramePiece()]
    var bytes = 0
    while offset < view.chain.offset, bytes < Self.portion {
      guard let header = try header(&window, of: view) else { continue }
      if header.type == .record {
        try window.load(at: header.offset, count: header.frameLength)
        if !pieces[pieces.count - 1].takes(header) { pieces.append(FramePiece()) }
        pieces[pieces.count - 1].append(header, window.bytes(at: header.offset, count: header.frameLength))
        bytes += header.frameLength
      }
      offset += UInt64(header.frameLength)
      end = offset
    }
    return try open(pieces.filter { !$0.frames.isEmpty }, of: view)
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
      sequence = header.sequence
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

  private mutating func open(_ pieces: [FramePiece], of view: View) throws(VaultError) -> [RecordBlock] {
    let (target, isOver, skipsDamaged) = (target, isOver, skipsDamaged)
    let opened = try Threads.map(pieces) { (piece) throws(VaultError) in
      try piece.open(from: view, for: target, isOver: isOver, skipsDamaged: skipsDamaged)
    }
    for failure in opened.flatMap(\.failures) {
      failures.append(failure)
      if let offset = failure.offset { lost.append(offset..<offset + 1) }
    }
    return opened.map(\.block)
  }
}
