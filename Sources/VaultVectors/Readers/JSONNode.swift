internal import JSONText

/// A value together with where it stands, so that an error can name it.
struct JSONNode: Sendable {
  let value: JSONValue
  /// `$.testGroups[0].tests[3]`
  let path: String

  init(value: JSONValue, path: String) {
    self.value = value
    self.path = path
  }

  /// The value that `bytes` stand for, which is the root.
  ///
  /// - Throws: ``VectorError/Code/syntax`` with the line.
  init(parsing bytes: [UInt8]) throws(VectorError) {
    do throws(JSONError) {
      self.init(value: try JSONValue(parsing: bytes.span), path: "$")
    } catch {
      throw .syntax(line: error.line, error.sentence)
    }
  }

  /// The member `name`, nil if there is none.
  ///
  /// - Throws: ``VectorError/Code/value`` when this is not an object.
  func member(_ name: String) throws(VectorError) -> JSONNode? {
    try members().first { $0.0 == name }.map { JSONNode(value: $0.1, path: "\(path).\(name)") }
  }

  /// Names of all members, in the order of the text.
  ///
  /// - Throws: ``VectorError/Code/value`` when this is not an object.
  func names() throws(VectorError) -> [String] { try members().map { $0.0 } }

  /// The member `name`, which must be there.
  func required(_ name: String) throws(VectorError) -> JSONNode {
    guard let member = try member(name) else { throw .value(path: path, "the member \"\(name)\" is missing") }
    return member
  }

  /// The member `name`: a string.
  func string(_ name: String) throws(VectorError) -> String { try required(name).asString() }

  /// The member `name`: a whole number of 0 or more.
  func count(_ name: String) throws(VectorError) -> Int {
    let member = try required(name)
    guard case .number(let text) = member.value else { throw member.wrongType("a number") }
    guard let number = Int(text), number >= 0 else {
      throw .value(path: member.path, "a whole number of 0 or more is needed here")
    }
    return number
  }

  /// The member `name`: bytes in hexadecimal.
  func bytes(_ name: String) throws(VectorError) -> [UInt8] { try required(name).asBytes() }

  /// The member `name`: bytes in hexadecimal; nil if there is none.
  func optionalBytes(_ name: String) throws(VectorError) -> [UInt8]? { try member(name)?.asBytes() }

  /// The member `name`: an array.
  func elements(_ name: String) throws(VectorError) -> [JSONNode] {
    let member = try required(name)
    guard case .array(let values) = member.value else { throw member.wrongType("an array") }
    return values.enumerated().map { (index, value) in JSONNode(value: value, path: "\(member.path)[\(index)]") }
  }

  /// The value itself: a string.
  func asString() throws(VectorError) -> String {
    guard case .string(let text) = value else { throw wrongType("a string") }
    return text
  }

  /// The value itself: bytes in hexadecimal.
  func asBytes() throws(VectorError) -> [UInt8] {
    let text = try asString()
    do throws(Hexadecimal.Fault) {
      return try Hexadecimal.bytes(text)
    } catch {
      throw .value(path: path, error.sentence)
    }
  }

  private func members() throws(VectorError) -> [(String, JSONValue)] {
    guard case .object(let members) = value else { throw wrongType("an object") }
    return members
  }

  private func wrongType(_ wanted: String) -> VectorError {
    .value(path: path, "\(value.typeName) stands where \(wanted) is needed")
  }
}
