import JSONText
import Testing

@testable import tokenvault

/// How far long work has come.
@Suite struct ProgressTests {
  @Test func aLineHasBarRateAndTimeLeft() {
    let half = ProgressState(done: 500_000, total: nil, part: 0.25, seconds: 2)
    #expect(half.line("verify", unit: "frames") == "verify [#####...............]  500000 frames  250000/s  6 s left")
    let counted = ProgressState(done: 3, total: 4, part: 0.75, seconds: 3)
    #expect(counted.line("a", unit: "cases") == "a [###############.....]  3 of 4 cases  1/s  1 s left")
    let long = ProgressState(done: 10, total: nil, part: 0.001, seconds: 10)
    #expect(long.line("verify", unit: "frames").hasSuffix("10 frames  1/s  2 h left"))
    let open = ProgressState(done: 700, total: nil, part: nil, seconds: 1)
    #expect(open.line("put", unit: "tokens") == "put  700 tokens  700/s")
  }

  /// Whatever the numbers are: the line fits a terminal, and nothing traps.
  @Test func anyNumbersGiveALine() {
    for part in [nil, 0, 1, -1, 2, .infinity, .nan, 1e-300] as [Double?] {
      for seconds in [0, 1e-9, 1e300] {
        let state = ProgressState(done: .max, total: .max, part: part, seconds: seconds)
        #expect(state.line(String(repeating: "x", count: 200), unit: "frames").count < 80)
        #expect(state.json("x", unit: "frames").text.hasPrefix(#"{"progress":{"subject":"x""#))
      }
    }
  }

  @Test func aLineOfJSONHasNullForWhatIsNotKnown() {
    let open = ProgressState(done: 700, total: nil, part: nil, seconds: 1)
    #expect(
      open.json("put", unit: "tokens").text
        == #"{"progress":{"subject":"put","unit":"tokens","done":700,"total":null,"percent":null,"per_second":700,"#
        + #""seconds_left":null}}"#)
  }

  /// A pipe is no terminal: nobody wants a bar in a log. What stands there with `--progress json` is JSON.
  @Test func aPipeGetsNoBar() throws {
    let bench = try Bench()
    try bench.put("ada")
    #expect(try bench.run("verify").errors.isEmpty)
    let lines = try bench.run("verify", "--progress", "json").errors.split(separator: "\n")
    #expect(lines.allSatisfy { $0.hasPrefix(#"{"progress":"#) })
    #expect(try bench.run("verify", "--progress", "sometimes").code == 64)
  }
}
