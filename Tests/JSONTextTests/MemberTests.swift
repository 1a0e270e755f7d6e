import JSONText
import Testing

/// Where the members of an object stand in its text.
@Suite struct MemberTests {
  // Defends: neither what is nested nor what stands in strings is taken for a border.
  @Test(arguments: [
    ("{}", []), (" { } ", []), (#"{"a":1}"#, [#""a":1"#]),
    (#" {"a" : 1 , "b,}":[{"c":"]}"},2],"d":"\"\\"}"#, [#""a" : 1 "#, #""b,}":[{"c":"]}"},2]"#, #""d":"\"\\""#]),
    (#"{"a":{},"":[]}"#, [#""a":{}"#, #""":[]"#]),
  ])
  func places(_ text: String, _ members: [String]) throws {
    let bytes = Array(text.utf8)
    guard case .object(let parsed) = try JSONValue(parsing: bytes.span) else { throw NoObject() }
    let places = JSONValue.placesOfMembers(in: bytes.span)
    #expect(places.map { String(decoding: bytes[$0], as: UTF8.self) } == members)
    #expect(parsed.count == places.count)
  }

  private struct NoObject: Error {}
}
