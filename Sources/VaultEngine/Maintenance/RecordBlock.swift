internal import VaultCrypto
internal import VaultFormat

/// Records in memory, values and all, on their way into a new file. A value: a copy shares the memory, which is wiped with
/// the last one.
struct RecordBlock: Sendable {
  /// One record.
  struct Item: Sendable {
    /// What its plaintext says. `previous` is of the file that it comes from, and counts for nothing in the new one.
    let record: Record
    /// The lookup tag of its name in the new file.
    let tag: LookupTag
    /// Offset of its frame in the file that it comes from; 0 if it comes from none.
    let offset: UInt64
    /// What the owner of the vault says of its value: that its time is over.
    let isOver: Bool
    fileprivate let range: Range<Int>
  }

  private final class Memory: Sendable {
    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
  }

  private let memory: Memory
  /// The records, with ascending versions.
  var items: [Item]

  /// Gives the plaintext of an item to `body`.
  func withPlaintext<Result, Failure: Error>(
    of item: Item, _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try memory.bytes.withSpan { (bytes) throws(Failure) in try body(bytes.extracting(item.range)) }
  }

  /// Collects records.
  struct Builder: ~Copyable {
    private var bytes: SecretBytes
    private var items: [Item] = []

    /// - Parameter capacity: bytes of all plaintexts, as far as they are known.
    init(capacity: Int) throws(CryptoError) { bytes = try SecretBytes(capacity: capacity) }

    /// Adds the plaintext of a record.
    ///
    /// - Parameters:
    ///   - record: what `plaintext` says.
    ///   - tag: of the record's name, in the new file.
    mutating func append(
      _ record: Record, _ plaintext: Span<UInt8>, tag: LookupTag, offset: UInt64 = 0, isOver: Bool = false
    ) throws(CryptoError) {
      let start = bytes.count
      try bytes.reserve(start + plaintext.count)
      bytes.append(plaintext)
      items.append(
        Item(record: record, tag: tag, offset: offset, isOver: isOver, range: start..<bytes.count))
    }

    /// All that was added.
    consuming func block() -> RecordBlock { RecordBlock(memory: Memory(bytes), items: items) }
  }
}
