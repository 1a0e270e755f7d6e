internal import VaultCrypto
internal import VaultFormat

/// A name that is there and its value, where they were opened: nothing of it is copied, and the next one takes its place.
package struct EntryInPlace: ~Escapable {
  /// 1 to 1024 bytes.
  package let name: Span<UInt8>
  /// The value.
  package let value: Span<UInt8>
  /// Number of the write in the vault's life, from 1.
  package let version: UInt64
  /// When it was written, in microseconds since 1970.
  package let time: Int64
  /// The value is a legacy sealed record, which only its own key opens.
  package let isLegacy: Bool

  @_lifetime(copy name, copy value)
  fileprivate init(_ record: Record, name: Span<UInt8>, value: Span<UInt8>) {
    self.name = name
    self.value = value
    (version, time, isLegacy) = (record.version, record.time, record.isLegacy)
  }

  @_lifetime(borrow entry)
  fileprivate init(_ entry: borrowing VaultEntry) {
    name = entry.name
    value = entry.value
    (version, time, isLegacy) = (entry.version, entry.time, entry.isLegacy)
  }
}

/// The names whose newest puts stand in one stretch of the file: as many as one thread looks at in a row.
package struct SnapshotPart: Sendable {
  /// Bytes of the file that the records of a part begin in.
  fileprivate static let length = 1 << 20

  fileprivate let view: View
  fileprivate let places: [IndexEntry]

  /// Gives every name of the part with its value to `body`, in the order in which they were written.
  ///
  /// - Parameters:
  ///   - unreadable: is told what keeps a record from being read, be it that `body` threw it, and the offset of its frame;
  ///     the others are given all the same.
  /// - Throws: what is no fault of one record: `io`, `crypto-failure`.
  package func forEachEntry(
    _ body: (borrowing EntryInPlace) throws(VaultError) -> Void,
    unreadable: (VaultError, UInt64) -> Void
  ) throws(VaultError) {
    var window = try FileWindow(view.file)
    let places = places.sorted { $0.offset < $1.offset }
    // Where little of the file is live, most of what is read ahead would be for nothing.
    window.isWalking = places.count > Self.length >> 14
    try view.keyring.withCipher { (cipher) throws(VaultError) in
      for place in places {
        do throws(VaultError) {
          if try !cipher.give(place, in: view.generation, &window, to: body) {
            // Whatever is unusual about it, the way by which one record is read knows what it is.
            let entry = try view.entry(at: place)
            try body(EntryInPlace(entry))
          }
        } catch {
          guard error.isOfOneRecord else { throw error }
          unreadable(error, place.offset)
        }
      }
    }
  }
}

extension VaultSnapshot {
  /// Goes over all names that are there, on all cores.
  ///
  /// Memory is taken for 32 bytes a name, and for what `work` makes of some parts.
  ///
  /// - Parameters:
  ///   - work: makes something of a part; runs on several threads at the same time.
  ///   - give: is given what it made, on the caller's thread, in the order of the file.
  /// - Throws: what the two throw.
  package func forEachPart<Product: Sendable>(
    work: @Sendable (SnapshotPart) throws(VaultError) -> Product, give: (Product) throws(VaultError) -> Void
  ) throws(VaultError) {
    var parts = places()[...]
    try Threads.inOrder { () throws(VaultError) in
      parts = parts.drop { $0.isEmpty }
      return parts.popFirst().map { SnapshotPart(view: view, places: $0) }
    } work: { (part) throws(VaultError) in
      try work(part)
    } give: { (product: Product) throws(VaultError) in
      try give(product)
    }
  }

  /// Where the names stand, part by part, in no order within a part.
  private func places() -> [[IndexEntry]] {
    var counts = [Int](repeating: 0, count: Int(view.chain.offset) / SnapshotPart.length + 1)
    view.index.forEach { counts[Int($0.offset) / SnapshotPart.length] += 1 }
    var parts = counts.map { (count) in
      var part: [IndexEntry] = []
      part.reserveCapacity(count)
      return part
    }
    view.index.forEach { parts[Int($0.offset) / SnapshotPart.length].append($0) }
    return parts
  }
}

extension RecordCipher {
  /// Gives the put at a place of the index to `body`, in the memory that it is opened in.
  ///
  /// - Returns: false when it is not a put of this term that opens, as it is nearly always.
  /// - Throws: what `body` throws; `io`.
  fileprivate mutating func give(
    _ place: IndexEntry, in generation: Generation, _ window: inout FileWindow,
    to body: (borrowing EntryInPlace) throws(VaultError) -> Void
  ) throws(VaultError) -> Bool {
    try window.load(at: place.offset, count: FrameHeader.length)
    guard let header = try? window.shapedHeader(at: place.offset, in: generation), header.type == .record,
      header.term == term
    else { return false }
    try window.load(at: place.offset, count: header.frameLength)
    var failure: VaultError?
    do throws(FormatError) {
      let frame = try Frame(header, in: window.bytes(at: place.offset, count: header.frameLength))
      guard frame.authTag.extracting(first: 6).equals(place.authTagPrefix.span) else { return false }
      let isPut = try open(frame, in: generation) { (plaintext) throws(FormatError) in
        let record = try Record(parsing: plaintext, at: place.offset, in: generation.header)
        guard record.operation == .put else { return false }
        let name = plaintext.extracting(record.nameRange)
        let stored = plaintext.extracting(record.valueRange)
        do throws(VaultError) {
          if record.isDeflated {
            let inflated = try format { () throws(FormatError) in
              try Deflate.inflate(stored, limit: Limits.hardValue)
            }
            try body(EntryInPlace(record, name: name, value: inflated.span))
          } else {
            try body(EntryInPlace(record, name: name, value: stored))
          }
        } catch {
          failure = error
        }
        return true
      }
      guard isPut else { return false }
    } catch {
      return false
    }
    if let failure { throw failure }
    return true
  }
}

extension VaultError {
  /// Whether it is about one record, and says nothing of the others.
  fileprivate var isOfOneRecord: Bool {
    code.isDamage || code == .unsupportedFeature || code == .invalidToken || code == .limitExceeded
  }
}
