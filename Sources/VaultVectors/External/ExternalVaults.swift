internal import JSONText
internal import VaultCrypto
internal import VaultFormat

extension ExternalImplementation {
  /// The program as a reader of vaults.
  package var vaults: VaultReader {
    VaultReader(
      open: { (vault, credential, pin) throws(PrimitiveError) in
        var members = [("vault", Self.base64(vault))]
        switch credential {
        case .key(let bytes): members.append(("key", Self.hex(bytes)))
        case .passphrase(let bytes): members.append(("passphrase", Self.hex(bytes)))
        }
        if let pin { members.append(("pin", Self.hex(pin))) }
        return try Self.read(self.ask("open-vault", members))
      },
      verify: nil,
      verifyWithoutKey: { (vault) throws(PrimitiveError) in
        try Self.read(self.ask("verify-vault", [("vault", Self.base64(vault))]))
      },
      inspect: nil)
  }

  private static func read(_ answer: JSONNode) throws(PrimitiveError) -> VaultAnswer {
    do throws(VectorError) {
      let records = try answer.member("records") == nil ? [] : try answer.elements("records").map(record)
      let offset = try answer.member("offset") == nil ? nil : UInt64(try answer.count("offset"))
      return VaultAnswer(result: try answer.string("result"), records: records, offset: offset)
    } catch {
      throw .broke("the other implementation answered nonsense (\(error))")
    }
  }

  private static func record(_ node: JSONNode) throws(VectorError) -> Scenario.Record {
    guard let operation = Scenario.Operation(rawValue: try node.string("operation")) else {
      throw .value(path: node.path, "the operation is none of put, delete and event")
    }
    return Scenario.Record(
      version: UInt64(try node.count("version")), operation: operation, name: try node.bytes("name"),
      value: try node.bytes("value"))
  }

  /// A record of a vault that another implementation is to write.
  package struct Write: Sendable {
    /// What to do.
    package let operation: Scenario.Operation
    /// To which name.
    package let name: [UInt8]
    /// Empty in a deletion.
    package let value: [UInt8]
    /// Microseconds since 1970.
    package let time: Int64

    /// A write.
    package init(_ operation: Scenario.Operation, name: [UInt8], value: [UInt8] = [], time: Int64) {
      self.operation = operation
      self.name = name
      self.value = value
      self.time = time
    }
  }

  /// Lets the program write a vault.
  ///
  /// - Parameters:
  ///   - seed: where its random bytes come from.
  ///   - key: of its only slot.
  ///   - batches: in their order.
  ///   - checkpoints: numbers of batches, from 0, behind which stands a checkpoint.
  /// - Returns: the file.
  package func write(
    seed: [UInt8], key: [UInt8], generation: UInt64 = 1, batches: [[Write]], checkpoints: [Int]
  ) throws(PrimitiveError) -> [UInt8] {
    let writes = batches.map { (batch) in JSONValue.array(batch.map(\.json)) }
    let answer = try ask(
      "write-vault",
      [
        ("seed", Self.hex(seed)), ("key", Self.hex(key)), ("generation", .unsigned(generation)),
        ("batches", .array(writes)), ("checkpoint_after", .array(checkpoints.map { .integer(Int64($0)) })),
      ])
    do {
      let text = Array(try answer.string("vault").utf8)
      if let vault = try TextEncoding.base64.decode(text.span) { return vault.span.array }
    } catch {
      throw .broke("the other implementation wrote no vault (\(error))")
    }
    throw .broke("the other implementation's vault is not base64")
  }

  private static func base64(_ vault: [UInt8]) -> JSONValue {
    .string(String(decoding: TextEncoding.base64.encode(vault.span), as: UTF8.self))
  }
}

extension ExternalImplementation.Write {
  fileprivate var json: JSONValue {
    .object([
      ("operation", .string(operation.rawValue)), ("name", ExternalImplementation.hex(name)),
      ("value", ExternalImplementation.hex(value)), ("time", .integer(time)),
    ])
  }
}
