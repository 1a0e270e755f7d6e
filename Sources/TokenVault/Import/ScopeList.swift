internal import JSONText

/// Scopes as rows have them: an array, PostgreSQL's text of one (`{a,"b c"}`), the JSON of one in a text, or words with spaces
/// between.
enum ScopeList {
  /// - Throws: `bad-member`.
  static func scopes(_ value: JSONValue?) throws(LineFault) -> [String] {
    switch value {
    case nil: return []
    case .array(let values)?:
      var scopes: [String] = []
      for value in values {
        guard case .string(let scope) = value else { throw fault }
        scopes.append(scope)
      }
      return scopes
    case .string(let text)?:
      switch text.utf8.first {
      case UInt8(ascii: "{"): return try elements(Array(text.utf8))
      case UInt8(ascii: "["):
        let bytes = Array(text.utf8)
        guard let array = try? JSONValue(parsing: bytes.span) else { throw fault }
        return try scopes(array)
      default: return text.split(separator: " ").map { String($0) }
      }
    default: throw fault
    }
  }

  private static var fault: LineFault {
    LineFault("bad-member", "the member scopes is neither an array of strings nor PostgreSQL's text of one")
  }

  /// The elements of an array's text (PostgreSQL, "Array Input and Output Syntax"), of one dimension; those that are null are
  /// passed over.
  private static func elements(_ text: [UInt8]) throws(LineFault) -> [String] {
    guard text.last == UInt8(ascii: "}"), text.count >= 2 else { throw fault }
    var elements: [String] = []
    var place = 1
    let end = text.count - 1
    while place < end {
      var element: [UInt8] = []
      let isQuoted = text[place] == UInt8(ascii: "\"")
      if isQuoted { place += 1 }
      while place < end, text[place] != (isQuoted ? UInt8(ascii: "\"") : UInt8(ascii: ",")) {
        if text[place] == UInt8(ascii: "\\") { place += 1 }
        guard place < end, isQuoted || text[place] != UInt8(ascii: "{") && text[place] != UInt8(ascii: "\"") else {
          throw fault
        }
        element.append(text[place])
        place += 1
      }
      if isQuoted {
        guard place < end else { throw fault }
        place += 1
      }
      guard place == end || text[place] == UInt8(ascii: ",") && place + 1 < end else { throw fault }
      place += 1
      guard isQuoted || !element.elementsEqual("NULL".utf8) else { continue }
      guard isQuoted || !element.isEmpty else { throw fault }
      elements.append(String(decoding: element, as: UTF8.self))
    }
    return elements
  }
}
