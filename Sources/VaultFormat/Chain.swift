internal import VaultCrypto

/// Where a walk over a file stands, and what the next frame must be (FORMAT.md, "Order of checks").
///
/// Everything here needs no key: it checks that the bytes are whole and in order, not who wrote them.
package struct Chain: Equatable, Sendable {
  /// Offset of the next frame.
  package private(set) var offset: UInt64
  /// Sequence of the last frame; 0 before the first.
  package private(set) var sequence: UInt64
  /// Link of the last frame; link(0) before the first.
  package private(set) var link: Link
  /// Offset of the newest index root in the complete batches; 0 if there is none.
  package private(set) var newestRoot: UInt64
  /// Number that the next frame has in its batch; 0 between batches.
  package private(set) var position: UInt32 = 0
  /// Offset at which the batch of the next frame begins.
  package private(set) var batchStart: UInt64
  private var shape: BatchShape
  private let fileHeader: FileHeader
  /// Number of the last slot of the batch.
  private var lastSlot: UInt32?

  /// Before the first frame of a file.
  package init(startOf generation: Generation) {
    offset = UInt64(FileHeader.length)
    sequence = 0
    link = generation.zeroLink
    newestRoot = 0
    batchStart = offset
    shape = BatchShape(isFirst: true)
    fileHeader = generation.header
  }

  /// Before a batch in the midst of a file, as the batch's first frame tells it: what stands before is taken from there and
  /// was not computed.
  ///
  /// - Parameter first: valid where it stands; `nil` is given for one that begins no batch behind the founding one.
  package init?(resumingAt first: FrameHeader, in generation: Generation) {
    guard first.position == 0, first.offset > UInt64(FileHeader.length), (1..<Limits.counter).contains(first.sequence)
    else { return nil }
    offset = first.offset
    sequence = first.sequence - 1
    link = first.previousLink
    newestRoot = first.newestRoot
    batchStart = first.offset
    shape = BatchShape(isFirst: false)
    fileHeader = generation.header
  }

  /// Whether all frames so far belong to complete batches.
  package var isBetweenBatches: Bool { position == 0 }

  /// Whether the frame that comes next lies in the file's first batch.
  package var isInFirstBatch: Bool { batchStart == UInt64(FileHeader.length) }

  /// Checks the frame that stands at ``offset`` and moves behind it.
  ///
  /// - Parameters:
  ///   - header: the frame's header, which was found valid there.
  ///   - bytes: the file's bytes from the frame on.
  /// - Returns: the frame.
  /// - Throws: `frame-damaged` or `slot-damaged` for the frame's own bytes, `chain-broken` for its place,
  ///   `limit-exceeded` for a batch that grows too large. The chain is then as it was.
  @_lifetime(copy bytes)
  package mutating func accept(
    _ header: FrameHeader, in bytes: Span<UInt8>, hasher: inout LinkHasher
  ) throws(FormatError) -> Frame {
    let frame = try Frame(header, in: bytes)
    let step = try step(over: frame, with: frame.checksum)
    advance(over: step, link: try hasher.link(of: frame.bytes))
    return frame
  }

  /// The same for a frame whose digest was computed before.
  package mutating func accept(_ frame: borrowing Frame, with digest: FrameDigest) throws(FormatError) {
    advance(over: try step(over: frame, with: digest.checksum), link: digest.link)
  }

  /// What becomes of the batch with one frame more.
  private struct Step {
    let header: FrameHeader
    let end: UInt64
    let shape: BatchShape
    /// The frame's number, if it is a slot.
    let slot: UInt32?
  }

  /// Checks all of a frame but its link, which takes longer than the rest and is the next frame's to tell.
  private func step(over frame: borrowing Frame, with checksum: UInt32) throws(FormatError) -> Step {
    let header = frame.header
    try checkPlace(of: header)
    let end = header.offset + UInt64(header.frameLength)
    let trailer = try frame.trailer(with: checksum)
    guard UInt64(trailer.distance) == end - batchStart else {
      throw header.damaged("its trailer names another start of the batch")
    }
    return Step(header: header, end: end, shape: try shape(with: header, end: end), slot: try checkedSlot(of: frame))
  }

  /// The batch with one frame more.
  private func shape(with header: FrameHeader, end: UInt64) throws(FormatError) -> BatchShape {
    var next = shape
    try next.accept(header)
    try checkSize(of: header, end: end, isCheckpoint: next.isCheckpoint)
    return next
  }

  private mutating func advance(over step: Step, link: Link) {
    let header = step.header
    self.link = link
    sequence = header.sequence
    offset = step.end
    lastSlot = header.endsBatch ? nil : step.slot ?? lastSlot
    if header.endsBatch {
      if header.type == .indexRoot { newestRoot = header.offset }
      position = 0
      batchStart = step.end
      shape = BatchShape(isFirst: false)
    } else {
      position += 1
      shape = step.shape
    }
  }

  /// Moves over index pages side by side whose frames are bad, each of which counts as 4096 bytes and one sequence
  /// (FORMAT.md, "Reading by the index, and when it is bad"). Whether they may be passed over is the caller's to know.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - next: the header of the frame behind them. Its previous link is the last page's link, and its position tells whether
  ///     one of them ended its batch, and which.
  /// - Returns: whether one did.
  /// - Throws: `chain-broken` where no page may stand, or none can have ended its batch; `limit-exceeded`.
  package mutating func passOver(badPages count: Int, before next: FrameHeader) throws(FormatError) -> Bool {
    let length = UInt64(IndexPage.frameLength)
    var last: Int?
    if UInt64(next.position) != UInt64(position) + UInt64(count) {
      last = count - Int(next.position)
      guard let last, last > 0 else {
        throw FormatError(
          .chainBroken, "its position in the batch does not follow the damaged index pages before it",
          offset: next.offset, sequence: next.sequence)
      }
    }
    for number in 1...count {
      var page = FrameHeader(
        type: .indexPage, sequence: sequence + 1, offset: offset, position: position, term: 0,
        ciphertextLength: IndexPage.length, previousLink: link, newestRoot: newestRoot)
      page.endsBatch = number == last
      let end = offset + length
      let step = Step(header: page, end: end, shape: try shape(with: page, end: end), slot: nil)
      advance(over: step, link: number == count ? next.previousLink : link)
    }
    return last != nil
  }

  private func checkPlace(of header: FrameHeader) throws(FormatError) {
    let found: String
    if header.sequence != sequence + 1 {
      found = "its sequence is \(header.sequence) instead of \(sequence + 1)"
    } else if header.position != position {
      found = "its position in the batch is \(header.position) instead of \(position)"
    } else if header.previousLink != link {
      found = "it does not link to the frame before it"
    } else if header.newestRoot != newestRoot {
      found = "it names an index root at \(header.newestRoot) instead of \(newestRoot)"
    } else if (header.term != 0) != header.type.usesDataKey {
      found = "its term is \(header.term)"
    } else {
      return
    }
    throw FormatError(
      .chainBroken, "the frame is not the one that belongs here: \(found)", offset: header.offset,
      sequence: header.sequence)
  }

  /// Checks the clear part, which needs no key.
  ///
  /// - Returns: the number of a slot.
  private func checkedSlot(of frame: borrowing Frame) throws(FormatError) -> UInt32? {
    let header = frame.header
    if header.type == .anchor {
      guard frame.clear.equals(fileHeader.serialized().span) else {
        throw header.damaged("its anchor is of another file")
      }
    }
    guard header.type == .keySlot else { return nil }
    let number: UInt32
    do throws(FormatError) {
      number = try KeySlot(parsing: frame.clear).number
    } catch {
      throw error.at(offset: header.offset, sequence: header.sequence)
    }
    if let lastSlot, number <= lastSlot { throw header.damaged("key slot \(number) stands behind slot \(lastSlot)") }
    return number
  }

  private func checkSize(of header: FrameHeader, end: UInt64, isCheckpoint: Bool) throws(FormatError) {
    let frames = isCheckpoint ? Limits.checkpointFrames : Limits.batchFrames
    let bytes = isCheckpoint ? Limits.checkpointBytes : Limits.batchBytes
    guard position < frames, end - batchStart <= UInt64(bytes), end < Limits.fileLength else {
      throw FormatError(
        .limitExceeded, "a batch has more than \(frames) frames or \(bytes) bytes", offset: header.offset,
        sequence: header.sequence)
    }
  }
}
