package import VaultCrypto

/// The first 128 bytes of a vault file (FORMAT.md, "File header"). Written once, never changed.
package struct FileHeader: Equatable, Sendable {
  /// Size in bytes.
  package static let length = 128
  /// `\x89TVLT\r\n\x1a`: a transfer in text mode damages it visibly.
  package static let magic: [UInt8] = [0x89, 0x54, 0x56, 0x4C, 0x54, 0x0D, 0x0A, 0x1A]
  /// The version that this code writes, and the only one that it reads.
  package static let majorVersion: UInt16 = 1
  /// Bits of `incompatible` that this code knows.
  package static let knownIncompatible: UInt32 = 0
  /// Bits of `readOnlyCompatible` that this code knows.
  package static let knownReadOnlyCompatible: UInt32 = 0

  /// Informs; any value is read.
  package var minorVersion: UInt16 = 0
  /// Features without which nothing can be read.
  package var incompatible: UInt32 = 0
  /// Features without which nothing may be written.
  package var readOnlyCompatible: UInt32 = 0
  /// Features that others may ignore.
  package var compatible: UInt32 = 0
  /// Random; the same in all generations of a vault.
  package var vaultID: FixedBytes<16>
  /// Random; fresh in each generation.
  package var fileID: FixedBytes<32>
  /// From 1.
  package var generation: UInt64
  /// A record's plaintext is a multiple of this many bytes: a power of two, 16 to 4096.
  package var padding = 32
  /// Whether values may be deflated: off by default, because a compressed length tells something of its content.
  package var allowsDeflate = false

  package init(vaultID: FixedBytes<16>, fileID: FixedBytes<32>, generation: UInt64) {
    self.vaultID = vaultID
    self.fileID = fileID
    self.generation = generation
  }

  /// True when the file uses a feature that a writer must know and this one does not.
  package var mustStayReadOnly: Bool { readOnlyCompatible & ~Self.knownReadOnlyCompatible != 0 }

  /// Reads the header from the first 128 bytes of a file, checking in this order: length, magic, checksum, version,
  /// features, fields.
  ///
  /// - Throws: `header-damaged`, `unsupported-version`, `unsupported-feature`. Unknown bits of the other two feature fields
  ///   are not an error.
  package init(parsing bytes: Span<UInt8>) throws(FormatError) {
    guard bytes.count > 0 else { throw FormatError(.headerDamaged, "the file is empty", offset: 0) }
    guard bytes.count >= 8, bytes.extracting(first: 8).equals(Self.magic.span) else {
      throw FormatError(.headerDamaged, "this is not a vault: it does not begin with a vault's magic number", offset: 0)
    }
    guard bytes.count >= Self.length else {
      throw FormatError(.headerDamaged, "the file ends inside its header of 128 bytes", offset: UInt64(bytes.count))
    }
    let header = bytes.extracting(first: Self.length)
    guard CRC32(of: header.extracting(first: 124)).value == header.bigEndian(at: 124) else {
      throw FormatError(.headerDamaged, "the file header's checksum does not fit", offset: 124)
    }
    do {
      try self.init(fieldsOf: header)
    } catch {
      throw error.at(offset: 0)
    }
  }

  private init(fieldsOf bytes: Span<UInt8>) throws(FormatError) {
    var reader = ByteReader(bytes, failing: .headerDamaged, in: "file header")
    _ = try reader.take(8)
    let major = try reader.u16()
    guard major == Self.majorVersion else {
      throw FormatError(.unsupportedVersion, "the file has format version \(major); this program reads version 1")
    }
    minorVersion = try reader.u16()
    incompatible = try reader.u32()
    guard incompatible & ~Self.knownIncompatible == 0 else {
      let bits = String(incompatible & ~Self.knownIncompatible, radix: 16)
      throw FormatError(.unsupportedFeature, "the file uses features that this program does not know (bits 0x\(bits))")
    }
    readOnlyCompatible = try reader.u32()
    compatible = try reader.u32()
    vaultID = try reader.fixed()
    fileID = try reader.fixed()
    generation = try reader.u64()
    padding = Int(try reader.u16())
    let policy = try reader.u8()
    allowsDeflate = policy & 1 != 0
    try reader.zeros(41)
    guard generation >= 1, generation < Limits.counter else { throw reader.error("the generation is out of range") }
    guard (16...4096).contains(padding), padding & (padding - 1) == 0 else {
      throw reader.error("the padding is \(padding), which is not a power of two from 16 to 4096")
    }
    guard policy & ~1 == 0 else { throw reader.error("a reserved bit of the policy is set") }
  }

  /// The 128 bytes.
  package func serialized() -> [UInt8] {
    [UInt8](capacity: Self.length) { (output) in
      output.append(contentsOf: Self.magic.span)
      output.append(bigEndian: Self.majorVersion)
      output.append(bigEndian: minorVersion)
      output.append(bigEndian: incompatible)
      output.append(bigEndian: readOnlyCompatible)
      output.append(bigEndian: compatible)
      output.append(contentsOf: vaultID.span)
      output.append(contentsOf: fileID.span)
      output.append(bigEndian: generation)
      output.append(bigEndian: UInt16(padding))
      output.append(allowsDeflate ? 1 : 0)
      output.pad(to: 124)
      output.append(bigEndian: CRC32(of: output.span).value)
    }
  }
}
