import JSONText
import Testing
import VaultEngine

@testable import tokenvault

/// The small parts of the command line, each for itself.
@Suite struct PartsTests {
  @Test(arguments: [
    ("90s", 90_000), ("15m", 900_000), ("12h", 43_200_000), ("30d", 2_592_000_000), ("2w", 1_209_600_000),
    ("45", 45_000),
    ("0", 0), ("500ms", 500),
  ])
  func durationsAreRead(_ text: String, _ milliseconds: Int64) {
    #expect(TimeSpan(argument: text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "s", "-1", "1.5h", "1 h", "1y", "1H", "٣s", "99999999999999999999", "9223372036854775807w", "1h30m",
  ])
  func whatIsNoDurationIsRefused(_ text: String) {
    #expect(TimeSpan(argument: text) == nil)
  }

  /// Across leap days, the turn of centuries, and before 1970.
  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_709_251_199, "2024-02-29T23:59:59Z"),
    (4_107_542_400, "2100-03-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    (253_402_300_800, "253402300800"), (Int64.max, "9223372036854775807"), (Int64.min, "-9223372036854775808"),
  ])
  func timesAreWritten(_ seconds: Int64, _ text: String) {
    #expect(Timestamp.ofSeconds(seconds) == text)
  }

  @Test func microsecondsAreKept() {
    #expect(Timestamp.full(1_000_001) == "1970-01-01T00:00:01.000001Z")
    #expect(Timestamp.full(-1) == "1969-12-31T23:59:59.999999Z")
    #expect(Timestamp.full(Int64.min) == "-290308-12-21T19:59:05.224192Z")
    #expect(Timestamp.full(Int64.max) == "294247-01-10T04:00:54.775807Z")
    #expect(Timestamp.distance(to: 3600, from: 0) == "in 60 min")
    #expect(Timestamp.distance(to: 0, from: 300_000) == "3 days ago")
    #expect(Timestamp.distance(to: Int64.max, from: -1) == "")
  }

  @Test func namesAreMadeFitToBeSeen() {
    #expect(TerminalText.safe("a\u{1b}[31m\n") == #"a\u{1b}[31m\u{a}"#)
    #expect(TerminalText.safe([0x61, 0xff, 0x0a]) == #"a\xff\x0a"#)
    #expect(TerminalText.safe("王 ü 👩‍💻") == "王 ü 👩‍💻")
    #expect(TerminalText.width("王小明") == 6 && TerminalText.width("e\u{301}") == 1)
  }

  @Test func JSONIsWrittenOnOneLine() {
    let value = JSONValue.object([
      ("a\"\\", .string("\n\t\u{1b}\u{7f}ü")), ("n", .array([.null, .bool(true), .unsigned(.max)])),
    ])
    #expect(value.text == #"{"a\"\\":"\n\t\u001b\u007fü","n":[null,true,18446744073709551615]}"#)
  }

  /// Codes are stable: scripts lean on them.
  @Test func exitCodesStayAsTheyAre() {
    let codes = tokenvault.ExitCode.allCases.map { "\($0.rawValue) \($0.name)" }
    #expect(
      codes == [
        "0 ok", "1 failure", "3 not_found", "4 reauth_needed", "5 conflict", "6 finding", "64 usage", "65 damaged",
        "66 no_vault",
        "69 unavailable", "73 cannot_create", "74 io", "75 locked", "76 rollback", "77 wrong_key", "78 config",
        "125 exec_failed", "126 cannot_execute", "127 program_not_found", "130 interrupted",
      ])
    #expect(tokenvault.ExitCode(VaultError.Code.frameDamaged) == .damaged)
    #expect(tokenvault.ExitCode(VaultError.Code.wrongKey) == .wrongKey)
    #expect(tokenvault.ExitCode(VaultError.Code.cryptoFailure) == .failure)
  }
}
