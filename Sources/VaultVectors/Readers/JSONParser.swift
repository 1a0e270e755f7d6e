/// Reads a JSON text (RFC 8259) and nothing more lenient.
///
/// Our own, because a vector file that is damaged must be refused with the line of the damage: a member that stands twice
/// is an error, and so are bytes behind the text. Time is linear in the length; nesting has a limit.
struct JSONParser {
  private static let deepestNesting = 64

  private let bytes: [UInt8]
  private var position = 0

  /// The value that `bytes` stand for.
  ///
  /// - Throws: ``VectorError/Code/syntax`` with the line.
  static func parse(_ bytes: [UInt8]) throws(VectorError) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.next == nil else { throw parser.error("there is something behind the end of the JSON text") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func error(_ sentence: String) -> VectorError {
    let line = bytes[..<position].count { $0 == UInt8(ascii: "\n") } + 1
    guard position < bytes.count else { return .syntax(line: line, "the JSON text ends too early") }
    return .syntax(line: line, sentence)
  }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
  }

  /// Steps over `byte` if it comes next.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(VectorError) -> JSONValue {
    guard depth < Self.deepestNesting else { throw error("the JSON text is nested too deeply") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(VectorError) -> JSONValue {
    for byte in word.description.utf8 where !take(byte) { throw error("no JSON value begins like this") }
    return value
  }

  private mutating func array(depth: Int) throws(VectorError) -> [JSONValue] {
    position += 1
    skipSpace()
    var elements: [JSONValue] = []
    if take(UInt8(ascii: "]")) { return elements }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return elements }
      guard take(UInt8(ascii: ",")) else { throw error("a comma or ] is missing in an array") }
    }
  }

  private mutating func object(depth: Int) throws(VectorError) -> [String: JSONValue] {
    position += 1
    skipSpace()
    var members: [String: JSONValue] = [:]
    if take(UInt8(ascii: "}")) { return members }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw error("the name of a member is missing") }
      let name = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw error("a colon is missing behind the name of a member") }
      let isNew = members.updateValue(try value(depth: depth + 1), forKey: name) == nil
      guard isNew else { throw error("the member \"\(name)\" stands twice in one object") }
      skipSpace()
      if take(UInt8(ascii: "}")) { return members }
      guard take(UInt8(ascii: ",")) else { throw error("a comma or } is missing in an object") }
    }
  }

  private mutating func number() throws(VectorError) -> String {
    let start = position
    _ = take(UInt8(ascii: "-"))
    let first = next
    let whole = skipDigits()
    guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { throw error("no JSON value begins like this") }
    if take(UInt8(ascii: ".")), skipDigits() == 0 { throw error("a digit is missing in a number") }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      if skipDigits() == 0 { throw error("a digit is missing in a number") }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func string() throws(VectorError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw error("a control character stands in a string") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        text += String(try escape()).utf8
      } else {
        text.append(byte)
      }
    }
    guard take(UInt8(ascii: "\"")) else { throw error("a string does not end") }
    guard let string = String(validating: text, as: UTF8.self) else { throw error("a string is not UTF-8") }
    return string
  }

  /// What stands behind a backslash.
  private mutating func escape() throws(VectorError) -> Unicode.Scalar {
    guard let byte = next else { throw error("a string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("an unknown escape stands in a string")
    }
  }

  /// The digits of `\uXXXX`, and of the second half of a surrogate pair (RFC 8259, section 7).
  private mutating func unicodeEscape() throws(VectorError) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    let isPair = UTF16.isLeadSurrogate(first) && take(UInt8(ascii: "\\")) && take(UInt8(ascii: "u"))
    let second = isPair ? try codeUnit() : 0
    guard UTF16.isTrailSurrogate(second),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
    else { throw error("half of a surrogate pair stands in a string") }
    return scalar
  }

  private mutating func codeUnit() throws(VectorError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = next.flatMap(Hexadecimal.value(of:)) else { throw error("four hexadecimal digits are missing") }
      position += 1
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}
