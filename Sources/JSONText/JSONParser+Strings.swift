extension JSONParser {
  /// The characters, in UTF-8, of the string that begins here with a quotation mark.
  mutating func string() throws(JSONError) -> [UInt8] {
    position += 1
    var characters: [UInt8] = []
    while true {
      try run(into: &characters)
      if take(UInt8(ascii: "\"")) { return characters }
      guard next == UInt8(ascii: "\\") else { throw error("a control character stands in a string") }
      try escape(into: &characters)
    }
  }

  /// Everything up to a quotation mark, an escape, or what must not stand in a string.
  private mutating func run(into characters: inout [UInt8]) throws(JSONError) {
    let start = position
    while let next, next >= 0x20, next != UInt8(ascii: "\""), next != UInt8(ascii: "\\") { position += 1 }
    let run = bytes.extracting(start..<position)
    let fault: Int
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: run)
      for index in run.indices { characters.append(run[index]) }
      return
    } catch {
      fault = error.byteOffsets.lowerBound
    }
    throw error("a string is not UTF-8", at: start + fault)
  }

  private mutating func escape(into characters: inout [UInt8]) throws(JSONError) {
    let start = position
    position += 1
    guard let byte = next else { throw error("a string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): characters.append(byte)
    case UInt8(ascii: "b"): characters.append(0x08)
    case UInt8(ascii: "f"): characters.append(0x0C)
    case UInt8(ascii: "n"): characters.append(0x0A)
    case UInt8(ascii: "r"): characters.append(0x0D)
    case UInt8(ascii: "t"): characters.append(0x09)
    case UInt8(ascii: "u"): try unicodeEscape(into: &characters)
    default: throw error("an unknown escape stands in a string", at: start)
    }
  }

  /// The digits of `\uXXXX`, and the second half of a surrogate pair if it follows (RFC 8259, section 7).
  private mutating func unicodeEscape(into characters: inout [UInt8]) throws(JSONError) {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return append(scalar, to: &characters) }
    let end = position
    if UTF16.isLeadSurrogate(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
      let second = try codeUnit()
      if UTF16.isTrailSurrogate(second),
        let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
      {
        return append(scalar, to: &characters)
      }
    }
    // What follows is none, and is read for itself.
    position = end
    append("\u{fffd}", to: &characters)
  }

  private func append(_ scalar: Unicode.Scalar, to characters: inout [UInt8]) {
    characters += UTF8.encode(scalar).map { Array($0) } ?? []
  }

  private mutating func codeUnit() throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = next.flatMap(Self.hexadecimal) else { throw error("four hexadecimal digits are missing") }
      position += 1
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
