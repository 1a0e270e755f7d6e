import Testing

@testable import JSONText

/// Members found without reading their values.
@Suite struct MemberScanTests {
  private func scan(_ text: String) -> (members: [[String]], isAtEnd: Bool) {
    let bytes = Array(text.utf8)
    var scan = MemberScan(bytes.span)
    var members: [[String]] = []
    while let member = scan.next() {
      members.append([
        String(decoding: bytes[member.name], as: UTF8.self), String(decoding: bytes[member.value], as: UTF8.self),
      ])
    }
    return (members, scan.isAtEnd)
  }

  static let objects = [
    "{}", "{ }", #"{"a":1}"#, #"{"a":"}","b":"\"","c":"\\"}"#, #"{ "a" : [1,{"x":","}] , "b":{"a":2,"c":[]},"" :null}"#,
    "{\n\t\"a\":\r-1.5e3 }", #"{"\u0061":true,"ü":"ü"}"#, #"{"a":{"b":{"c":{"d":[[[1,2],3],4]}}},"e":0}"#,
  ]

  // Defends: it finds the members that the parser finds, in their order, and the end.
  @Test(arguments: objects)
  func findsWhatTheParserFinds(_ text: String) throws {
    guard case .object(let members) = try JSONValue(parsing: Array(text.utf8).span) else {
      Issue.record("no object")
      return
    }
    let found = scan(text)
    #expect(found.isAtEnd)
    #expect(try found.members.map { try JSONValue(parsing: Array($0[1].utf8).span).text } == members.map(\.1.text))
    let names = try found.members.map { try JSONValue(parsing: Array("\"\($0[0])\"".utf8).span).text }
    #expect(names == members.map { JSONValue.string($0.0).text })
  }

  // Defends: of a text that is cut, or is no object, it never says that it ended well, and reads nothing behind it.
  @Test(arguments: objects)
  func cutTextsHaveNoEnd(_ text: String) {
    for length in 0..<text.utf8.count {
      #expect(!scan(String(decoding: text.utf8.prefix(length), as: UTF8.self)).isAtEnd)
    }
    for other in ["[]", "1", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}", "{\"a\":1}}", "{}x"] {
      #expect(!scan(other).isAtEnd, "\(other)")
    }
  }
}
