/// Looks at the members of an object one after the other, and reads no more of their values than it takes to find their ends.
///
/// For a text that ``JSONValue/init(parsing:)`` has read once: then it finds the same members in a tenth of the time. Of any
/// other text it may find what that would refuse.
package struct MemberScan: ~Escapable {
  /// A member of the object.
  package struct Member {
    /// Where its name stands, without the quotation marks.
    package let name: Range<Int>
    /// Whether the name is written with escapes, and is not what stands there.
    package let isEscaped: Bool
    /// Where its value stands; there may be white space behind it.
    package let value: Range<Int>
  }

  private let bytes: Span<UInt8>
  private var position = 0
  private var isFirst = true
  /// Whether the object was found to end where the text ends.
  package private(set) var isAtEnd = false

  /// - Parameter bytes: an object, without white space around it.
  @_lifetime(copy bytes)
  package init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  /// The next member; `nil` behind the last, when ``isAtEnd`` is true, and where the text goes on as no object does.
  package mutating func next() -> Member? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: isFirst ? "{" : ",") else {
      isAtEnd = !isFirst && position == bytes.count - 1 && bytes[position] == UInt8(ascii: "}")
      return nil
    }
    position += 1
    skipSpace()
    if isFirst, position == bytes.count - 1, bytes[position] == UInt8(ascii: "}") {
      isAtEnd = true
      return nil
    }
    isFirst = false
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\""), let (name, isEscaped) = string() else {
      return nil
    }
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return nil }
    position += 1
    skipSpace()
    let start = position
    guard skipValue(), position > start else { return nil }
    return Member(name: name, isEscaped: isEscaped, value: start..<position)
  }

  /// Steps over a value, to the comma or brace behind it.
  private mutating func skipValue() -> Bool {
    var depth = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        guard string() != nil else { return false }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return true }
        depth -= 1
      case UInt8(ascii: ","):
        if depth == 0 { return true }
      default: break
      }
      position += 1
    }
    return false
  }

  /// Steps over a string; gives where its characters stand.
  private mutating func string() -> (Range<Int>, isEscaped: Bool)? {
    let start = position + 1
    var isEscaped = false
    position = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return (start..<position - 1, isEscaped)
      case UInt8(ascii: "\\"):
        isEscaped = true
        position += 2
      default: position += 1
      }
    }
    return nil
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }
}
