internal import VaultCrypto
internal import VaultFormat

/// What is settled of a batch before anything of it is sealed: every record has its version, its place, and the place of the
/// one before it. Places depend on lengths alone.
struct BatchPlan: ~Copyable {
  /// One record, ready to be sealed.
  struct Planned: Sendable {
    let operation: VaultBatch.Operation
    let record: Record
    let tag: LookupTag
    let offset: UInt64

    /// What a view keeps of it.
    func sealed(_ authTag: FixedBytes<16>) -> View.Sealed {
      View.Sealed(
        operation: record.operation, tag: tag, offset: offset, authTag: authTag, version: record.version)
    }
  }

  /// A name as the index knows it.
  struct Name: Sendable {
    let tag: LookupTag
    /// Where its newest put stands before the batch.
    let put: UInt64?
  }

  /// Records that stand side by side, and are sealed by one thread.
  struct Part: Sendable {
    /// Where the first one will stand.
    let place: FramePlace
    var records: [Planned] = []
    /// Fresh random bytes for each record, one behind the other.
    var nonces: [UInt8] = []
    /// Bytes of their frames.
    var length = 0

    /// The nonce of one of the records.
    @_lifetime(borrow self)
    func nonce(_ number: Int) -> Span<UInt8> {
      let start = number * LooseFrames.nonceLength
      return nonces.span.extracting(start..<start + LooseFrames.nonceLength)
    }
  }

  private let padding: Int
  private let time: Int64
  /// The newest put of each name that this batch has written; `nil` once it is deleted.
  private var written: [LookupTag: UInt64?] = [:]
  private var newestEvent: UInt64
  private var version: UInt64
  /// Where the next record will stand.
  private(set) var place: FramePlace

  /// - Parameter count: how many records there will be, at least.
  init(after view: View, at time: Int64, from place: FramePlace, count: Int) {
    padding = view.generation.header.padding
    self.time = time
    self.place = place
    newestEvent = view.newestEvent
    version = view.greatestVersion
    written.reserveCapacity(count)
  }

  /// Settles the next records.
  ///
  /// - Parameter names: all of the batch.
  /// - Throws: `crypto-failure`.
  mutating func part(
    _ range: Range<Int>, of batch: borrowing VaultBatch, _ names: [Name], random: inout AnyRandomSource
  ) throws(VaultError) -> Part {
    var part = Part(place: place)
    part.records.reserveCapacity(range.count)
    for number in range {
      let operation = batch.operations[number]
      part.records.append(next(operation, names[number]))
    }
    part.length = Int(place.offset - part.place.offset)
    part.nonces = try crypto { () throws(CryptoError) in
      try [UInt8](capacity: range.count * LooseFrames.nonceLength) { (output) throws(CryptoError) in
        try random.fill(&output)
      }
    }
    return part
  }

  /// Settles the next record.
  mutating func next(_ operation: VaultBatch.Operation, _ name: Name) -> Planned {
    let offset = place.offset
    version += 1
    let kind: Record.Operation
    let previous: UInt64?
    switch operation.kind {
    case .put, .legacyPut:
      kind = .put
      previous = newestPut(before: offset, name)
    case .delete:
      kind = .delete
      previous = newestPut(before: nil, name)
    case .event:
      kind = .event
      previous = newestEvent
      newestEvent = offset
    }
    let record = Record(
      kind, isLegacy: operation.kind == .legacyPut, time: time, version: version, previous: previous ?? 0,
      nameLength: operation.name.count, valueLength: operation.value.count)
    place.advance(over: operation.frameLength(padding: padding))
    return Planned(operation: operation, record: record, tag: name.tag, offset: offset)
  }

  /// Notes what becomes of a name.
  ///
  /// - Returns: where the name's newest put stands before this operation.
  private mutating func newestPut(before put: UInt64?, _ name: Name) -> UInt64? {
    if let earlier = written.updateValue(put, forKey: name.tag) { return earlier }
    return name.put
  }
}

extension VaultBatch.Operation {
  /// Bytes of the frame that it becomes.
  func frameLength(padding: Int) -> Int {
    Record.frameLength(nameLength: name.count, valueLength: value.count, padding: padding)
  }
}
