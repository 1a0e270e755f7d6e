internal import VaultCrypto
internal import VaultFormat

/// Turns a batch whose conditions hold into the bytes that are appended: gives versions, links records to those before
/// them, seals. Reads, but writes nothing.
struct BatchSealer: ~Copyable {
  /// A batch ready to be written.
  struct Sealed: Sendable {
    let bytes: [UInt8]
    let records: [View.Sealed]
    /// The chain behind the batch.
    let end: Chain
  }

  /// A name that this batch has written: its newest put, or `nil` once it is deleted.
  private struct Written {
    let put: (offset: UInt64, version: UInt64)?
  }

  private let view: View
  private let time: Int64
  private var written: [LookupTag: Written] = [:]
  private var newestEvent: UInt64
  private var version: UInt64

  private init(after view: View, at time: Int64) {
    self.view = view
    self.time = time
    newestEvent = view.newestEvent
    version = view.greatestVersion
  }

  /// Seals `batch` behind the last batch of `view`.
  ///
  /// - Throws: `limit-exceeded` when the batch is too large.
  static func seal(
    _ batch: borrowing VaultBatch, after view: View, at time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> Sealed {
    var sealer = BatchSealer(after: view, at: time)
    var encoder = try format { () throws(FormatError) in try BatchEncoder(after: view.chain, in: view.generation) }
    var records: [View.Sealed] = []
    records.reserveCapacity(batch.count)
    for number in batch.operations.indices {
      let last = number == batch.operations.count - 1
      let record = try sealer.seal(batch, batch.operations[number], into: &encoder, random: &random, last: last)
      records.append(record)
      guard encoder.bytes.count <= Limits.batchBytes else {
        throw VaultError(.limitExceeded, "the batch is larger than 256 MiB", remedy: "write it in several batches")
      }
    }
    let bytes = encoder.bytes
    // A batch that this program could not read is never written.
    let end = try view.chain.following(bytes.span, in: view.generation)
    return Sealed(bytes: bytes, records: records, end: end)
  }

  private mutating func seal(
    _ batch: borrowing VaultBatch, _ operation: VaultBatch.Operation, into encoder: inout BatchEncoder,
    random: inout AnyRandomSource, last: Bool
  ) throws(VaultError) -> View.Sealed {
    let name = batch.span(operation.name)
    let tag = try view.keyring.tag(of: name)
    version += 1
    let offset = encoder.offset
    let record = try record(operation, tag)
    note(operation, tag, at: offset)
    let plaintext = try crypto { () throws(CryptoError) in
      try record.plaintext(
        name: name, value: batch.span(operation.value), padding: view.generation.header.padding)
    }
    let authTag = try format { () throws(FormatError) in
      try view.keyring.seal(.record, plaintext.span, into: &encoder, random: &random, last: last)
    }
    return View.Sealed(operation: record.operation, tag: tag, offset: offset, authTag: authTag, version: version)
  }

  private func record(_ operation: VaultBatch.Operation, _ tag: LookupTag) throws(VaultError) -> Record {
    let kind: Record.Operation
    switch operation.kind {
    case .put, .legacyPut: kind = .put
    case .delete: kind = .delete
    case .event: kind = .event
    }
    let previous = try kind == .event ? newestEvent : newestPut(tag) ?? 0
    return Record(
      kind, isLegacy: operation.kind == .legacyPut, time: time, version: version, previous: previous,
      nameLength: operation.name.count, valueLength: operation.value.count)
  }

  private func newestPut(_ tag: LookupTag) throws(VaultError) -> UInt64? {
    if let written = written[tag] { return written.put?.offset }
    return try view.place(of: tag)?.offset
  }

  private mutating func note(_ operation: VaultBatch.Operation, _ tag: LookupTag, at offset: UInt64) {
    switch operation.kind {
    case .put, .legacyPut: written[tag] = Written(put: (offset, version))
    case .delete: written[tag] = Written(put: nil)
    case .event: newestEvent = offset
    }
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
