extension JSONValue {
  /// Where the members of the object in `bytes` stand, in the order of the text: from the quotation mark before a name to the
  /// comma or brace behind the value.
  ///
  /// - Parameter bytes: the text of an object that ``init(parsing:)`` has read: nothing is checked once more.
  package static func placesOfMembers(in bytes: Span<UInt8>) -> [Range<Int>] {
    var places: [Range<Int>] = []
    var start: Int?
    var depth = 0
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        if depth == 1, start == nil { start = index }
        index = endOfString(in: bytes, from: index)
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0, let begin = start { places.append(begin..<index) }
      case UInt8(ascii: ","):
        guard depth == 1, let begin = start else { break }
        places.append(begin..<index)
        start = nil
      default: break
      }
      index += 1
    }
    return places
  }

  /// The quotation mark that ends the string that begins at `start`.
  private static func endOfString(in bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start + 1
    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
      index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return index
  }
}
