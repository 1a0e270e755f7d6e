internal import VaultCrypto
internal import VaultFormat

/// What is settled of a batch before anything of it is sealed: every record has its version, its place, and the place of the
/// one before it. Places depend on lengths alone.
struct BatchPlan: ~Copyable {
  /// One record, ready to be sealed.
  struct Planned: Sendable {
    /// Its number in the batch.
    let number: Int
    let operation: Record.Operation
    let version: UInt64
    /// Offset of its name's newest put, or of the event before; 0 if there is none.
    let previous: UInt64
    let tag: LookupTag
    let offset: UInt64

    /// What a view keeps of it.
    func sealed(_ authTag: FixedBytes<16>) -> View.Sealed {
      View.Sealed(operation: operation, tag: tag, offset: offset, authTag: authTag, version: version)
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
  /// The newest of each name that this batch writes; their authTags are not known yet.
  private var written: TagTable
  private var newestEvent: UInt64
  private var version: UInt64
  /// Where the next record will stand.
  private(set) var place: FramePlace

  /// - Parameter count: how many records there will be, at least.
  init(after view: View, from place: FramePlace, count: Int) {
    padding = view.generation.header.padding
    self.place = place
    newestEvent = view.newestEvent
    version = view.greatestVersion
    written = TagTable(expecting: count)
  }

  /// Settles the next records.
  ///
  /// - Parameter names: theirs.
  /// - Throws: `crypto-failure`.
  mutating func part(
    _ range: Range<Int>, of batch: borrowing VaultBatch, _ names: ArraySlice<Name>, random: inout AnyRandomSource
  ) throws(VaultError) -> Part {
    var part = Part(place: place)
    part.records.reserveCapacity(range.count)
    for (number, name) in zip(range, names) { part.records.append(next(number, of: batch, name)) }
    part.length = Int(place.offset - part.place.offset)
    part.nonces = try crypto { () throws(CryptoError) in
      try [UInt8](capacity: range.count * LooseFrames.nonceLength) { (output) throws(CryptoError) in
        try random.fill(&output)
      }
    }
    return part
  }

  /// Settles the next record.
  mutating func next(_ number: Int, of batch: borrowing VaultBatch, _ name: Name) -> Planned {
    let offset = place.offset
    let operation = batch.operations[number]
    version += 1
    let previous: UInt64?
    switch operation.kind.recorded {
    case .put:
      previous = newestPut(before: offset, name)
    case .delete:
      previous = newestPut(before: offset, isDeletion: true, name)
    case .event:
      previous = newestEvent
      newestEvent = offset
    }
    place.advance(over: operation.frameLength(padding: padding))
    return Planned(
      number: number, operation: operation.kind.recorded, version: version, previous: previous ?? 0, tag: name.tag,
      offset: offset)
  }

  /// Notes what becomes of a name.
  ///
  /// - Returns: where the name's newest put stands before this operation.
  private mutating func newestPut(before offset: UInt64, isDeletion: Bool = false, _ name: Name) -> UInt64? {
    let entry = IndexEntry(tag: name.tag, offset: offset, isDeletion: isDeletion, authTagPrefix: FixedBytes())
    guard let earlier = written.insert(entry) else { return name.put }
    return earlier.isDeletion ? nil : earlier.offset
  }
}

extension VaultBatch.Operation {
  /// Bytes of the frame that it becomes.
  func frameLength(padding: Int) -> Int {
    Record.frameLength(nameLength: name.count, valueLength: value.count, padding: padding)
  }

  /// What its frame holds, but for name and value.
  func record(_ planned: BatchPlan.Planned, at time: Int64) -> Record {
    Record(
      planned.operation, isLegacy: kind == .legacyPut, time: time, version: planned.version, previous: planned.previous,
      nameLength: name.count, valueLength: value.count)
  }
}

extension VaultBatch.Operation.Kind {
  /// What a record says of it.
  fileprivate var recorded: Record.Operation {
    switch self {
    case .put, .legacyPut: .put
    case .delete: .delete
    case .event: .event
    }
  }
}
