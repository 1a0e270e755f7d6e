import JSONText
import Testing

/// What errors say: the place, and nothing of the text.
@Suite struct ErrorTests {
  /// Defends: line and column, in bytes from 1, of the byte that is wrong; both kinds of line end.
  @Test(arguments: [
    ("{\"access_token\" \"a\"}", 1, 17, "a colon is missing behind the name of a member"),
    ("{\"a\":1 \"b\":2}", 1, 8, "a comma or } is missing"),
    ("[1\n\n  2]", 3, 3, "a comma or ] is missing"),
    ("{\r\n\"a\":1,\r\n\"b\":x}", 3, 5, "no JSON value begins like this"),
    ("[\r1,\r]", 1, 6, "no JSON value begins like this"),
    ("{\n  \"a\":1,\n  \"a\":2}", 3, 3, "a member stands twice"),
    ("{\"é\":1,}", 1, 9, "the name of a member is missing"),
    ("[01]", 1, 3, "a number begins with a zero that is too many"),
    ("[1.]", 1, 4, "a digit is missing in a number"),
    ("[-]", 1, 3, "a digit is missing in a number"),
    ("[\"a\\x\"]", 1, 4, "an unknown escape stands in a string"),
    ("[\"\\u00g0\"]", 1, 7, "four hexadecimal digits are missing"),
    ("[\"a\nb\"]", 1, 4, "a control character stands in a string"),
    ("[trux]", 1, 5, "no JSON value begins like this"),
    ("{}\n{}", 2, 1, "there is something behind the end of the JSON text"),
    ("", 1, 1, "the JSON text ends too early"),
    ("[\n\"a", 2, 3, "the JSON text ends too early"),
    ("[\n", 2, 1, "the JSON text ends too early"),
  ])
  func placesAreNamed(_ text: String, _ line: Int, _ column: Int, _ sentence: String) {
    let error = fault(text)
    #expect(error?.description == "line \(line), column \(column): \(sentence)")
    #expect(error?.line == line && error?.column == column)
  }

  /// Defends: a text may be secret, and no error repeats any of it.
  @Test func errorsHoldNothingOfTheText() {
    let canary = "c4n4ry"
    let text = #"{"\#(canary)":"\#(canary)","n":[\#(canary)]}"#
    let twice = #"{"\#(canary)":1,"\#(canary)":2}"#
    for error in [fault(text), fault(twice), fault("\"\(canary)"), fault(canary)] {
      var dumped = ""
      dump(error, to: &dumped)
      #expect(error != nil && !dumped.contains(canary) && error?.description.contains(canary) == false)
    }
  }

  static let sample =
    #" {"access_token":"a\u00e9\ud83d\ude00é日😀","n":[-12.50e+3,0,{"t":true,"f":false,"z":null}],"e":{},"l":[ ],"\n":"\\"}"#

  /// Defends: no beginning of a text passes for one, and most say that they end too early.
  @Test func everyTruncationIsRefused() {
    let bytes = Array(Self.sample.utf8)
    #expect(fault(bytes) == nil)
    for count in bytes.indices {
      let error = fault(Array(bytes[..<count]))
      #expect(
        error?.sentence == "the JSON text ends too early" || error?.sentence == "a string is not UTF-8",
        "\(count) bytes")
    }
  }

  /// Defends: no input traps; an error lies inside the text; what passes is stable once it was written.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func mutationsNeverTrap(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let good = Array(Self.sample.utf8)
    let likely = Array("{}[]\",:\\u0dDeE+-.19tfn \n\r".utf8) + [0x00, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xFF]
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: bytes.indices, using: &random)
        let byte = likely[Int.random(in: likely.indices, using: &random)]
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[index] = byte
        case 2: bytes.insert(byte, at: index)
        case 3: bytes.remove(at: index)
        default:
          let other = Int.random(in: bytes.indices, using: &random)
          bytes.insert(contentsOf: bytes[min(index, other)..<max(index, other)], at: index)
        }
      }
      if let error = fault(bytes) {
        #expect(error.line >= 1 && error.column >= 1 && error.line + error.column <= bytes.count + 2)
      } else {
        let text = try JSONValue(parsing: bytes.span).text
        #expect(try !text.contains("\n") && (text.contains("\u{fffd}") || parsed(text).text == text))
      }
    }
  }
}
