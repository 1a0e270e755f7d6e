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
    /// Where its newest put stands before the batch; 0 if nowhere.
    let put: UInt64
  }

  /// Records that stand side by side, and are sealed by one thread.
  struct Part: Sendable {
    /// Where the first one will stand.
    let place: FramePlace
    let records: [Planned]
    let nonces: Nonces
    /// Bytes of their frames.
    let length: Int
  }

  private let padding: Int
  private var predecessors: Predecessors
  private var version: UInt64
  /// Where the next record will stand.
  private(set) var place: FramePlace

  /// - Parameter count: how many records there will be, at least.
  init(after view: View, from place: FramePlace, count: Int) {
    padding = view.generation.header.padding
    self.place = place
    version = view.greatestVersion
    predecessors = Predecessors(after: view, count: count)
  }

  /// Settles the next records.
  ///
  /// - Parameter names: theirs.
  /// - Throws: `crypto-failure`.
  mutating func part(
    _ range: Range<Int>, of batch: borrowing VaultBatch, _ names: ArraySlice<Name>, random: inout AnyRandomSource
  ) throws(VaultError) -> Part {
    let start = place
    var records: [Planned] = []
    records.reserveCapacity(range.count)
    for (number, name) in zip(range, names) { records.append(next(number, of: batch, name)) }
    return Part(
      place: start, records: records, nonces: try Nonces(count: range.count, random: &random),
      length: Int(place.offset - start.offset))
  }

  /// Settles the next record.
  mutating func next(_ number: Int, of batch: borrowing VaultBatch, _ name: Name) -> Planned {
    let (operation, offset) = (batch.operations[number], place.offset)
    let recorded = operation.kind.recorded
    version += 1
    place.advance(over: operation.frameLength(padding: padding))
    return Planned(
      number: number, operation: recorded, version: version,
      previous: predecessors.take(recorded, of: name.tag, at: offset, known: name.put), tag: name.tag, offset: offset)
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
