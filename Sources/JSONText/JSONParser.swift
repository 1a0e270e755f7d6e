extension JSONValue {
  /// Arrays and objects inside one another that are read; the sentence of the error says so.
  package static let deepestNesting = 512

  /// The value that `bytes` stand for, which may have white space around it.
  ///
  /// Nothing is read more leniently than RFC 8259 has it, and a member that stands twice in one object is an error. Half of a
  /// surrogate pair, which that grammar allows and no string can hold, becomes U+FFFD; names are told apart by what they have
  /// become, so that what was read can be written and read again. Time is linear in the length.
  package init(parsing bytes: Span<UInt8>) throws(JSONError) {
    var parser = JSONParser(bytes)
    self = try parser.text()
  }
}

/// Reads a text from its first byte to its last, without recursion: what is nested takes no stack.
struct JSONParser: ~Escapable {
  /// An array or object whose end was not reached.
  private struct Container {
    let isObject: Bool
    var elements: [JSONValue] = []
    var members: [(String, JSONValue)] = []
    /// Name of the member whose value comes next.
    var name = ""
    /// Names as they are told apart. `String` would take texts for one that are composed differently.
    private var few: [[UInt8]] = []
    /// Those behind the first 16. A process pays 80 microseconds for its first set, and no token needs one.
    private var many: Set<[UInt8]> = []

    init(isObject: Bool) { self.isObject = isObject }

    var value: JSONValue { isObject ? .object(members) : .array(elements) }

    /// False when `name` stands here already.
    mutating func isNew(_ name: [UInt8]) -> Bool {
      guard !few.contains(where: { $0 == name }) else { return false }
      guard few.count == 16 else {
        few.append(name)
        return true
      }
      return many.insert(name).inserted
    }
  }

  let bytes: Span<UInt8>
  var position = 0
  private var open: [Container] = []

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  mutating func text() throws(JSONError) -> JSONValue {
    var read = try begin()
    while true {
      guard let value = read else {
        read = try begin()
        continue
      }
      if open.isEmpty {
        skipSpace()
        guard next == nil else { throw error("there is something behind the end of the JSON text") }
        return value
      }
      read = try add(value)
    }
  }

  /// The value that comes next; `nil` when it is an array or object, which is open now and whose first value comes next.
  private mutating func begin() throws(JSONError) -> JSONValue? {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"):
      try enter()
      if take(UInt8(ascii: "}")) { return .object([]) }
      open.append(Container(isObject: true))
      try name()
      return nil
    case UInt8(ascii: "["):
      try enter()
      if take(UInt8(ascii: "]")) { return .array([]) }
      open.append(Container(isObject: false))
      return nil
    case UInt8(ascii: "\""): return .string(String(decoding: try string(), as: UTF8.self))
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): return .number(try number())
    default: throw error("no JSON value begins like this")
    }
  }

  private mutating func enter() throws(JSONError) {
    guard open.count < JSONValue.deepestNesting else { throw error("arrays and objects are nested too deeply") }
    position += 1
    skipSpace()
  }

  /// Puts `value` into what is open. Gives that in its turn when it ends here, and `nil` when another value comes next.
  private mutating func add(_ value: JSONValue) throws(JSONError) -> JSONValue? {
    let last = open.count - 1
    let isObject = open[last].isObject
    if isObject {
      open[last].members.append((open[last].name, value))
    } else {
      open[last].elements.append(value)
    }
    skipSpace()
    if take(UInt8(ascii: ",")) {
      skipSpace()
      if isObject { try name() }
      return nil
    }
    guard take(UInt8(ascii: isObject ? "}" : "]")) else {
      throw isObject ? error("a comma or } is missing") : error("a comma or ] is missing")
    }
    return open.removeLast().value
  }

  /// The name of a member, and the colon behind it.
  private mutating func name() throws(JSONError) {
    let start = position
    guard next == UInt8(ascii: "\"") else { throw error("the name of a member is missing") }
    let name = try string()
    guard open[open.count - 1].isNew(name) else {
      throw error("a member stands twice", at: start)
    }
    open[open.count - 1].name = String(decoding: name, as: UTF8.self)
    skipSpace()
    guard take(UInt8(ascii: ":")) else { throw error("a colon is missing behind the name of a member") }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for byte in word.description.utf8 where !take(byte) { throw error("no JSON value begins like this") }
    return value
  }

  private mutating func number() throws(JSONError) -> String {
    let start = position
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if let next, Self.isDigit(next) { throw error("a number begins with a zero that is too many") }
    } else {
      try digits()
    }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      try digits()
    }
    var text = ""
    for index in start..<position { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    return text
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while let next, Self.isDigit(next) { position += 1 }
    guard position > start else { throw error("a digit is missing in a number") }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}

extension JSONParser {
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Steps over `byte` if it comes next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  mutating func skipSpace() {
    while let next, next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { position += 1 }
  }

  /// An error at `place`, or at the byte that comes next.
  func error(_ sentence: StaticString, at place: Int? = nil) -> JSONError {
    let place = place ?? position
    var line = 1
    var start = 0
    for index in 0..<place where bytes[index] == UInt8(ascii: "\n") {
      line += 1
      start = index + 1
    }
    let isEnd = place == bytes.count
    return JSONError(line: line, column: place - start + 1, isEnd ? "the JSON text ends too early" : sentence)
  }
}
