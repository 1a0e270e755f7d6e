/// A number or a string of bytes at a fixed place of a structure (FORMAT.md).
struct Field: Sendable {
  let offset: Int
  let size: Int

  init(_ offset: Int, _ size: Int) {
    self.offset = offset
    self.size = size
  }

  var range: Range<Int> { offset..<offset + size }
}

/// Fields of the file header.
enum HeaderField {
  static let magic = Field(0, 8)
  static let majorVersion = Field(8, 2)
  static let minorVersion = Field(10, 2)
  static let incompatible = Field(12, 4)
  static let readOnlyCompatible = Field(16, 4)
  static let compatible = Field(20, 4)
  static let vaultID = Field(24, 16)
  static let fileID = Field(40, 32)
  static let generation = Field(72, 8)
  static let padding = Field(80, 2)
  static let policy = Field(82, 1)
  static let reserved = Field(83, 41)
  static let checksum = Field(124, 4)
}

/// Fields of a frame: its header, and what follows in a frame without a clear part.
enum FrameField {
  static let sync = Field(0, 4)
  static let type = Field(4, 1)
  static let suite = Field(5, 1)
  static let flags = Field(6, 2)
  static let sequence = Field(8, 8)
  static let offset = Field(16, 8)
  static let position = Field(24, 4)
  static let term = Field(28, 4)
  static let clearLength = Field(32, 4)
  static let ciphertextLength = Field(36, 4)
  static let previousLink = Field(40, 32)
  static let rootOffset = Field(72, 8)
  static let reserved = Field(80, 4)
  static let checksum = Field(84, 4)
  static let salt = Field(88, 12)
  static let iv = Field(100, 12)
  static let authTag = Field(112, 16)
  static let ciphertext = Field(128, 16)
}

/// Fields of a trailer.
enum TrailerField {
  static let total = Field(0, 4)
  static let distance = Field(4, 4)
  static let checksum = Field(8, 4)
  static let complement = Field(12, 4)
}

/// Fields of a record's plaintext.
enum RecordField {
  static let operation = Field(0, 1)
  static let flags = Field(1, 1)
  static let nameLength = Field(2, 2)
  static let valueLength = Field(4, 4)
  static let time = Field(8, 8)
  static let version = Field(16, 8)
  static let previous = Field(24, 8)
}

/// Fields of a slot's clear part.
enum SlotField {
  static let kind = Field(0, 1)
  static let logN = Field(1, 1)
  static let r = Field(2, 1)
  static let p = Field(3, 1)
  static let number = Field(4, 4)
  static let created = Field(8, 8)
  static let salt = Field(16, 32)
  static let commitment = Field(48, 32)
}

extension [UInt8] {
  /// The number in a field.
  func get(_ field: Field) -> UInt64 { self[field.range].reduce(0) { $0 << 8 | UInt64($1) } }

  /// Puts a number into a field.
  mutating func set(_ field: Field, _ value: UInt64) {
    replaceSubrange(field.range, with: bigEndian(value).suffix(field.size))
  }

  /// Exchanges the bytes of two fields of one size.
  mutating func swapFields(_ one: Field, _ other: Field) {
    let bytes = Array(self[one.range])
    replaceSubrange(one.range, with: self[other.range])
    replaceSubrange(other.range, with: bytes)
  }

  /// Zeros up to a multiple of `unit`.
  func padded(to unit: Int) -> [UInt8] { self + [UInt8](repeating: 0, count: (unit - count % unit) % unit) }
}
