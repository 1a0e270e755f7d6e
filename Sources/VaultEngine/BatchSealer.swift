internal import VaultCrypto
internal import VaultFormat

/// Turns a batch into the bytes that are appended. Reads, but writes nothing.
///
/// Three steps: the plan (``BatchPlan``), which goes through the records in order; sealing, of each record by itself and so on
/// all cores; and linking each frame to the one before it, in order again, while what follows is still being sealed.
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

  /// Seals `batch`, which is not empty, behind the last batch of `view`.
  ///
  /// - Throws: `limit-exceeded` when the batch is too large.
  static func seal(
    _ batch: borrowing VaultBatch, after view: View, at time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> Sealed {
    let (generation, keyring) = (view.generation, view.keyring)
    let term = keyring.newestTerm
    let names = try names(of: batch, view)
    let length = batch.operations.reduce(0) { $0 + $1.frameLength(padding: generation.header.padding) }
    guard length <= Limits.batchBytes else {
      throw VaultError(.limitExceeded, "the batch is larger than 256 MiB", remedy: "write it in several batches")
    }
    var encoder = try format { () throws(FormatError) in
      try BatchEncoder(after: view.chain, in: generation, capacity: length)
    }
    var plan = BatchPlan(after: view, at: time, from: encoder.place, count: batch.count)
    var sealed: [View.Sealed] = []
    sealed.reserveCapacity(batch.count)
    let last = batch.count - 1
    var next = 0
    try Threads.inOrder { () throws(VaultError) in
      guard next < last else { return BatchPlan.Part?.none }
      let range = next..<min(next + share, last)
      next = range.upperBound
      return try plan.part(range, of: batch, names, random: &random)
    } work: { (part) throws(VaultError) in
      let frames = try keyring.withCipher(term: term) { (cipher) throws(VaultError) in
        try cipher.seal(part, of: batch, in: generation)
      }
      return (part.records, frames)
    } give: { (part: (records: [BatchPlan.Planned], frames: LooseFrames)) throws(VaultError) in
      let authTags = try format { () throws(FormatError) in try encoder.append(part.frames) }
      for (planned, authTag) in zip(part.records, authTags) { sealed.append(planned.sealed(authTag)) }
    }
    // The frame that ends the batch vouches for the link before it, which is known only now.
    let operation = batch.operations[last]
    let planned = plan.next(operation, names[last])
    let authTag = try keyring.withCipher(term: term) { (cipher) throws(VaultError) in
      try cipher.sealLast(planned, of: batch, in: generation, into: &encoder, random: &random)
    }
    sealed.append(planned.sealed(authTag))
    return Sealed(bytes: encoder.bytes, records: sealed, end: try end(of: encoder, after: view))
  }

  /// The lookup tags of all names, and where their newest puts stand before the batch.
  private static func names(
    of batch: borrowing VaultBatch, _ view: View
  ) throws(VaultError) -> [BatchPlan.Name] {
    var names: [BatchPlan.Name] = []
    names.reserveCapacity(batch.count)
    var next = 0
    try Threads.inOrder { () throws(VaultError) in
      guard next < batch.count else { return Range<Int>?.none }
      defer { next = min(next + 4 * share, batch.count) }
      return next..<min(next + 4 * share, batch.count)
    } work: { (range) throws(VaultError) in
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
        names.append(BatchPlan.Name(tag: tag, put: isEvent ? nil : try view.place(of: tag)?.offset))
      }
      return names
    } give: { (part: [BatchPlan.Name]) in
      names += part
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
