/// A text of `Name = value` lines: NIST CAVP's `.rsp` files, and the RFC vectors in the same form.
///
/// Lines end in LF or CRLF. `#` starts a comment line, a blank line ends a case, `[ENCRYPT]` sets the direction, and a
/// run of lines such as `[Keylen = 256]` the variables of the section. The RFC files have blank lines within a case: a
/// block without a COUNT of its own goes on with the case before it.
struct LineFile {
  /// One `Name = value` line.
  struct Field {
    let name: String
    /// As written, without the spaces around it; may be empty.
    let value: String
    /// From 1.
    let line: Int
  }

  /// The lines of one case, and what was set by brackets when it began.
  struct Case {
    /// `ENCRYPT` or `DECRYPT`, where the file says so.
    let mode: String?
    let variables: [String: String]
    fileprivate(set) var fields: [Field] = []
    /// A line `FAIL` stands in the case.
    fileprivate(set) var fails = false
  }

  private(set) var comments: [String] = []
  private(set) var cases: [Case] = []

  private var mode: String?
  private var variables: [String: String] = [:]
  private var isInBrackets = false
  /// The case that may still go on, and the block of lines that is being read.
  private var open: Case?
  private var block = Case(mode: nil, variables: [:])

  /// Reads all of `bytes`.
  ///
  /// - Throws: ``VectorError/Code/syntax`` with the number of a line that is none of the above.
  init(parsing bytes: [UInt8]) throws(VectorError) {
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard let text = String(validating: line, as: UTF8.self) else { throw .syntax(line: number, "it is not UTF-8") }
      try read(Self.trimmed(text[...]), number)
    }
    endBlock()
    endCase()
  }

  private mutating func read(_ line: Substring, _ number: Int) throws(VectorError) {
    if line.isEmpty {
      endBlock()
    } else if line.hasPrefix("#") {
      comments.append(String(line.dropFirst()))
    } else if line.hasPrefix("[") {
      try readBracket(line, number)
    } else if line == "FAIL" {
      try readFail(number)
    } else if let equals = line.firstIndex(of: "=") {
      try readField(line[..<equals], line[line.index(after: equals)...], number)
    } else {
      throw .syntax(line: number, "it is neither `Name = value` nor a bracket, a comment or FAIL")
    }
  }

  private mutating func readBracket(_ line: Substring, _ number: Int) throws(VectorError) {
    guard line.hasSuffix("]"), line.count > 2 else { throw .syntax(line: number, "the bracket does not close") }
    endBlock()
    endCase()
    let inner = Self.trimmed(line.dropFirst().dropLast())
    guard let equals = inner.firstIndex(of: "=") else {
      mode = String(inner)
      return
    }
    if !isInBrackets { variables = [:] }
    isInBrackets = true
    variables[String(Self.trimmed(inner[..<equals]))] = String(Self.trimmed(inner[inner.index(after: equals)...]))
  }

  private mutating func readFail(_ number: Int) throws(VectorError) {
    guard !block.fields.isEmpty || open != nil else { throw .syntax(line: number, "FAIL stands outside of a case") }
    block.fails = true
  }

  private mutating func readField(_ name: Substring, _ value: Substring, _ number: Int) throws(VectorError) {
    let name = String(Self.trimmed(name))
    guard !name.isEmpty else { throw .syntax(line: number, "there is no name before =") }
    if let first = block[name] {
      throw .syntax(line: number, "\(name) stands in line \(first.line) already; a blank line is missing between cases")
    }
    isInBrackets = false
    block.fields.append(Field(name: name, value: String(Self.trimmed(value)), line: number))
  }

  /// Joins the block to the case that it goes on with, or begins one with it.
  private mutating func endBlock() {
    defer { block = Case(mode: nil, variables: [:]) }
    guard !block.fields.isEmpty || block.fails else { return }
    if let open, !open.goes(onWith: block) { endCase() }
    var joined = open ?? Case(mode: mode, variables: variables)
    joined.fields += block.fields
    joined.fails = joined.fails || block.fails
    open = joined
  }

  private mutating func endCase() {
    if let open { cases.append(open) }
    open = nil
  }

  /// Without the spaces, tabs and carriage returns around it.
  private static func trimmed(_ text: Substring) -> Substring {
    let isSpace = { (character: Character) in character.isWhitespace }
    guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
    else {
      return ""
    }
    return text[first...last]
  }
}

extension LineFile.Case {
  /// The field `name`, nil if there is none.
  subscript(_ name: String) -> LineFile.Field? { fields.first { $0.name == name } }

  /// COUNT or Count, which every case has that comes from NIST.
  private var counter: LineFile.Field? { fields.first { $0.name.uppercased() == "COUNT" } }

  /// The number of the first line.
  var line: Int { fields.first?.line ?? 0 }

  /// `line 120, COUNT 3`
  var id: String { counter.map { "line \(line), COUNT \($0.value)" } ?? "line \(line)" }

  /// True when the names of all of `names` are there.
  func has(_ names: String...) -> Bool { names.allSatisfy { self[$0] != nil } }

  fileprivate func goes(onWith block: Self) -> Bool {
    counter != nil && block.counter == nil && block.fields.allSatisfy { self[$0.name] == nil }
  }

  /// The field `name`, which must be there.
  ///
  /// - Throws: ``VectorError/Code/value``, as all of the functions below.
  func required(_ name: String) throws(VectorError) -> LineFile.Field {
    guard let field = self[name] else { throw .value(line: line, "the case that begins here has no \(name)") }
    return field
  }

  /// The field `name`: bytes in hexadecimal.
  func bytes(_ name: String) throws(VectorError) -> [UInt8] {
    let field = try required(name)
    do throws(Hexadecimal.Fault) {
      return try Hexadecimal.bytes(field.value)
    } catch {
      throw .value(line: field.line, "\(name): \(error.sentence)")
    }
  }

  /// The field `name`: a whole number of 0 or more.
  func count(_ name: String) throws(VectorError) -> Int {
    let field = try required(name)
    guard let number = Int(field.value), number >= 0 else {
      throw .value(line: field.line, "\(name) is not a whole number of 0 or more")
    }
    return number
  }
}
