internal import VaultCrypto

/// A whole vault file together with what a reader must make of it: one file of `testvectors/vaults`.
package struct Scenario: Sendable, Equatable {
  /// The kind of such files in reports.
  static let kind = "vault"

  /// What opens the vault, or must not.
  package enum Credential: Sendable, Equatable {
    /// 32 bytes in a sound scenario.
    case key([UInt8])
    /// Bytes as they are.
    case passphrase([UInt8])
  }

  /// One record that a reader releases.
  package struct Record: Sendable, Equatable {
    /// Number of the write in the vault's life.
    package let version: UInt64
    /// What was done to the name.
    package let operation: Operation
    /// Not empty.
    package let name: [UInt8]
    /// Inflated; empty in a deletion.
    package let value: [UInt8]

    /// A record as a reader gives it.
    package init(version: UInt64, operation: Operation, name: [UInt8], value: [UInt8]) {
      self.version = version
      self.operation = operation
      self.name = name
      self.value = value
    }
  }

  /// What a record does to its name.
  package enum Operation: String, Sendable, CaseIterable {
    /// Gives it a value.
    case put
    /// Deletes it.
    case delete
    /// Tells what happened to it.
    case event
  }

  /// What opening and verifying with the credential must give.
  package var expected: Expectation
  /// What verifying without any key must give.
  package var expectedWithoutKey: Expectation
  /// Byte offset that whoever names a place must name.
  package var offset: UInt64?
  /// What to open the vault with.
  package var credential: Credential
  /// The 96 bytes of a pin, if the vault is to be held against one.
  package var pin: [UInt8]?
  /// All random bytes of the vault are made of this.
  package var seed: [UInt8]
  /// One sentence for a person.
  package var comment: String
  /// All records that may be released, in the order of the file. Empty where nothing may.
  package var records: [Record]
  /// The file.
  package var vault: [UInt8]
}

extension Scenario {
  /// The file of the scenario: header lines, an empty line, the vault.
  package func serialized() -> [UInt8] {
    var lines = ["expect: \(expected.rawValue)", "expect-without-key: \(expectedWithoutKey.rawValue)"]
    if let offset { lines.append("offset: \(offset)") }
    switch credential {
    case .key(let bytes): lines.append("key: \(bytes.span.hex)")
    case .passphrase(let bytes): lines.append("passphrase: \(bytes.span.hex)")
    }
    if let pin { lines.append("pin: \(pin.span.hex)") }
    lines.append("seed: \(seed.span.hex)")
    lines.append("comment: \(comment)")
    for record in records {
      let value = record.value.isEmpty ? "-" : record.value.span.hex
      lines.append(
        "record: \(record.version) \(record.operation.rawValue) \(record.name.span.hex) \(value)")
    }
    return Array((lines.joined(separator: "\n") + "\n\n").utf8) + vault
  }
}
