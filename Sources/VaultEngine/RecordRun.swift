internal import VaultCrypto
internal import VaultFormat

/// What a replay keeps of a record: what it does and to which name, but not its value.
struct OpenedRecord: Sendable {
  let record: Record
  let tag: LookupTag
  let sequence: UInt64
  let offset: UInt64
  let authTagPrefix: FixedBytes<6>

  /// What the index says of it, unless it is an event.
  var entry: IndexEntry {
    IndexEntry(tag: tag, offset: offset, isDeletion: record.operation == .delete, authTagPrefix: authTagPrefix)
  }
}

/// Record frames, accepted by a walk, that stand side by side in memory.
struct RecordRun: Sendable {
  /// The bytes that hold them.
  let bytes: [UInt8]
  /// Where each begins in `bytes`, and the end of the last.
  let borders: [Int]
  /// Offset of `bytes` in the file.
  let start: UInt64

  /// Offset in the file of what follows them.
  var end: UInt64 { start + UInt64(borders[borders.count - 1]) }

  /// Opens all frames.
  ///
  /// - Parameter term: the newest term before them.
  /// - Throws: the error of the first frame that does not open.
  func open(with keyring: Keyring, term: UInt32, in generation: Generation) throws(VaultError) -> [OpenedRecord] {
    try keyring.withCipher(term: term) { (cipher) throws(VaultError) in
      var opened: [OpenedRecord] = []
      opened.reserveCapacity(borders.count - 1)
      for number in 1..<borders.count {
        do throws(FormatError) {
          let frame = bytes.span.extracting(borders[number - 1]..<borders[number])
          opened.append(try cipher.open(Frame(FrameHeader(unchecked: frame), in: frame), in: generation))
        } catch {
          throw VaultError(error.at(offset: start + UInt64(borders[number - 1])))
        }
      }
      return opened
    }
  }
}
