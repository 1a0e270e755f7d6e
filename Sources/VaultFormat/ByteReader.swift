internal import VaultCrypto

/// A cursor over bytes that came from a file. Integers are big-endian.
///
/// What reads past the end throws the error that the cursor was made with: nothing here traps on what a file holds.
struct ByteReader: ~Escapable {
  private let bytes: Span<UInt8>
  private let failure: FormatError.Code
  private let structure: StaticString
  private(set) var position = 0

  /// - Parameters:
  ///   - failure: the code of every error thrown here.
  ///   - structure: what is read, for the sentence.
  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, failing failure: FormatError.Code, in structure: StaticString) {
    self.bytes = bytes
    self.failure = failure
    self.structure = structure
  }

  /// Bytes that were not read yet.
  var remaining: Int { bytes.count - position }

  /// An error about what was just read.
  @inline(never)
  func error(_ what: String) -> FormatError { FormatError(failure, "\(structure): \(what)") }

  /// The next `count` bytes.
  @inline(__always)
  @_lifetime(copy self)
  mutating func take(_ count: Int) throws(FormatError) -> Span<UInt8> {
    guard count >= 0, count <= remaining else { throw error("ends early") }
    let taken = bytes.extracting(position..<position + count)
    position += count
    return taken
  }

  @inline(__always)
  mutating func u8() throws(FormatError) -> UInt8 { try number() }

  @inline(__always)
  mutating func u16() throws(FormatError) -> UInt16 { try number() }

  @inline(__always)
  mutating func u32() throws(FormatError) -> UInt32 { try number() }

  @inline(__always)
  mutating func u64() throws(FormatError) -> UInt64 { try number() }

  @inline(__always)
  mutating func i64() throws(FormatError) -> Int64 { try number() }

  @inline(__always)
  private mutating func number<Number: FixedWidthInteger>() throws(FormatError) -> Number {
    let count = MemoryLayout<Number>.size
    guard count <= remaining else { throw error("ends early") }
    let value = bytes.bigEndian(at: position, as: Number.self)
    position += count
    return value
  }

  @inline(__always)
  mutating func fixed<let count: Int>() throws(FormatError) -> FixedBytes<count> {
    let taken = try take(count)
    return FixedBytes(taken)
  }

  mutating func secret(_ count: Int) throws(FormatError) -> SecretBytes {
    let taken = try take(count)
    return try crypto { () throws(CryptoError) in try SecretBytes(copying: taken) }
  }

  /// Reads `count` reserved or padding bytes, which must be zero.
  mutating func zeros(_ count: Int) throws(FormatError) {
    let taken = try take(count)
    guard taken.isZero else { throw error("reserved bytes are not zero") }
  }

  /// Every structure is read to its end: what is left over must be padding.
  mutating func zerosToEnd() throws(FormatError) { try zeros(remaining) }

  /// Reads the zeros that fill a structure up to a multiple of 16 bytes, exactly.
  mutating func zerosToBlock() throws(FormatError) {
    guard bytes.count % 16 == 0, remaining < 16 else { throw error("its length does not fit its content") }
    try zerosToEnd()
  }
}

extension Span<UInt8> {
  /// Whether every byte is zero; also true of no bytes.
  package var isZero: Bool { firstNonzero(from: 0) == nil }

  /// Index of the first byte at or behind `start` that is not zero.
  package func firstNonzero(from start: Int) -> Int? {
    var index = start
    while index < count {
      if self[index] != 0 { return index }
      index += 1
    }
    return nil
  }

  /// Index behind the last byte that is not zero; 0 when there is none.
  package var endOfNonzero: Int {
    var end = count
    // A file may end in as many zeros as are allocated ahead: blocks at a time, each compared with itself one byte further on.
    while end >= 4096, self[end - 1] == 0, extracting(end - 4096..<end - 1).equals(extracting(end - 4095..<end)) {
      end -= 4096
    }
    while end >= 8, bigEndian(at: end - 8, as: UInt64.self) == 0 { end -= 8 }
    while end > 0, self[end - 1] == 0 { end -= 1 }
    return end
  }

  /// A copy, for bytes that are not secret.
  package var array: [UInt8] {
    [UInt8](capacity: count) { (output) in output.append(contentsOf: self) }
  }
}

extension OutputSpan<UInt8> {
  /// Appends zeros until `count` bytes are there.
  mutating func pad(to count: Int) {
    if count > self.count { append(repeating: 0, count: count - self.count) }
  }
}
