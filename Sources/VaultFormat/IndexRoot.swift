package import VaultCrypto

/// What a checkpoint ends with: which runs make up the index, and where their pages are (FORMAT.md, "Index").
package struct IndexRoot: Equatable, Sendable {
  /// Pages of a run that stand side by side in the file.
  package struct Segment: Equatable, Sendable {
    package let firstPage: UInt32
    /// Offset of that page's frame.
    package let offset: UInt64
    /// Link of the frame before it.
    package let linkBefore: Link

    package init(firstPage: UInt32, offset: UInt64, linkBefore: Link) {
      self.firstPage = firstPage
      self.offset = offset
      self.linkBefore = linkBefore
    }
  }

  /// One sorted run.
  package struct Run: Equatable, Sendable {
    /// Random.
    package let id: FixedBytes<8>
    package let level: UInt8
    package let pages: UInt32
    package let entries: UInt64
    /// The sequences of frames that the run covers.
    package let sequences: ClosedRange<UInt64>
    /// The first begins with page 0.
    package let segments: [Segment]

    /// - Precondition: 1 to 65 535 segments.
    package init(
      id: FixedBytes<8>, level: UInt8, pages: UInt32, entries: UInt64, sequences: ClosedRange<UInt64>,
      segments: [Segment]
    ) {
      precondition((1...Int(UInt16.max)).contains(segments.count))
      self.id = id
      self.level = level
      self.pages = pages
      self.entries = entries
      self.sequences = sequences
      self.segments = segments
    }
  }

  /// The last sequence before the checkpoint.
  package let lastSequence: UInt64
  /// The last version before the checkpoint.
  package let lastVersion: UInt64
  /// Offset of the newest event; 0 if there is none.
  package let newestEvent: UInt64
  /// Newest first, at most 64.
  package let runs: [Run]

  /// - Precondition: at most 64 runs.
  package init(lastSequence: UInt64, lastVersion: UInt64, newestEvent: UInt64, runs: [Run]) {
    precondition(runs.count <= Limits.runs)
    self.lastSequence = lastSequence
    self.lastVersion = lastVersion
    self.newestEvent = newestEvent
    self.runs = runs
  }

  /// Reads a root frame's plaintext.
  ///
  /// - Throws: `index-damaged`; `limit-exceeded` for more than 64 runs.
  package init(parsing plaintext: Span<UInt8>) throws(FormatError) {
    var reader = ByteReader(plaintext, failing: .indexDamaged, in: "index root")
    lastSequence = try reader.u64()
    lastVersion = try reader.u64()
    newestEvent = try reader.u64()
    let count = Int(try reader.u32())
    try reader.zeros(4)
    guard count <= Limits.runs else {
      throw FormatError(.limitExceeded, "the index has \(count) runs; \(Limits.runs) are allowed")
    }
    guard lastSequence < Limits.counter, lastVersion < Limits.counter else {
      throw reader.error("its last sequence or version is out of range")
    }
    guard newestEvent == 0 || Limits.isFrameOffset(newestEvent) else {
      throw reader.error("its event's offset is not a frame's")
    }
    var runs: [Run] = []
    for _ in 0..<count {
      let run = try Run(parsing: &reader)
      // Runs adjoin: the newest ends where the checkpoint begins, each older one where the newer begins.
      let end = runs.last.map { $0.sequences.lowerBound - 1 } ?? lastSequence
      guard run.sequences.upperBound == end else { throw reader.error("its runs don't adjoin") }
      runs.append(run)
    }
    self.runs = runs
    try reader.zerosToBlock()
  }

  /// The bytes to be sealed: a multiple of 16.
  package func plaintext() -> [UInt8] {
    let length = runs.reduce(32) { $0 + 40 + $1.segments.count * Segment.length }.rounded(upTo: 16)
    return [UInt8](capacity: length) { (output) in
      output.append(bigEndian: lastSequence)
      output.append(bigEndian: lastVersion)
      output.append(bigEndian: newestEvent)
      output.append(bigEndian: UInt32(runs.count))
      output.append(bigEndian: UInt32(0))
      for run in runs { run.serialize(into: &output) }
      output.pad(to: length)
    }
  }
}

extension IndexRoot {
  /// Checks what the root says against the place where it stands.
  ///
  /// - Parameter header: of the root's frame.
  /// - Throws: `index-damaged`.
  package func check(isIn header: FrameHeader) throws(FormatError) {
    let batchStart = header.sequence &- UInt64(header.position)
    let isInOrder =
      lastSequence == batchStart &- 1 && newestEvent < header.offset
      && runs.last.map { $0.sequences.lowerBound == 1 } ?? true
      && runs.allSatisfy { (run) in
        run.entries > 0 && run.pageRanges.allSatisfy { $0.upperBound <= header.offset }
      }
    guard isInOrder else {
      throw FormatError(
        .indexDamaged, "the index root can't be right where it stands", offset: header.offset, sequence: header.sequence
      )
    }
  }
}

extension IndexRoot.Run {
  /// The bytes of the file that each segment's pages take up.
  package var pageRanges: [Range<UInt64>] {
    segments.enumerated().map { (place, segment) in
      let end = place + 1 < segments.count ? segments[place + 1].firstPage : pages
      return segment.offset..<segment.offset + UInt64(IndexPage.frameLength) * UInt64(end - segment.firstPage)
    }
  }

  init(parsing reader: inout ByteReader) throws(FormatError) {
    id = try reader.fixed()
    level = try reader.u8()
    try reader.zeros(1)
    let count = Int(try reader.u16())
    pages = try reader.u32()
    entries = try reader.u64()
    let first = try reader.u64()
    let last = try reader.u64()
    guard 1 <= first, first <= last, last < Limits.counter else { throw reader.error("a run covers no sequences") }
    sequences = first...last
    guard entries <= UInt64(pages) * UInt64(IndexPage.capacity) else {
      throw reader.error("a run claims more entries than its pages hold")
    }
    guard count >= 1, count * IndexRoot.Segment.length <= reader.remaining else {
      throw reader.error("a run claims \(count) segments")
    }
    var segments: [IndexRoot.Segment] = []
    segments.reserveCapacity(count)
    for _ in 0..<count {
      let segment = try IndexRoot.Segment(parsing: &reader)
      if let before = segments.last {
        guard segment.firstPage > before.firstPage else { throw reader.error("a run's segments don't ascend") }
        guard segment.firstPage - before.firstPage >= IndexRoot.Segment.leastPages else {
          throw reader.error("a run has a segment of less than \(IndexRoot.Segment.leastPages) pages before its last")
        }
      } else {
        guard segment.firstPage == 0 else { throw reader.error("a run does not begin with page 0") }
      }
      guard segment.firstPage < pages else { throw reader.error("a segment lies behind its run") }
      segments.append(segment)
    }
    self.segments = segments
  }

  func serialize(into output: inout OutputSpan<UInt8>) {
    output.append(contentsOf: id.span)
    output.append(level)
    output.append(0)
    output.append(bigEndian: UInt16(segments.count))
    output.append(bigEndian: pages)
    output.append(bigEndian: entries)
    output.append(bigEndian: sequences.lowerBound)
    output.append(bigEndian: sequences.upperBound)
    for segment in segments { segment.serialize(into: &output) }
  }
}

extension IndexRoot.Segment {
  /// Size in bytes.
  static let length = 44
  /// Pages of a segment, unless it ends its run: so that the root of a large vault stays small.
  package static let leastPages: UInt32 = 1024

  init(parsing reader: inout ByteReader) throws(FormatError) {
    firstPage = try reader.u32()
    offset = try reader.u64()
    linkBefore = try reader.fixed()
    guard Limits.isFrameOffset(offset) else { throw reader.error("a segment's offset is not a frame's") }
  }

  func serialize(into output: inout OutputSpan<UInt8>) {
    output.append(bigEndian: firstPage)
    output.append(bigEndian: offset)
    output.append(contentsOf: linkBefore.span)
  }
}
