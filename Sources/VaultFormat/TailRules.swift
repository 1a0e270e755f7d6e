internal import VaultCrypto

/// Decides what the bytes behind the last complete batch are: nothing, an append that was interrupted, or damage
/// (FORMAT.md, "Tail rules", whose names T0 to T4 are used here).
///
/// A torn tail may be dropped, because nothing in it was ever acknowledged. Damage may hide an acknowledged batch, and is
/// never dropped.
package struct TailRules: ~Escapable {
  /// What the tail is, unless it is damage.
  package enum Verdict: Equatable, Sendable {
    /// Nothing, or zeros: space allocated ahead.
    case clean
    /// An append that a crash interrupted.
    case torn
  }

  /// Whether a frame opens, as far as the caller's keys tell.
  package enum Opening: Sendable {
    case opens
    case fails
    /// The data key of the frame's term is not known.
    case keyMissing
  }

  private let tail: Span<UInt8>
  private let chain: Chain
  private let generation: Generation
  /// Bytes of `tail` up to the last that is not zero.
  private let end: Int

  /// - Parameters:
  ///   - tail: the file's bytes from the end of the last complete batch to the end of the file.
  ///   - chain: that end, between two batches.
  @_lifetime(copy tail)
  package init(_ tail: Span<UInt8>, after chain: Chain, in generation: Generation) {
    precondition(chain.isBetweenBatches)
    self.tail = tail
    self.chain = chain
    self.generation = generation
    end = tail.endOfNonzero
  }

  /// Applies the rules.
  ///
  /// - Parameters:
  ///   - failure: why the walk over the file did not go on: what T1 and T2 report.
  ///   - opens: whether a whole frame opens; a caller without keys says that it does.
  ///
  /// Without keys it can't be told whether a generation behind the first has the anchor that completes it: that is the
  /// caller's to ask.
  ///
  /// - Throws: `failure`, or `tail-damaged`.
  package func judge(
    failure: FormatError?, opens: (borrowing Frame) throws(FormatError) -> Opening
  ) throws(FormatError) -> Verdict {
    // The founding batch is never torn: a file is made under another name.
    guard !chain.isInFirstBatch else { throw failure ?? damage("the file's first batch is not complete") }
    guard end > 0 else { return .clean }
    if provesLaterBatch || hasBytesBehindEnd {
      throw failure ?? damage("a batch is not complete although another one follows it")
    }
    return try walk(opens)
  }

  // MARK: What is asked of the bytes

  private func header(at place: Int) -> FrameHeader? {
    FrameHeader.valid(
      in: tail.extracting(place..<tail.count), at: chain.offset + UInt64(place), of: generation)
  }

  private func trailer(at place: Int) -> FrameTrailer? {
    guard tail.count - place >= FrameTrailer.length else { return nil }
    return FrameTrailer(parsing: tail.extracting(place..<tail.count))
  }

  /// Whether a sector that lies, as far as it is in the tail, entirely zero touches these bytes.
  private func meetsHole(_ range: Range<Int>) -> Bool {
    let base = Int(chain.offset % 512)
    var sector = (range.lowerBound + base) / 512 * 512 - base
    while sector < min(range.upperBound, tail.count) {
      if tail.extracting(max(sector, 0)..<min(sector + 512, tail.count)).isZero { return true }
      sector += 512
    }
    return false
  }

  private func damage(_ what: String, at place: Int = 0) -> FormatError {
    FormatError(.tailDamaged, what, offset: chain.offset + UInt64(place))
  }

  // MARK: T1 and T2

  /// T1: a frame of another batch, or the end of one that began elsewhere, shows that this batch was once whole.
  private var provesLaterBatch: Bool {
    for place in stride(from: 0, to: end, by: 16) {
      if let header = header(at: place), header.sequence &- UInt64(header.position) != chain.sequence + 1 {
        return true
      }
      if let trailer = trailer(at: place), place + FrameTrailer.length != Int(trailer.distance) { return true }
    }
    return false
  }

  /// T2: nothing is written behind the end of a batch before the batch is whole.
  private var hasBytesBehindEnd: Bool {
    for place in stride(from: 0, to: end, by: 16) {
      if let header = header(at: place), header.endsBatch, place + header.frameLength < end { return true }
    }
    return false
  }

  // MARK: T3 and T4

  private func walk(_ opens: (borrowing Frame) throws(FormatError) -> Opening) throws(FormatError) -> Verdict {
    var hasher = try LinkHasher()
    var place = 0
    var evidence = false
    /// What the next frame must continue; `nil` when the frame before is not whole.
    var before: (link: Link, position: UInt32)? = (chain.link, 0)
    while true {
      let left = tail.count - place
      if left <= 0 { return .torn }
      if left < FrameHeader.length { return try judgeRest(from: place) }
      guard let header = header(at: place) else {
        guard meetsHole(place..<place + FrameHeader.length) else {
          throw damage("the tail holds what no interrupted append leaves", at: place)
        }
        guard let next = nextHeader(behind: place) else { return .torn }
        place = next
        evidence = true
        before = nil
        continue
      }
      if let before, header.position != before.position || header.previousLink != before.link {
        throw damage("a frame in the tail does not follow the one before it", at: place)
      }
      guard header.position < Limits.batchFrames, (try? header.checkShape()) != nil else {
        throw damage("a frame in the tail can't be right", at: place)
      }
      try checkExtent(of: header, at: place)
      let frameEnd = place + header.frameLength
      if frameEnd > tail.count { return .torn }
      if meetsHole(place..<frameEnd) {
        evidence = true
        before = nil
      } else {
        let link = try openWhole(header, at: place, evidence: evidence, &hasher, opens)
        before = (link, header.position + 1)
      }
      if header.endsBatch {
        guard evidence else {
          throw damage("the tail is not a batch, and nothing shows that a crash tore it", at: place)
        }
        return .torn
      }
      place = frameEnd
    }
  }

  /// T3 (a): too little is left for a header.
  private func judgeRest(from place: Int) throws(FormatError) -> Verdict {
    let rest = tail.extracting(place..<tail.count)
    let sync = FrameHeader.sync
    let begun = min(rest.count, sync.count)
    let isBegunHeader = rest.extracting(first: begun).equals(sync.span.extracting(first: begun))
    guard isBegunHeader || meetsHole(place..<tail.count) else {
      throw damage("the file ends with what no interrupted append leaves", at: place)
    }
    return .torn
  }

  private func nextHeader(behind place: Int) -> Int? {
    for next in stride(from: place + 16, to: end, by: 16) where header(at: next) != nil { return next }
    return nil
  }

  /// T4: a header or a trailer inside a frame's stated extent shows that its length was changed.
  private func checkExtent(of header: FrameHeader, at place: Int) throws(FormatError) {
    let last = min(place + header.frameLength - FrameTrailer.length, end)
    for inner in stride(from: place + 96, to: last, by: 16)
    where self.header(at: inner) != nil || trailer(at: inner) != nil {
      throw damage("the length of a frame in the tail was changed", at: place)
    }
  }

  /// T3 (c): a frame that meets no hole was written in full, and must be what was sealed.
  private func openWhole(
    _ header: FrameHeader, at place: Int, evidence: Bool, _ hasher: inout LinkHasher,
    _ opens: (borrowing Frame) throws(FormatError) -> Opening
  ) throws(FormatError) -> Link {
    let bytes = tail.extracting(place..<tail.count)
    let opening: Opening
    do {
      let frame = try Frame(header, in: bytes)
      _ = try frame.checkedTrailer()
      opening = try opens(frame)
    } catch {
      if error.code == .cryptoFailure { throw error }
      throw damage("a frame in the tail is damaged", at: place)
    }
    guard opening == .opens || opening == .keyMissing && evidence else {
      throw damage("a frame in the tail does not open", at: place)
    }
    return try hasher.link(of: bytes.extracting(first: header.frameLength))
  }
}
