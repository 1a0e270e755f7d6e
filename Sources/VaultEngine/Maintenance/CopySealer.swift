internal import VaultCrypto
internal import VaultFormat

/// Seals records of another file as one batch, on all cores, in the steps of ``BatchSealer``.
enum CopySealer {
  /// A block on its way: what the thread that seals it needs.
  private struct Part: Sendable {
    /// Without the record that ends the batch.
    let block: RecordBlock
    /// Where the first record will stand.
    let place: FramePlace
    /// What each record has as the one before.
    let previous: [UInt64]
    let offsets: [UInt64]
    let nonces: Nonces
    /// Bytes of their frames.
    let length: Int
  }

  /// - Returns: the batch; `nil` when there are no records.
  static func seal(
    _ blocks: [RecordBlock], after view: View, random: inout AnyRandomSource
  ) throws(VaultError) -> BatchSealer.Sealed? {
    var blocks = blocks.filter { !$0.items.isEmpty }
    guard let lastBlock = blocks.last, let last = blocks[blocks.count - 1].items.popLast() else { return nil }
    let (generation, keyring, padding) = (view.generation, view.keyring, view.generation.header.padding)
    let count = blocks.reduce(1) { $0 + $1.items.count }
    let length = blocks.reduce(last.frameLength(padding: padding)) { (sum, block) in
      block.items.reduce(sum) { $0 + $1.frameLength(padding: padding) }
    }
    var encoder = try format { () throws(FormatError) in
      try BatchEncoder(after: view.chain, in: generation, capacity: length)
    }
    var predecessors = Predecessors(after: view, count: count)
    var (place, parts) = (encoder.place, [Part]())
    var rest = blocks[...]
    try Threads.inOrder {
      rest.popFirst()
    } work: { (block) throws(VaultError) in
      (block, try CopyPlan.known(block.items, in: view))
    } give: { (found: (block: RecordBlock, known: [UInt64])) throws(VaultError) in
      parts.append(try part(found.block, found.known, &place, &predecessors, padding, &random))
    }
    var sealed: [View.Sealed] = []
    sealed.reserveCapacity(count)
    var waiting = parts[...]
    try Threads.inOrder {
      waiting.popFirst()
    } work: { (part) throws(VaultError) in
      (part, try frames(of: part, keyring, in: generation))
    } give: { (done: (part: Part, frames: LooseFrames)) throws(VaultError) in
      let authTags = try format { () throws(FormatError) in try encoder.append(done.frames) }
      for (number, item) in done.part.block.items.enumerated() {
        sealed.append(item.sealed(at: done.part.offsets[number], authTags[number]))
      }
    }
    // The frame that ends the batch vouches for the link before it, which is known only now.
    let known = try CopyPlan.known([last], in: view)[0]
    let offset = encoder.offset
    let previous = predecessors.take(last.record.operation, of: last.tag, at: offset, known: known)
    let authTag = try keyring.withCipher { (cipher) throws(VaultError) in
      try lastBlock.withPlaintext(of: last) { (original) throws(VaultError) in
        try cipher.sealLast(original, pointingTo: previous, into: &encoder, random: &random)
      }
    }
    sealed.append(last.sealed(at: offset, authTag))
    let end = try format { () throws(FormatError) in try encoder.end() }
    return BatchSealer.Sealed(bytes: encoder.bytes, records: sealed, end: end)
  }

  private static func part(
    _ block: RecordBlock, _ known: [UInt64], _ place: inout FramePlace, _ predecessors: inout Predecessors,
    _ padding: Int, _ random: inout AnyRandomSource
  ) throws(VaultError) -> Part {
    let start = place
    var (previous, offsets) = ([UInt64](), [UInt64]())
    previous.reserveCapacity(known.count)
    offsets.reserveCapacity(known.count)
    for (item, known) in zip(block.items, known) {
      offsets.append(place.offset)
      previous.append(predecessors.take(item.record.operation, of: item.tag, at: place.offset, known: known))
      place.advance(over: item.frameLength(padding: padding))
    }
    return Part(
      block: block, place: start, previous: previous, offsets: offsets,
      nonces: try Nonces(count: known.count, random: &random), length: Int(place.offset - start.offset))
  }

  private static func frames(
    of part: Part, _ keyring: Keyring, in generation: Generation
  ) throws(VaultError) -> LooseFrames {
    try keyring.withCipher { (cipher) throws(VaultError) in
      var frames = LooseFrames(at: part.place, term: cipher.term, in: generation, capacity: part.length)
      for (number, item) in part.block.items.enumerated() {
        try part.block.withPlaintext(of: item) { (original) throws(VaultError) in
          try cipher.seal(
            original, pointingTo: part.previous[number],
            nonce: part.nonces.nonce(number), appendingTo: &frames)
        }
      }
      return frames
    }
  }
}

extension RecordBlock.Item {
  /// Bytes of the frame that it becomes.
  fileprivate func frameLength(padding: Int) -> Int { Frame.overhead + record.plaintextLength(padding: padding) }

  /// What a view keeps of it.
  fileprivate func sealed(at offset: UInt64, _ authTag: FixedBytes<16>) -> View.Sealed {
    View.Sealed(operation: record.operation, tag: tag, offset: offset, authTag: authTag, version: record.version)
  }
}
