/// Reads the header lines of a scenario. Strict: a field that is missing, unknown, repeated or out of order is an error,
/// so that a scenario never demands less than its author meant.
package struct ScenarioReader {
  /// How every scenario begins, and no other vector file does.
  static let beginning = Array("expect: ".utf8)

  private let lines: [Substring]
  private var next = 0

  /// Reads a whole file.
  ///
  /// - Throws: ``VectorError`` with the line.
  package static func scenario(of bytes: [UInt8]) throws(VectorError) -> Scenario {
    guard let end = endOfHeader(bytes) else { throw .syntax(line: 1, "no empty line ends the scenario's header") }
    guard let text = String(validating: bytes[..<end], as: UTF8.self) else {
      throw .syntax(line: 1, "the scenario's header is not UTF-8")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var reader = ScenarioReader(lines: lines)
    return try reader.scenario(vault: Array(bytes[(end + 2)...]))
  }

  /// Index of the line feed that ends the last header line.
  private static func endOfHeader(_ bytes: [UInt8]) -> Int? {
    let feed = UInt8(ascii: "\n")
    return bytes.indices.dropLast().first { bytes[$0] == feed && bytes[$0 + 1] == feed }
  }

  private init(lines: [Substring]) { self.lines = lines }

  private mutating func scenario(vault: [UInt8]) throws(VectorError) -> Scenario {
    let expected = try expectation("expect")
    let withoutKey = try expectation("expect-without-key")
    let offset = try optional("offset")
    let key = try optional("key")
    let passphrase = key == nil ? try required("passphrase") : nil
    let pin = try optional("pin")
    let seed = try required("seed")
    let comment = try required("comment")
    var records: [Scenario.Record] = []
    while let line = try optional("record") { records.append(try record(line)) }
    guard next == lines.count else { throw .syntax(line: next + 1, "this field is unknown, or not in its place") }
    guard expected.serves || records.isEmpty else {
      throw .value(line: next, "a vault that is refused releases no record")
    }
    return Scenario(
      expected: expected, expectedWithoutKey: withoutKey, offset: try offset.map(number),
      credential: try credential(key: key, passphrase: passphrase), pin: try pin.map(bytes), seed: try bytes(seed),
      comment: comment.value, records: records, vault: vault)
  }

  // MARK: Fields

  private struct Field {
    let value: String
    let line: Int
  }

  /// The next line, if it is the field `name`.
  private mutating func optional(_ name: String) throws(VectorError) -> Field? {
    guard next < lines.count, lines[next].hasPrefix("\(name): ") else { return nil }
    let value = String(lines[next].dropFirst(name.count + 2))
    next += 1
    guard !value.isEmpty else { throw .value(line: next, "\(name) has no value") }
    return Field(value: value, line: next)
  }

  private mutating func required(_ name: String) throws(VectorError) -> Field {
    guard let field = try optional(name) else { throw .syntax(line: next + 1, "the field \(name) must stand here") }
    return field
  }

  private mutating func expectation(_ name: String) throws(VectorError) -> Expectation {
    let field = try required(name)
    guard let expectation = Expectation(rawValue: field.value) else {
      throw .value(line: field.line, "\"\(field.value)\" is not one of the codes")
    }
    return expectation
  }

  private func bytes(_ field: Field) throws(VectorError) -> [UInt8] { try bytes(field.value, field.line) }

  private func bytes(_ text: String, _ line: Int) throws(VectorError) -> [UInt8] {
    do throws(Hexadecimal.Fault) {
      return try Hexadecimal.bytes(text)
    } catch {
      throw .value(line: line, error.sentence)
    }
  }

  private func number(_ field: Field) throws(VectorError) -> UInt64 {
    guard let number = UInt64(field.value), String(number) == field.value else {
      throw .value(line: field.line, "a whole number is needed here")
    }
    return number
  }

  private func credential(key: Field?, passphrase: Field?) throws(VectorError) -> Scenario.Credential {
    if let key {
      let bytes = try bytes(key)
      guard bytes.count == 32 else { throw .value(line: key.line, "a key has 32 bytes, not \(bytes.count)") }
      return .key(bytes)
    }
    return .passphrase(try passphrase.map(bytes) ?? [])
  }

  /// `VERSION OPERATION NAME VALUE`, the value `-` if it is empty.
  private func record(_ field: Field) throws(VectorError) -> Scenario.Record {
    let parts = field.value.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, !parts.contains("") else {
      throw .value(line: field.line, "a record has four parts with single spaces between")
    }
    guard let operation = Scenario.Operation(rawValue: parts[1]) else {
      throw .value(line: field.line, "\"\(parts[1])\" is none of put, delete and event")
    }
    return Scenario.Record(
      version: try number(Field(value: parts[0], line: field.line)), operation: operation,
      name: try bytes(parts[2], field.line), value: parts[3] == "-" ? [] : try bytes(parts[3], field.line))
  }
}
