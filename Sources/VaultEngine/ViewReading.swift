internal import VaultCrypto
internal import VaultFormat

/// What is read by a view: records by name and by place, the index in the file, the slots.
extension View {
  /// The newest put of a name.
  ///
  /// - Throws: `frame-damaged` when its record is; `index-damaged` when a page of the index is bad, or names another record.
  func entry(named name: Span<UInt8>) throws(VaultError) -> VaultEntry? {
    guard let (place, sequences) = try find(keyring.tag(of: name)) else { return nil }
    let entry = try entry(at: place, within: sequences)
    // Two names with one tag of 96 bits: not found is the truth about this one.
    guard entry.isNamed(name) else {
      guard isWhole else {
        throw VaultError(.indexDamaged, "the index means a record of another name", offset: place.offset)
      }
      return nil
    }
    return entry
  }

  /// The put at a place of the index, whose frame must be the one that the index means.
  ///
  /// - Parameter sequences: of the run that has the entry; `nil` when it was taken in.
  func entry(at place: IndexEntry, within sequences: ClosedRange<UInt64>? = nil) throws(VaultError) -> VaultEntry {
    let entry = try record(at: place.offset, knownBy: place.authTagPrefix, within: sequences)
    guard entry.operation == .put else {
      throw VaultError(.indexDamaged, "the index takes another record for a put", offset: place.offset)
    }
    return entry
  }

  /// The record whose frame begins at `offset`.
  func record(
    at offset: UInt64, knownBy authTagPrefix: FixedBytes<6>? = nil, within sequences: ClosedRange<UInt64>? = nil
  ) throws(VaultError) -> VaultEntry {
    let meant = MeantRecord(authTagPrefix: authTagPrefix, sequences: sequences, isReplayed: isWhole)
    return try keyring.entry(at: offset, meant: meant, of: file, in: generation)
  }

  // MARK: The index

  /// Where the newest put of a name stands.
  ///
  /// - Throws: `index-damaged`.
  func place(of tag: LookupTag) throws(VaultError) -> IndexEntry? { try find(tag)?.entry }

  private func find(_ tag: LookupTag) throws(VaultError) -> (entry: IndexEntry, sequences: ClosedRange<UInt64>?)? {
    switch index.answer(for: tag) {
    case .place(let entry): return (entry, nil)
    case .absent: return nil
    case .inRuns: break
    }
    guard let root = index.root else { return nil }
    use.note(root.runs.count)
    guard let (entry, run) = try IndexRuns(of: self).entry(of: tag, in: root.runs), !entry.isDeletion else {
      return nil
    }
    return (entry, run.sequences)
  }

  /// Whether so many names were looked up in the file's pages that the index is worth having in memory.
  var isIndexWorthLoading: Bool {
    guard !index.isComplete, let root = index.root else { return false }
    return use.isWorthLoading(root)
  }

  /// All live entries that the runs of `root` have.
  ///
  /// - Throws: `index-damaged`.
  func entriesInRuns(of root: IndexRoot) throws(VaultError) -> TagTable {
    var table = TagTable(expecting: root.runs.reduce(0) { $0 + Int($1.entries) })
    let runs = IndexRuns(of: self)
    for run in root.runs.reversed() {
      try runs.forEachEntry(of: run) { (entry) in
        if entry.isDeletion { table.remove(entry.tag) } else { table.insert(entry) }
      }
    }
    return table
  }

  /// The live slots as they stand in the file.
  func sealedSlots() throws(VaultError) -> [KeySlot.Sealed] {
    var slots: [KeySlot.Sealed] = []
    var window = try FileWindow(file)
    var offset = slotsOffset
    while true {
      let header = try window.header(at: offset, in: generation)
      guard header.type == .keySlot else { return slots }
      try window.load(at: offset, count: header.frameLength)
      do throws(FormatError) {
        let frame = try Frame(header, in: window.bytes(at: offset, count: header.frameLength))
        _ = try frame.checkedTrailer()
        slots.append(try KeySlot.Sealed(carrying: frame))
      } catch {
        throw VaultError(error.at(offset: offset, sequence: header.sequence))
      }
      offset += UInt64(header.frameLength)
    }
  }
}
