internal import VaultCrypto

/// The worked example of the specification: a whole small vault, byte by byte, with the name of every field.
package enum WorkedExample {
  /// The text of `spec/EXAMPLE.md`.
  ///
  /// - Throws: ``VectorError`` when a primitive fails.
  package static func text() throws(VectorError) -> String {
    var vault = ScenarioBuilder(seed: Array("worked example".utf8))
    vault.found()
    vault.put("alice", "a token")
    vault.delete("alice", ends: false)
    vault.event("alice", "signed out")
    vault.bytes += [UInt8](repeating: 0, count: 24)
    if let failure = vault.failure { throw .unreadable(failure.sentence) }
    var dump = HexDump(vault.bytes)
    describeHeader(&dump)
    let kinds = ["key slot", "data key", "genesis", "record", "record", "record"]
    for (number, frame) in vault.frames.enumerated() {
      dump.title("Frame \(number + 1): \(kinds[number])")
      describe(frame, of: vault, &dump)
    }
    dump.title("Space allocated ahead")
    dump.field("zeros", dump.rest)
    return head(vault) + dump.text
  }

  private static func head(_ vault: ScenarioBuilder) -> String {
    let key: [UInt8] = if case .key(let bytes) = vault.credential { bytes } else { [] }
    var (wrap, genesis, lookup) = (vault, vault, vault)
    let secrets: [(String, [UInt8])] = [
      ("raw key of slot 1", key), ("root key", vault.rootKey), ("wrap key", wrap.wrapKey),
      ("genesis key", genesis.genesisKey), ("lookup key", lookup.lookupKey), ("data key of term 1", vault.dataKey),
      ("link(0)", vault.zeroLink), ("head, link(\(vault.sequence))", vault.link), ("pin", vault.currentPin),
    ]
    let rows = secrets.map { "| \($0.0) | `\($0.1.span.hex)` |\n" }.joined()
    return """
      # A worked example

      A whole vault of \(vault.bytes.count) bytes: founding batch, a batch that puts `alice`, and one that deletes her and tells of it.
      Numbers at the left are offsets in the file, in decimal. A test makes this text anew and compares it.

      | what | bytes |
      |---|---|
      \(rows)
      The records' plaintexts, before sealing:

      | frame | operation | version | previous | name | value |
      |---|---|---|---|---|---|
      | 4 | put | 1 | 0 | `alice` | `a token` |
      | 5 | delete | 2 | \(vault.frames[3].offset) | `alice` | |
      | 6 | event | 3 | 0 | `alice` | `signed out` |

      """
  }

  private static func describeHeader(_ dump: inout HexDump) {
    dump.title("File header")
    for (name, count) in [
      ("magic", 8), ("major version", 2), ("minor version", 2), ("incompatible features", 4),
      ("read-only-compatible features", 4), ("compatible features", 4), ("vault id", 16), ("file id", 32),
      ("generation", 8), ("padding multiple", 2), ("policy", 1), ("reserved", 41), ("CRC-32", 4),
    ] {
      dump.field(name, count)
    }
  }

  private static func describe(_ frame: ScenarioBuilder.Placed, of vault: ScenarioBuilder, _ dump: inout HexDump) {
    for (name, count) in [
      ("sync", 4), ("type", 1), ("suite", 1), ("flags", 2), ("sequence", 8), ("offset", 8), ("position in batch", 4),
      ("term", 4), ("clear length", 4), ("ciphertext length", 4), ("previous link", 32), ("root offset", 8),
      ("reserved", 4), ("CRC-32", 4),
    ] {
      dump.field(name, count)
    }
    if vault.bytes[frame.range(FrameField.type)] == [2] {
      for (name, count) in [
        ("slot kind", 1), ("log2 N", 1), ("r", 1), ("p", 1), ("slot number", 4), ("created", 8), ("slot salt", 32),
        ("commitment", 32),
      ] {
        dump.field(name, count)
      }
    }
    for (name, count) in [("salt", 12), ("iv", 12), ("authTag", 16)] { dump.field(name, count) }
    dump.field("ciphertext", frame.range.upperBound - 16 - dump.offset)
    for (name, count) in [("total", 4), ("distance", 4), ("CRC-32", 4), ("complement of total", 4)] {
      dump.field(name, count)
    }
  }
}

/// Bytes in hexadecimal, field by field.
private struct HexDump {
  private let bytes: [UInt8]
  private(set) var offset = 0
  private(set) var text = ""

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Bytes that no field was made of.
  var rest: Int { bytes.count - offset }

  /// Begins a section.
  mutating func title(_ title: String) {
    text += "\n## \(title)\n\n"
  }

  /// Names the next `count` bytes.
  mutating func field(_ name: String, _ count: Int) {
    var name = name
    for start in stride(from: offset, to: offset + count, by: 16) {
      let row = bytes[start..<min(start + 16, offset + count)].map { [$0].span.hex }.joined(separator: " ")
      let place = String(repeating: " ", count: 4 - String(start).count) + String(start)
      let gap = name.isEmpty ? "" : String(repeating: " ", count: 51 - row.count) + name
      text += "    \(place)  \(row)\(gap)\n"
      name = ""
    }
    offset += count
  }
}
