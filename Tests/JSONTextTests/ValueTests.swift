import Glibc
import JSONText
import Testing

/// What values hold, and what they are written as.
@Suite struct ValueTests {
  /// Defends: digits are kept, however many.
  @Test func numbersAreKeptAsWritten() throws {
    let long = String(repeating: "1234567890", count: 10_000)
    for number in [long, "-\(long).\(long)e-\(long)", "1e400", "-0.0", "1E+0010", "12345678901234567890.10"] {
      #expect(try parsed(number).text == number)
      #expect(try parsed("[\(number)]").text == "[\(number)]")
    }
  }

  /// Defends: whole numbers are exact in every notation, and nothing else is taken for one.
  @Test(arguments: [
    ("0", 0), ("-0", 0), ("-0.00e99999999999999999999", 0), ("1790000000", 1_790_000_000), ("1.79e9", 1_790_000_000),
    ("1790000000.000", 1_790_000_000), ("17900000000E-1", 1_790_000_000), ("0.00000179e+15", 1_790_000_000),
    ("9223372036854775807", .max), ("-9223372036854775808", .min), ("-9.223372036854775808e18", .min),
    ("9223372036854775808", nil), ("-9223372036854775809", nil), ("9007199254740993", 9_007_199_254_740_993),
    ("9007199254740992.5", nil), ("1.5", nil), ("-1e-1", nil), ("1e19", nil), ("1e300", nil), ("1e400", nil),
    ("1e99999999999999999999", nil), ("1e-99999999999999999999", nil), ("1e9223372036854775807", nil),
    ("1e-9223372036854775808", nil), ("1.5e9223372036854775807", nil), ("\"1\"", nil), ("null", nil), ("[1]", nil),
    ("100000000000000000000e-20", 1), ("0.000000000000000000001e21", 1),
  ])
  func wholeNumbersAreExact(_ text: String, _ value: Int64?) throws {
    #expect(try parsed(text).wholeNumber == value)
  }

  /// Defends: numbers of thousands of digits may be whole too.
  @Test func longNumbersMayBeWhole() throws {
    let zeros = String(repeating: "0", count: 5_000)
    #expect(try parsed("0.\(zeros)7e5001").wholeNumber == 7)
    #expect(try parsed("7\(zeros)e-5000").wholeNumber == 7)
    #expect(try parsed("7.\(zeros)").wholeNumber == 7)
    #expect(try parsed("7.\(zeros)1").wholeNumber == nil)
    #expect(JSONValue.number("no number").wholeNumber == nil && JSONValue.number("").wholeNumber == nil)
  }

  /// Defends: members keep their order, and text that was written is read as the same value.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func valuesSurviveTheirText(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<200 {
      let text = Self.value(depth: 4, &random).text
      #expect(Array(try parsed(text).text.utf8) == Array(text.utf8))
    }
  }

  private static func value(depth: Int, _ random: inout SeededRandom) -> JSONValue {
    switch Int.random(in: depth > 0 ? 0...7 : 0...5, using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
    case 3: return .unsigned(UInt64.random(in: 0...UInt64.max, using: &random))
    case 4: return .number("-1.\(Int.random(in: 0...999, using: &random))e+05")
    case 5: return .string(string(&random))
    case 6: return .array((0..<Int.random(in: 0...5, using: &random)).map { _ in value(depth: depth - 1, &random) })
    default:
      let count = Int.random(in: 0...5, using: &random)
      return .object((0..<count).map { ("\($0)" + string(&random), value(depth: depth - 1, &random)) })
    }
  }

  private static func string(_ random: inout SeededRandom) -> String {
    var string = ""
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let limit: UInt32 = [0x80, 0x3000, 0x11_0000][Int.random(in: 0..<3, using: &random)]
      string.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) ?? "\u{fffd}")
    }
    return string
  }

  /// Defends: every scalar comes back, and none that a terminal obeys stands in the text.
  @Test func everyScalarIsWrittenSafely() throws {
    for start in stride(from: 0 as UInt32, to: 0x11_0000, by: 0x1000) {
      let scalars = (start..<start + 0x1000).compactMap { Unicode.Scalar($0) }
      var string = ""
      string.unicodeScalars.append(contentsOf: scalars)
      let text = JSONValue.string(string).text
      #expect(!text.unicodeScalars.contains { $0.isObeyedByTerminals })
      guard case .string(let read) = try parsed(text) else {
        Issue.record("no string")
        continue
      }
      #expect(Array(read.utf8) == Array(string.utf8))
    }
  }

  /// Defends: the output of the commands.
  @Test func valuesAreWrittenOnOneLine() {
    let value = JSONValue.object([
      ("a\"\\", .string("\n\r\t\u{8}\u{1b}\u{7f}\u{202e}ü")),
      ("n", .array([.null, .bool(true), .unsigned(.max), .integer(.min), JSONValue(nil), JSONValue("x")])),
      ("v", .verbatim("{ }")),
    ])
    #expect(
      value.text
        == #"{"a\"\\":"\n\r\t\u0008\u001b\u007f\u202eü","n":[null,true,18446744073709551615,-9223372036854775808,null,"x"],"v":{ }}"#
    )
  }

  /// Defends: time is linear; the square of these would not end.
  @Test func longTextsTakeLinearTime() throws {
    let string = String(repeating: "é\\n", count: 100_000)
    let members = (0..<50_000).map { "\"\($0)\":[\($0)]" }.joined(separator: ",")
    guard case .object(let read) = try parsed("{\"s\":\"\(string)\",\(members)}") else {
      Issue.record("no object")
      return
    }
    #expect(read.count == 50_001 && read.last?.0 == "49999" && read.last?.1.text == "[49999]")
  }

  /// Defends: the limit of nesting is exact, and what is below it is read, written and given up on a stack of 512 KiB.
  @Test func nestingHasALimit() throws {
    let limit = JSONValue.deepestNesting
    let nested = { (depth: Int) in
      String(repeating: "[{\"a\":", count: depth / 2) + "[]" + String(repeating: "}]", count: depth / 2)
    }
    #expect(fault(nested(limit))?.sentence == "arrays and objects are nested too deeply")
    #expect(fault(nested(limit))?.column == limit * 3 + 1)
    #expect(fault(String(repeating: "[", count: 1_000_000))?.sentence == "arrays and objects are nested too deeply")
    var attributes = pthread_attr_t()
    try #require(unsafe pthread_attr_init(&attributes) == 0)
    try #require(unsafe pthread_attr_setstacksize(&attributes, 512 * 1024) == 0)
    var thread = pthread_t()
    let started = unsafe pthread_create(
      &thread, &attributes,
      { _ in
        let text = String(repeating: "[{\"a\":", count: 255) + "[[]]" + String(repeating: "}]", count: 255)
        let isWhole = (try? parsed(text))?.text == text
        return unsafe UnsafeMutableRawPointer(bitPattern: isWhole ? 1 : 2)
      }, nil)
    try #require(started == 0)
    var result: UnsafeMutableRawPointer?
    try #require(unsafe pthread_join(thread, &result) == 0)
    #expect(unsafe result == UnsafeMutableRawPointer(bitPattern: 1))
    #expect(unsafe pthread_attr_destroy(&attributes) == 0)
  }
}
