internal import VaultFormat

/// A vault as it was at one moment. Later writes don't change it; it keeps its file open as long as it lives.
public struct VaultSnapshot: Sendable {
  let view: View

  init(_ view: View) { self.view = view }

  /// Names that are there.
  public var count: Int { view.index.count }

  /// The newest version that the vault has given; 0 in a vault that nothing was ever written to.
  public var lastVersion: UInt64 { view.greatestVersion }

  /// The generation of the file.
  public var generation: UInt64 { view.generation.header.generation }

  /// The value of `name`; `nil`, which is not an error, when it is not there.
  ///
  /// - Throws: `frame-damaged` when this record is.
  public func entry(named name: Span<UInt8>) throws(VaultError) -> VaultEntry? { try view.entry(named: name) }

  /// Gives every name that is there with its value to `body`, in the order in which they were written.
  ///
  /// - Throws: the error of the first record that can't be read, and what `body` throws.
  public func forEachEntry(_ body: (borrowing VaultEntry) throws(VaultError) -> Void) throws(VaultError) {
    for place in view.index.inFileOrder {
      let entry: VaultEntry
      do {
        entry = try view.entry(at: place)
      } catch {
        // Not the index need be bad: another record may stand where it means one. A replay tells.
        if error.code == .indexDamaged { _ = try wholeView }
        throw error
      }
      try body(entry)
    }
  }

  /// Gives every record of the file to `body`, in the order in which they were written: puts that were superseded,
  /// deletions and events too.
  ///
  /// - Throws: as ``forEachEntry(_:)``.
  public func forEachRecord(_ body: (borrowing VaultEntry) throws(VaultError) -> Void) throws(VaultError) {
    let end = view.chain.offset
    let view = try wholeView
    var window = try FileWindow(view.file)
    for gap in view.badPages.gaps(in: UInt64(FileHeader.length)..<end) {
      try forEachRecord(in: gap, &window, body)
    }
  }

  /// The same view, of which all was replayed: only that tells where pages of the index are bad.
  var wholeView: View {
    get throws(VaultError) {
      try view.isWhole ? view : Opening.view(of: view.file, succeeding: view.keyring, readsWhole: true)
    }
  }

  private func forEachRecord(
    in range: Range<UInt64>, _ window: inout FileWindow, _ body: (borrowing VaultEntry) throws(VaultError) -> Void
  ) throws(VaultError) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let header = try window.header(at: offset, in: view.generation)
      if header.type == .record {
        try window.load(at: offset, count: header.frameLength)
        let entry = try format { () throws(FormatError) in
          let frame = try Frame(header, in: window.bytes(at: offset, count: header.frameLength))
          return try VaultEntry(
            view.keyring.open(frame, in: view.generation), at: offset, in: view.generation.header)
        }
        try body(entry)
      }
      offset += UInt64(header.frameLength)
    }
  }

  /// Gives the events of the file to `body`, newest first, until it returns false.
  ///
  /// - Throws: as ``forEachEntry(_:)``.
  public func forEachEvent(_ body: (borrowing VaultEntry) throws(VaultError) -> Bool) throws(VaultError) {
    try VaultEvents(view).forEachEvent(body)
  }

  /// What the file takes, and what it would take without what no longer counts.
  package func space() throws(VaultError) -> SpaceUse {
    let slots = try view.sealedSlots().count
    return SpaceUse(
      file: try view.file.length(), end: view.chain.offset,
      overhead: CompactionTrial.overhead(names: count, slots: slots, view.history.count), slots: slots,
      terms: view.termCount)
  }
}
