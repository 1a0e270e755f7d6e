internal import VaultCrypto
internal import VaultFormat

/// Turns a batch into the bytes that are appended. Reads, but writes nothing.
///
/// Two steps, each with work on all cores and some of it in order. First all names are looked up, and the plan settles one
/// record after the other (``BatchPlan``). Then each record is sealed by itself, and its frame linked to the one before it. The
/// links keep one core busy through all of the second step, so nothing is done beside them that could be done in the first.
enum BatchSealer {
  /// A batch ready to be written.
  struct Sealed: Sendable {
    let bytes: [UInt8]
    let records: [View.Sealed]
    /// The chain behind the batch.
    let end: Chain
  }

  /// Records that one thread seals at a time.
  private static let share = 256
  /// Names that one thread looks up at a time.
  private static let names = 4 * share

  /// Seals `batch`, which is not empty, behind the last batch of `view`.
  ///
  /// - Throws: `limit-exceeded` when the batch is too large.
  static func seal(
    _ batch: borrowing VaultBatch, after view: View, at time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> Sealed {
    let (generation, keyring) = (view.generation, view.keyring)
    let term = keyring.newestTerm
    let length = batch.operations.reduce(0) { $0 + $1.frameLength(padding: generation.header.padding) }
    guard length <= Limits.batchBytes else {
      throw VaultError(.limitExceeded, "the batch is larger than 256 MiB", remedy: "write it in several batches")
    }
    var encoder = try format { () throws(FormatError) in
      try BatchEncoder(after: view.chain, in: generation, capacity: length)
    }
    let (parts, last) = try plan(batch, after: view, from: encoder.place, random: &random)
    var sealed: [View.Sealed] = []
    sealed.reserveCapacity(batch.count)
    var rest = parts[...]
    try Threads.inOrder {
      rest.popFirst()
    } work: { (part) throws(VaultError) in
      let frames = try keyring.withCipher(term: term) { (cipher) throws(VaultError) in
        try cipher.seal(part, of: batch, at: time, in: generation)
      }
      return (part.records, frames)
    } give: { (part: (records: [BatchPlan.Planned], frames: LooseFrames)) throws(VaultError) in
      let authTags = try format { () throws(FormatError) in try encoder.append(part.frames) }
      for (planned, authTag) in zip(part.records, authTags) { sealed.append(planned.sealed(authTag)) }
    }
    // The frame that ends the batch vouches for the link before it, which is known only now.
    let authTag = try keyring.withCipher(term: term) { (cipher) throws(VaultError) in
      try cipher.sealLast(last, of: batch, at: time, in: generation, into: &encoder, random: &random)
    }
    sealed.append(last.sealed(authTag))
    return Sealed(bytes: encoder.bytes, records: sealed, end: try end(of: encoder, after: view))
  }

  /// The plan of a batch that begins at `place`: all records but the last, and that one.
  private static func plan(
    _ batch: borrowing VaultBatch, after view: View, from place: FramePlace, random: inout AnyRandomSource
  ) throws(VaultError) -> (parts: [BatchPlan.Part], last: BatchPlan.Planned) {
    var plan = BatchPlan(after: view, from: place, count: batch.count)
    var parts: [BatchPlan.Part] = []
    var last: BatchPlan.Name?
    var next = 0
    try Threads.inOrder { () throws(VaultError) in
      guard next < batch.count else { return Range<Int>?.none }
      let range = next..<min(next + Self.names, batch.count)
      next = range.upperBound
      return range
    } work: { (range) throws(VaultError) in
      (range, try names(range, of: batch, view))
    } give: { (part: (range: Range<Int>, names: [BatchPlan.Name])) throws(VaultError) in
      var range = part.range
      if range.upperBound == batch.count {
        last = part.names.last
        range.removeLast()
      }
      for start in stride(from: range.lowerBound, to: range.upperBound, by: share) {
        let share = start..<min(start + share, range.upperBound)
        let names = part.names[share.lowerBound - range.lowerBound..<share.upperBound - range.lowerBound]
        parts.append(try plan.part(share, of: batch, names, random: &random))
      }
    }
    guard let last else { preconditionFailure("an empty batch is not sealed") }
    return (parts, plan.next(batch.count - 1, of: batch, last))
  }

  /// The lookup tags of names, and where their newest puts stand before the batch.
  private static func names(
    _ range: Range<Int>, of batch: borrowing VaultBatch, _ view: View
  ) throws(VaultError) -> [BatchPlan.Name] {
    let tags = try view.keyring.withCipher { (cipher) throws(VaultError) in
      var tags: [LookupTag] = []
      tags.reserveCapacity(range.count)
      for number in range { tags.append(try cipher.tag(of: batch.span(batch.operations[number].name))) }
      return tags
    }
    var names: [BatchPlan.Name] = []
    names.reserveCapacity(range.count)
    for (number, tag) in zip(range, tags) {
      let isEvent = batch.operations[number].kind == .event
      names.append(BatchPlan.Name(tag: tag, put: isEvent ? 0 : try view.place(of: tag)?.offset ?? 0))
    }
    return names
  }

  /// The chain behind the batch: a batch that this program could not read is never written.
  ///
  /// The encoder has checked the order of its frames as a reader will. Its checksums and links are computed a second time, from
  /// the bytes, only in a small batch, whose sync costs far more: in a large one that would be a third of all work.
  static func end(of encoder: borrowing BatchEncoder, after view: View) throws(VaultError) -> Chain {
    let end = try format { () throws(FormatError) in try encoder.end() }
    guard encoder.position <= 64 else { return end }
    let bytes = encoder.bytes
    guard try view.chain.following(bytes.span, in: view.generation) == end else {
      throw VaultError(.chainBroken, "the batch was not sealed as it will be read")
    }
    return end
  }
}

extension Chain {
  /// Walks over whole frames, as a reader will.
  func following(_ bytes: Span<UInt8>, in generation: Generation) throws(VaultError) -> Chain {
    try format { () throws(FormatError) in
      var chain = self
      var hasher = try LinkHasher()
      while chain.offset < offset + UInt64(bytes.count) {
        let rest = bytes.extracting(Int(chain.offset - offset)..<bytes.count)
        let header = try FrameHeader(parsing: rest, at: chain.offset, in: generation)
        _ = try chain.accept(header, in: rest, hasher: &hasher)
      }
      return chain
    }
  }
}
