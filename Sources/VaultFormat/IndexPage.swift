package import VaultCrypto

/// One entry of the index: where the newest record of a name stands (FORMAT.md, "Index"). 24 bytes.
package struct IndexEntry: Equatable, Sendable {
  /// Size in bytes.
  package static let length = 24

  package let tag: LookupTag
  /// Offset of the frame, a multiple of 16 below 2^48.
  package let offset: UInt64
  /// The newest record is a deletion.
  package let isDeletion: Bool
  /// The first 6 bytes of that frame's authTag, so that an entry of another history does not answer.
  package let authTagPrefix: FixedBytes<6>

  package init(tag: LookupTag, offset: UInt64, isDeletion: Bool, authTagPrefix: FixedBytes<6>) {
    self.tag = tag
    self.offset = offset
    self.isDeletion = isDeletion
    self.authTagPrefix = authTagPrefix
  }

  init(parsing reader: inout ByteReader) throws(FormatError) {
    tag = try reader.fixed()
    let high = UInt64(try reader.u16())
    let place = high << 32 | UInt64(try reader.u32())
    isDeletion = place & 1 != 0
    offset = place & ~1
    authTagPrefix = try reader.fixed()
    guard Limits.isFrameOffset(offset) else { throw reader.error("an entry's offset is not a frame's") }
  }

  func serialize(into output: inout OutputSpan<UInt8>) {
    output.append(contentsOf: tag.span)
    let place = offset | (isDeletion ? 1 : 0)
    output.append(bigEndian: UInt16(truncatingIfNeeded: place >> 32))
    output.append(bigEndian: UInt32(truncatingIfNeeded: place))
    output.append(contentsOf: authTagPrefix.span)
  }
}

/// One page of a sorted run (FORMAT.md, "Index"): at most 164 entries with ascending tags.
package struct IndexPage: Equatable, Sendable {
  /// Bytes of the plaintext; the frame has 4096.
  package static let length = 3952
  /// Bytes of the whole frame.
  package static let frameLength = Frame.overhead + length
  /// Entries that fit.
  package static let capacity = 164

  /// Random; the run that the page belongs to.
  package let run: FixedBytes<8>
  /// Number of the page in its run, from 0.
  package let number: UInt32
  package let entries: [IndexEntry]

  /// - Precondition: at most 164 entries, tags ascending.
  package init(run: FixedBytes<8>, number: UInt32, entries: [IndexEntry]) {
    precondition(entries.count <= Self.capacity)
    self.run = run
    self.number = number
    self.entries = entries
  }

  /// Reads a page frame's plaintext.
  ///
  /// - Throws: `index-damaged`.
  package init(parsing plaintext: Span<UInt8>) throws(FormatError) {
    var reader = ByteReader(plaintext, failing: .indexDamaged, in: "index page")
    guard plaintext.count == Self.length else { throw reader.error("has \(plaintext.count) bytes") }
    run = try reader.fixed()
    number = try reader.u32()
    let count = Int(try reader.u16())
    try reader.zeros(2)
    guard count <= Self.capacity else { throw reader.error("claims \(count) entries") }
    var entries: [IndexEntry] = []
    entries.reserveCapacity(count)
    for _ in 0..<count {
      let entry = try IndexEntry(parsing: &reader)
      if let last = entries.last, !last.tag.precedes(entry.tag) { throw reader.error("its tags don't ascend") }
      entries.append(entry)
    }
    self.entries = entries
    try reader.zerosToEnd()
  }

  /// The 3952 bytes to be sealed.
  package func plaintext() -> [UInt8] {
    [UInt8](capacity: Self.length) { (output) in
      output.append(contentsOf: run.span)
      output.append(bigEndian: number)
      output.append(bigEndian: UInt16(entries.count))
      output.append(bigEndian: UInt16(0))
      for entry in entries { entry.serialize(into: &output) }
      output.pad(to: Self.length)
    }
  }

  /// The page of a run of `pages` pages that holds `tag`, if any does: `floor(first 32 bits of tag * pages / 2^32)`.
  package static func number(of tag: LookupTag, pages: UInt32) -> UInt32 {
    number(of: head(of: tag), pages: pages)
  }

  private static func number(of head: UInt32, pages: UInt32) -> UInt32 {
    UInt32((UInt64(head) * UInt64(pages)) >> 32)
  }

  private static func head(of tag: LookupTag) -> UInt32 { tag.span.bigEndian(at: 0) }
}

extension IndexPage {
  /// The smallest number of pages on which none has more than 164 entries; 0 for no entries.
  ///
  /// - Parameter entries: by ascending tag, each tag once.
  package static func count(for entries: [IndexEntry]) -> UInt32 { count(for: [entries]) }

  /// The same of entries in pieces that ascend.
  package static func count(for pieces: [[IndexEntry]]) -> UInt32 {
    var heads: [UInt32] = []
    heads.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
    for piece in pieces {
      for entry in piece { heads.append(head(of: entry.tag)) }
    }
    guard !heads.isEmpty else { return 0 }
    var pages = UInt32((heads.count + capacity - 1) / capacity)
    // Where heads stand close, they fill a page too much with most numbers of pages: such places are asked before all of them are.
    var close: [Int] = []
    while true {
      let isTooFull = close.contains { (place) in
        number(of: heads[place], pages: pages) == number(of: heads[place + capacity], pages: pages)
      }
      if !isTooFull {
        guard let place = firstTooFull(heads, on: pages) else { return pages }
        close.append(place)
      }
      pages += 1
    }
  }

  /// Where the entries of the first page begin that has more of them than it can hold; `nil` when none has.
  private static func firstTooFull(_ heads: [UInt32], on pages: UInt32) -> Int? {
    var (page, start) = (UInt32(0), 0)
    for (place, head) in heads.enumerated() {
      let next = number(of: head, pages: pages)
      if next != page { (page, start) = (next, place) }
      if place - start == capacity { return start }
    }
    return nil
  }
}

extension LookupTag {
  /// Its first 8 bytes as a number: they come in the order of the tags.
  package var head: UInt64 { span.bigEndian(at: 0) }

  /// Whether this tag comes before `other` in the order of byte strings.
  package func precedes(_ other: Self) -> Bool {
    guard head == other.head else { return head < other.head }
    return span.bigEndian(at: 8, as: UInt32.self) < other.span.bigEndian(at: 8, as: UInt32.self)
  }
}
