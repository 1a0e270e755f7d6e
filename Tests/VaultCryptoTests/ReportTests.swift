import Testing

@testable import VaultVectors

@Suite("Reports of the verifier")
struct ReportTests {
  /// One file of each fate, with names that need escapes.
  private static let report = VectorReport(files: [
    FileReport(
      name: "a<\"&.json", kind: "Wycheproof X",
      results: [
        .init(id: "tcId 1", outcome: .passed),
        .init(id: "tcId 2", outcome: .failed("opening was \"not\" refused")),
        .init(id: "tcId 3", outcome: .notApplicable("a key of 128 bits")),
        .init(id: "tcId 4", outcome: .notApplicable("a key of 128 bits")),
        .init(id: "tcId 5", outcome: .leftOut("run on request alone")),
      ]),
    FileReport(name: "b.rsp", error: .syntax(line: 12, "the bracket does not close")),
  ])

  // Defends the counts: what was left out is no case, and an unreadable file adds none.
  @Test func countsAreOfWhatRan() {
    #expect(Self.report.cases == 4)
    #expect(Self.report.passed == 1)
    #expect(Self.report.failed == 1)
    #expect(Self.report.notApplicable == 2)
    #expect(Self.report.leftOut == 1)
    #expect(Self.report.unreadable.map(\.name) == ["b.rsp"])
  }

  // Defends the table as people see it.
  @Test func tableShowsEverything() {
    let expected = """
      file       kind          cases  passed  failed  not applicable  left out
      a<"&.json  Wycheproof X      4       1       1               2         1
      b.rsp      unreadable        -       -       -               -         -
      all                          4       1       1               2         1
      a<"&.json: tcId 2: FAILED: opening was "not" refused
      a<"&.json: not applicable: a key of 128 bits (2: tcId 3; tcId 4)
      a<"&.json: left out: run on request alone (1: tcId 5)
      b.rsp: unreadable: line 12: the bracket does not close

      """
    #expect(Self.report.table() == expected)
  }

  // Defends: hundreds of scenarios that pass take one row, and one that fails is never hidden among them.
  @Test func scenariosThatPassShareARow() {
    func scenario(_ name: String, _ outcome: Outcome) -> FileReport {
      FileReport(name: name, kind: Scenario.kind, results: [.init(id: "it", outcome: outcome)])
    }
    let report = VectorReport(files: [
      scenario("v/a", .passed), scenario("v/b", .passed), scenario("v/c", .failed("no")), scenario("v/d", .passed),
      scenario("w/a", .passed), scenario("w/b", .passed),
    ])
    let expected = """
      file           kind   cases  passed  failed  not applicable  left out
      v/*.tv-vector  vault      2       2       0               0         0
      v/c            vault      1       0       1               0         0
      v/d            vault      1       1       0               0         0
      w/*.tv-vector  vault      2       2       0               0         0
      all                       6       5       1               0         0
      v/c: it: FAILED: no

      """
    #expect(report.table() == expected)
  }

  // Defends: a filter that takes one case of many files gives a short table, whose sums still tell of all.
  @Test func whatAFilterLeavesOutIsCountedOnly() throws {
    let file = try SampleFiles.load(SampleFiles.mac, name: "mac.json")
    let other = try SampleFiles.load(SampleFiles.mac, name: "other.json")
    let report = VectorReport(files: [file, other].map { VectorRun.verify($0, filter: "mac.json tcId 2") })
    let expected = """
      file      kind                   cases  passed  failed  not applicable  left out
      mac.json  Wycheproof HMACSHA256      1       1       0               0         2
      all                                  1       1       0               0         5

      """
    #expect(report.table() == expected)
  }

  // Defends the JSON for other programs: it is JSON, and says what the table says.
  @Test func jsonHoldsEverything() throws {
    let root = try JSONNode(parsing: Array(Self.report.json().utf8))
    #expect(try root.count("cases") == 4)
    #expect(try root.count("unreadable") == 1)
    let files = try root.elements("files")
    #expect(try files[0].string("name") == "a<\"&.json")
    #expect(try files[0].count("not_applicable") == 2)
    #expect(try files[0].elements("failures")[0].string("sentence") == "opening was \"not\" refused")
    #expect(try files[0].elements("not_applicable_reasons")[0].elements("ids").count == 2)
    #expect(try files[1].required("error").string("location") == "line 12")
  }

  // Defends the XML for build servers: a test case for each case, and every special character escaped.
  @Test func junitHoldsEverything() {
    let expected = """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="tokenvault vectors verify" tests="6" failures="1" errors="1">
      <testsuite name="a&lt;&quot;&amp;.json" tests="5" failures="1" errors="0" skipped="3">
      <testcase classname="a&lt;&quot;&amp;.json" name="tcId 1"/>
      <testcase classname="a&lt;&quot;&amp;.json" name="tcId 2"><failure message="opening was &quot;not&quot; refused"/></testcase>
      <testcase classname="a&lt;&quot;&amp;.json" name="tcId 3"><skipped message="a key of 128 bits"/></testcase>
      <testcase classname="a&lt;&quot;&amp;.json" name="tcId 4"><skipped message="a key of 128 bits"/></testcase>
      <testcase classname="a&lt;&quot;&amp;.json" name="tcId 5"><skipped message="run on request alone"/></testcase>
      </testsuite>
      <testsuite name="b.rsp" tests="1" failures="0" errors="1" skipped="0">
      <testcase classname="b.rsp" name="file"><error message="line 12: the bracket does not close"/></testcase>
      </testsuite>
      </testsuites>

      """
    #expect(Self.report.junit() == expected)
  }

  // Defends the filter: it names file and case, and what it leaves out counts as nothing.
  @Test func filterLeavesOut() throws {
    let file = try SampleFiles.load(SampleFiles.mac, name: "mac.json")
    #expect(VectorRun.verify(file, filter: "mac.json tcId 2").counts == .init(passed: 1, leftOut: 2))
    #expect(VectorRun.verify(file, filter: "nothing").cases == 0)
  }

  // Defends progress: it begins at none, ends at all, and never goes back.
  @Test func progressIsComplete() throws {
    var seen: [Int] = []
    _ = VectorRun.verify(try SampleFiles.load(SampleFiles.mac)) { seen.append($0.done) }
    #expect(seen == [0, 1, 2, 3])
  }
}
