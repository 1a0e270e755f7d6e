import Foundation
import JSONText
import Testing

@testable import TokenVault

/// Times, binary columns and scopes as rows of other programs have them.
@Suite struct ImportTimeTests {
  private func time(_ text: String) -> ImportTime { ImportTime(.string(text)) }

  // Defends: every way in which SQLite, PostgreSQL and Python print a time gives that time, to the microsecond.
  @Test(
    arguments: [
      ("2024-01-31 12:34:56", 1_706_704_496_000_000), ("2024-01-31 12:34:56.123", 1_706_704_496_123_000),
      ("2024-01-31 12:34:56.123+00", 1_706_704_496_123_000),
      ("2024-01-31T12:34:56.123456+00:00", 1_706_704_496_123_456),
      ("2024-01-31T18:04:56+05:30", 1_706_704_496_000_000), ("2024-01-31T07:34:56-0500", 1_706_704_496_000_000),
      ("2024-01-31T12:34:56Z", 1_706_704_496_000_000), ("2024-01-31 12:34", 1_706_704_440_000_000),
      ("2024-01-31T12:34:56.1234569Z", 1_706_704_496_123_456), ("2024-01-31", 1_706_659_200_000_000),
      ("2024-02-29 00:00:00", 1_709_164_800_000_000), ("1706704496", 1_706_704_496_000_000),
      ("1706704496.5", 1_706_704_496_500_000), ("1969-12-31 23:59:59.999", -1000), ("-1.5", -1_500_000),
      ("0001-01-01 00:00:00", -62_135_596_800_000_000), ("9999-12-31 23:59:59.999999", 253_402_300_799_999_999),
      ("1890-01-01 00:00:00+00:53:28", -2_524_524_808_000_000),
    ] as [(String, Int64)])
  func texts(_ text: String, _ expected: Int64) {
    #expect(time(text) == .time(expected))
  }

  // Defends: numbers are seconds, with any fraction and exponent.
  @Test func numbers() {
    for (text, expected) in [
      ("0", 0), ("1706704496", 1_706_704_496_000_000), ("1706704496.000001", 1_706_704_496_000_001),
      ("-1", -1_000_000), ("1.7067044965e9", 1_706_704_496_500_000), ("00", 0),
    ] as [(String, Int64)] {
      #expect(ImportTime(.number(text)) == .time(expected), "\(text)")
    }
  }

  // Defends: what no calendar here reaches is told apart from what is no time.
  @Test func outOfRange() {
    for text in [
      "-infinity", "10000-01-01 00:00:00+00", "0044-03-15 00:00:00 BC", "253402300800", "-99999999999", "1e300",
      "99999999999999999999", "0000-12-31 00:00:00",
    ] {
      #expect(time(text) == .outOfRange, "\(text)")
    }
    #expect(time("infinity") == .never)
    for text in [
      "", " ", "now", "2024-01", "2024-13-01", "2023-02-29", "2024-01-31 25:00:00", "2024-01-31 12:60:00", "12:34:56",
      "2024-01-31 12:34:56 CET", "2024-01-31 12:34:56.", "2024-01-31T", "2024-01-31 12:34:56+1", "1706704496x", "nan",
      "inf", "0x10", "1.", "2024-01-31 12:34:56+00 ",
    ] {
      #expect(time(text) == .unknown, "\(text)")
    }
    #expect(ImportTime(.bool(true)) == .unknown)
    // Milliseconds, as JavaScript counts, lie in the year 56054.
    #expect(ImportTime(.number("1706704496000")) == .outOfRange)
  }

  // Defends: all forms of a binary column give the same bytes, and what is none gives nothing.
  @Test func binary() {
    let bytes: [UInt8] = [0, 1, 0xab, 0xff]
    for text in ["0001abff", "0001ABFF", "X'0001abff'", "x'0001ABFF'", "\\x0001abff", "AAGr/w==", "AAGr\n/w==\n"] {
      #expect(BinaryText.bytes(text) == bytes, "\(text)")
    }
    for text in ["X'00", "\\x0", "\\xzz", "AAGr/w=", "AAGr/w", "-", "X'"] {
      #expect(BinaryText.bytes(text) == nil, "\(text)")
    }
    #expect(BinaryText.bytes("") == [])
  }

  // Defends: scopes with spaces, quotation marks and commas come through PostgreSQL's text of an array.
  @Test func scopes() throws {
    #expect(try ScopeList.scopes(nil) == [])
    #expect(try ScopeList.scopes(.array([.string("a"), .string("b c")])) == ["a", "b c"])
    #expect(
      try ScopeList.scopes(.string(#"{a,"b c",NULL,"NULL","x\"y\\z",d\,e}"#)) == ["a", "b c", "NULL", "x\"y\\z", "d,e"])
    #expect(try ScopeList.scopes(.string("{}")) == [])
    #expect(try ScopeList.scopes(.string(#"["a","b c"]"#)) == ["a", "b c"])
    #expect(try ScopeList.scopes(.string("identity read")) == ["identity", "read"])
    for text in ["{", "{a", "{a,}", "{,a}", "{{a},{b}}", #"{"a}"#, #"{a"b}"#, "[1]", "[", #"{"a"b}"#, #"{a\}"#] {
      #expect(throws: LineFault.self, "\(text)") { try ScopeList.scopes(.string(text)) }
    }
    #expect(throws: LineFault.self) { try ScopeList.scopes(.number("1")) }
    #expect(throws: LineFault.self) { try ScopeList.scopes(.array([.null])) }
  }
}
