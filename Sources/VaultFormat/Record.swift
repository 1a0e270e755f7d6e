package import VaultCrypto

/// What a record frame's ciphertext holds: one operation on one name (FORMAT.md, "Record").
///
/// Parsing gives ranges of the plaintext that was read, so that a secret value is not copied.
package struct Record: Equatable, Sendable {
  /// Bytes before the name.
  package static let headerLength = 32

  /// What a record does to its name.
  package enum Operation: UInt8, Sendable {
    case put = 1
    case delete = 2
    case event = 3
  }

  package let operation: Operation
  /// The value is raw DEFLATE.
  package let isDeflated: Bool
  /// The value is a legacy sealed record in binary form.
  package let isLegacy: Bool
  /// Microseconds since 1970.
  package let time: Int64
  /// Number of the write in the vault's life, from 1.
  package let version: UInt64
  /// Offset in this file of the name's newest put, or of the event before; 0 if there is none.
  package let previous: UInt64
  package let nameLength: Int
  package let valueLength: Int

  package init(
    _ operation: Operation, isDeflated: Bool = false, isLegacy: Bool = false, time: Int64, version: UInt64,
    previous: UInt64, nameLength: Int, valueLength: Int
  ) {
    self.operation = operation
    self.isDeflated = isDeflated
    self.isLegacy = isLegacy
    self.time = time
    self.version = version
    self.previous = previous
    self.nameLength = nameLength
    self.valueLength = valueLength
  }

  /// Where the name stands in the plaintext.
  package var nameRange: Range<Int> { Self.headerLength..<Self.headerLength + nameLength }

  /// Where the value, as stored, stands in the plaintext.
  package var valueRange: Range<Int> { nameRange.upperBound..<nameRange.upperBound + valueLength }

  /// Bytes of the plaintext with its padding.
  package func plaintextLength(padding: Int) -> Int { valueRange.upperBound.rounded(upTo: padding) }

  /// Bytes of the frame that holds such a record.
  package static func frameLength(nameLength: Int, valueLength: Int, padding: Int) -> Int {
    Frame.overhead + (headerLength + nameLength + valueLength).rounded(upTo: padding)
  }

  /// Reads a record frame's plaintext.
  ///
  /// - Parameter offset: the frame's own, which `previous` must lie before.
  /// - Throws: `frame-damaged` for anything that this code would not have written; `limit-exceeded` for a value over 16 MiB.
  package init(parsing plaintext: Span<UInt8>, at offset: UInt64, in header: FileHeader) throws(FormatError) {
    var reader = ByteReader(plaintext, failing: .frameDamaged, in: "record")
    guard let operation = Operation(rawValue: try reader.u8()) else { throw reader.error("its operation is unknown") }
    let flags = try reader.u8()
    let nameLength = Int(try reader.u16())
    let valueLength = Int(try reader.u32())
    self.init(
      operation, isDeflated: flags & 1 != 0, isLegacy: flags & 2 != 0, time: try reader.i64(),
      version: try reader.u64(), previous: try reader.u64(), nameLength: nameLength, valueLength: valueLength)
    guard flags & ~3 == 0 else { throw reader.error("a reserved flag is set") }
    guard (1...Limits.name).contains(nameLength) else { throw reader.error("its name has \(nameLength) bytes") }
    guard valueLength <= Limits.hardValue else {
      throw FormatError(.limitExceeded, "a value has \(valueLength) bytes; \(Limits.hardValue) is the limit")
    }
    guard plaintextLength(padding: header.padding) == plaintext.count else {
      throw reader.error("its lengths don't add up to its \(plaintext.count) bytes")
    }
    guard plaintext.extracting(valueRange.upperBound..<plaintext.count).isZero else {
      throw reader.error("its padding is not zero")
    }
    try check(at: offset, in: header, reader)
  }

  private func check(at offset: UInt64, in header: FileHeader, _ reader: borrowing ByteReader) throws(FormatError) {
    guard (1..<Limits.counter).contains(version) else { throw reader.error("its version is out of range") }
    guard previous == 0 || previous % 16 == 0 && previous >= UInt64(FileHeader.length) && previous < offset else {
      throw reader.error("it points to a frame that is not before it")
    }
    guard !isDeflated || header.allowsDeflate else { throw reader.error("it is deflated in a vault that forbids it") }
    switch operation {
    case .put: break
    case .delete:
      guard !isDeflated, !isLegacy, valueLength == 0 else { throw reader.error("a deletion has a value") }
    case .event:
      guard !isLegacy else { throw reader.error("an event is marked as a legacy record") }
    }
  }

  /// The plaintext of this record: header, name, value, padding. The lengths must be those of `name` and `value`.
  ///
  /// - Throws: an error when there is no memory.
  package func plaintext(
    name: Span<UInt8>, value: Span<UInt8>, padding: Int
  ) throws(CryptoError) -> SecretBytes {
    try SecretBytes(capacity: plaintextLength(padding: padding)) { (output) in
      serialize(name: name, value: value, padding: padding, into: &output)
    }
  }

  /// Appends the same to `output`, which must have room for it.
  package func serialize(
    name: Span<UInt8>, value: Span<UInt8>, padding: Int, into output: inout OutputSpan<UInt8>
  ) {
    precondition(name.count == nameLength && value.count == valueLength)
    let end = output.count + plaintextLength(padding: padding)
    output.append(operation.rawValue)
    output.append((isDeflated ? 1 : 0) | (isLegacy ? 2 : 0))
    output.append(bigEndian: UInt16(nameLength))
    output.append(bigEndian: UInt32(valueLength))
    output.append(bigEndian: time)
    output.append(bigEndian: version)
    output.append(bigEndian: previous)
    output.append(contentsOf: name)
    output.append(contentsOf: value)
    output.pad(to: end)
  }
}
