internal import VaultCrypto

/// Why and by what a generation was made (FORMAT.md, "Genesis").
package struct Genesis: Equatable, Sendable {
  /// What made the file.
  package enum Maker: UInt8, Sendable, CustomStringConvertible {
    case initialization = 0
    case compaction = 1
    case rotation = 2
    case rekey = 3
    case restore = 4
    case salvage = 5

    /// One word for a person.
    package var description: String {
      switch self {
      case .initialization: "init"
      case .compaction: "compact"
      case .rotation: "rotate"
      case .rekey: "rekey"
      case .restore: "restore"
      case .salvage: "salvage"
      }
    }
  }

  /// Microseconds since 1970.
  package let created: Int64
  package let madeBy: Maker
  /// Name of the program, at most 255 bytes.
  package let writer: [UInt8]
  /// Its version, at most 255 bytes.
  package let writerVersion: [UInt8]

  /// - Precondition: both texts are at most 255 bytes long.
  package init(created: Int64, madeBy: Maker, writer: String, version: String) {
    self.created = created
    self.madeBy = madeBy
    self.writer = Array(writer.utf8)
    writerVersion = Array(version.utf8)
    precondition(self.writer.count <= 255 && writerVersion.count <= 255)
  }

  /// Reads a genesis frame's plaintext.
  ///
  /// - Throws: `frame-damaged`.
  package init(parsing plaintext: Span<UInt8>) throws(FormatError) {
    var reader = ByteReader(plaintext, failing: .frameDamaged, in: "genesis")
    created = try reader.i64()
    let maker = try reader.u8()
    let nameLength = Int(try reader.u8())
    let versionLength = Int(try reader.u8())
    try reader.zeros(5)
    let name = try reader.take(nameLength)
    writer = name.array
    let version = try reader.take(versionLength)
    writerVersion = version.array
    try reader.zerosToBlock()
    guard let madeBy = Maker(rawValue: maker) else { throw reader.error("its maker \(maker) is unknown") }
    self.madeBy = madeBy
  }

  /// The bytes to be sealed: a multiple of 16.
  package func plaintext() -> [UInt8] {
    let length = (16 + writer.count + writerVersion.count).rounded(upTo: 16)
    return [UInt8](capacity: length) { (output) in
      output.append(bigEndian: created)
      output.append(madeBy.rawValue)
      output.append(UInt8(writer.count))
      output.append(UInt8(writerVersion.count))
      output.append(repeating: 0, count: 5)
      output.append(contentsOf: writer.span)
      output.append(contentsOf: writerVersion.span)
      output.pad(to: length)
    }
  }
}

extension Int {
  /// The smallest multiple of `unit` that is not below this number.
  package func rounded(upTo unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
