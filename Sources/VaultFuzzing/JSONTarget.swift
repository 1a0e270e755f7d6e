internal import JSONText

extension FuzzTarget {
  /// JSON: what is read and written is read as the same, and written the same again; the scan of members finds what the parser
  /// finds.
  static let json = FuzzTarget("json", longest: 4096) { (input) throws(Violation) in
    guard let value = try? JSONValue(parsing: input) else { return }
    let text = Array(value.text.utf8)
    guard let again = try? JSONValue(parsing: text.span) else { throw Violation("what was written can't be read") }
    try demand(Array(again.text.utf8) == text, "it is written in another way the second time")
    try demand(value.isSame(as: again), "another value comes back")
    _ = value.wholeNumber
    guard case .object(let members) = value else { return }
    try scan(text, members)
  }

  private static func scan(_ text: [UInt8], _ members: [(String, JSONValue)]) throws(Violation) {
    let places = JSONValue.placesOfMembers(in: text.span)
    try demand(places.count == members.count, "\(places.count) places for \(members.count) members")
    var scan = MemberScan(text.span)
    for (place, member) in zip(places, members) {
      guard let found = scan.next() else { throw Violation("the scan ends before the members do") }
      let name = JSONValue.string(member.0).text
      try demand(Array(text[found.name]) == Array(name.utf8.dropFirst().dropLast()), "the scan finds another name")
      try demand(Array(text[found.value]) == Array(member.1.text.utf8), "the scan finds another value")
      try demand(
        place == found.name.lowerBound - 1..<found.value.upperBound, "a member stands in two places")
    }
    try demand(scan.next() == nil && scan.isAtEnd, "the scan goes on behind the members")
  }
}

extension JSONValue {
  /// Whether both are the same, compared without writing: names and strings by their bytes.
  fileprivate func isSame(as other: JSONValue) -> Bool {
    switch (self, other) {
    case (.null, .null): true
    case (.bool(let one), .bool(let other)): one == other
    case (.number(let one), .number(let other)), (.string(let one), .string(let other)):
      one.utf8.elementsEqual(other.utf8)
    case (.array(let one), .array(let other)):
      one.count == other.count && zip(one, other).allSatisfy { $0.isSame(as: $1) }
    case (.object(let one), .object(let other)):
      one.count == other.count
        && zip(one, other).allSatisfy { $0.0.utf8.elementsEqual($1.0.utf8) && $0.1.isSame(as: $1.1) }
    default: false
    }
  }
}
