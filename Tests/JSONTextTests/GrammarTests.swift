import JSONText
import Testing

/// What RFC 8259 allows, and what it does not.
@Suite struct GrammarTests {
  /// Defends: every production of the grammar is read, and comes out as compact text.
  @Test(arguments: [
    ("null", "null"), ("true", "true"), ("false", "false"), (" \t\r\n0\n\r\t ", "0"), ("\"\"", "\"\""),
    ("[]", "[]"), ("{}", "{}"), ("[ ]", "[]"), ("{ }", "{}"), ("[1 , 2]", "[1,2]"), ("[[],{}]", "[[],{}]"),
    (#"{"a" : 1 , "b":[ null ]}"#, #"{"a":1,"b":[null]}"#), (#"{"":""}"#, #"{"":""}"#),
    (#"{"b":1,"a":2}"#, #"{"b":1,"a":2}"#), ("-0", "-0"), ("0.10", "0.10"), ("-1.5E+07", "-1.5E+07"), ("1e-0", "1e-0"),
    ("10", "10"), ("0e1", "0e1"), (#""\"\\\/\b\f\n\r\t""#, #""\"\\/\u0008\u000c\n\r\t""#),
    (#""\u0041\u00e9\u00E9\u65e5""#, #""Aéé日""#), (#""\ud83d\ude00""#, #""😀""#),
    ("\"\u{7f}\u{2028}\"", #""\u007f\u2028""#),
    ("\"日本語 👩‍🚀\"", "\"日本語 👩‍🚀\""), (#""\u0000""#, #""\u0000""#), ("\"\u{10FFFF}\"", "\"\u{10FFFF}\""),
  ])
  func goodTextsAreRead(_ text: String, _ compact: String) throws {
    let written = try parsed(text).text
    #expect(Array(written.utf8) == Array(compact.utf8))
    #expect(try parsed(written).text == written)
  }

  /// Defends: nothing more lenient is read.
  @Test(arguments: [
    "", " ", "nul", "nulll", "Null", "TRUE", "tru", "t", "NaN", "Infinity", "-Infinity", "undefined", "'a'", "a",
    "+1", "-", "--1", "01", "-01", "00", "1.", ".5", "-.5", "1.e1", "1e", "1e+", "1E-", "1e1.5", "0x10", "1_000", "1 2",
    "٣",
    "\"", "\"a", "\"\\\"", #""\a""#, #""\'""#, #""\x41""#, #""\u""#, #""\u12""#, #""\u12g4""#, #""\u{41}""#,
    #""\U0041""#,
    #""\ud83d\u""#, #""\ud83d\u12""#, "\"\t\"", "\"\n\"", "\"\u{0}\"", "\"\u{1f}\"",
    "[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1;2]", "[1}", "[1]]", "[1],", "[\u{a0}1]", "[1\u{c}]",
    "{", "}", "{]", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\" 1}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}",
    "{1:1}",
    "{\"a\":1 \"b\":2}", "{\"a\"::1}", "{\"a\":1]", "{\"a\":1}}", "{null:1}", "{'a':1}", "{\"a\",1}", "{[]:1}",
    "// c\n1", "/* c */1", "1 # c", "\u{feff}1", "{}x", "[1]\u{0}",
  ])
  func badTextsAreRefused(_ text: String) { #expect(fault(text) != nil) }

  /// Defends: a member that stands twice is refused however it is written; names that only look alike are two. Names that would
  /// be written as one, as halves of surrogate pairs become U+FFFD, are one: such an object could be stored and not be read again.
  @Test func duplicatesAreRefused() throws {
    for text in [
      #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"\u0061":3}"#, #"[{"x":{"":0,"":0}}]"#, #"{"\ud800":1,"\ud800":2}"#,
      #"{"/":1,"\/":2}"#, #"{"\ud800":1,"\ud801":2}"#, #"{"\ud800":1,"\ufffd":2}"#,
      #"{"\udc00\ud800":1,"\ud800\ud800":2}"#,
    ] {
      #expect(fault(text)?.sentence == "a member stands twice", "\(text)")
    }
    for text in [
      #"{"a":1,"A":2}"#, "{\"\u{e9}\":1,\"e\u{301}\":2}", #"{"a":{"a":{"a":1}}}"#, #"[{"a":1},{"a":1}]"#,
      #"{"\ud800":1,"\ud800\ud800":2}"#,
    ] {
      #expect(fault(text) == nil, "\(text)")
    }
  }

  /// Defends: duplicates are found in objects of every size, wherever the two stand.
  @Test func duplicatesAreRefusedAmongMany() {
    for count in [1, 2, 15, 16, 17, 18, 40, 1000] {
      let members = (0..<count).map { "\"\($0)\":0" }
      #expect(fault("{\(members.joined(separator: ","))}") == nil)
      for index in Set([0, count / 2, count - 1]) {
        #expect(fault("{\((members + [members[index]]).joined(separator: ","))}")?.sentence == "a member stands twice")
      }
    }
  }

  /// Defends: half of a surrogate pair is U+FFFD, and what stands behind it is read for itself.
  @Test(arguments: [
    (#""\ud800""#, "\u{fffd}"), (#""\udc00""#, "\u{fffd}"), (#""a\ud800b""#, "a\u{fffd}b"),
    (#""\ud800\n""#, "\u{fffd}\n"),
    (#""\ud800\u0041""#, "\u{fffd}A"), (#""\udc00\ud800""#, "\u{fffd}\u{fffd}"),
    (#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
    (#""\ud7ff\ue000한""#, "\u{d7ff}\u{e000}한"), (#""\udfff퟿""#, "\u{fffd}퟿"),
  ])
  func halvesOfPairsAreReplaced(_ text: String, _ string: String) throws {
    guard case .string(let read) = try parsed(text) else {
      Issue.record("no string")
      return
    }
    #expect(Array(read.unicodeScalars) == Array(string.unicodeScalars))
  }

  /// Defends: what is not UTF-8 is refused at its byte, in names, values, and outside of strings.
  @Test(
    arguments: [
      [0x80], [0xff], [0xc0, 0x80], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
    ] as [[UInt8]])
  func invalidUTF8IsRefused(_ bad: [UInt8]) {
    let value = fault(Array("[\"é".utf8) + bad + Array("\"]".utf8))
    #expect(value?.sentence == "a string is not UTF-8" && value?.line == 1 && value?.column == 5)
    let name = fault(Array("{\"\\n".utf8) + bad + Array("\":1}".utf8))
    #expect(name?.sentence == "a string is not UTF-8" && name?.column == 5)
    #expect(fault(bad) != nil && fault(Array("[1".utf8) + bad + Array("]".utf8)) != nil)
    #expect(fault(Array("\"".utf8) + bad) != nil)
  }
}
