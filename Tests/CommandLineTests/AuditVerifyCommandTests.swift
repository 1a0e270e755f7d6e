import Testing

/// `audit verify`, by the real command.
@Suite struct AuditVerifyCommandTests {
  private func head(_ bench: Bench) throws -> String {
    let outcome = try bench.run("audit", "verify", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    return String(try #require(outcome.text.firstMatch(of: /"head":"([0-9]+:[0-9]+:[0-9a-f]{64})"/)).output.1)
  }

  private func verify(_ bench: Bench, _ expected: String) throws -> Int32 {
    try bench.run("audit", "verify", "--expect", expected).code
  }

  /// Events are counted, with their times.
  @Test func counts() throws {
    let bench = try Bench()
    let none = try bench.run("audit", "verify")
    #expect(none.code == 0 && none.lines[0].hasSuffix(" 0") && none.lines.count == 2)
    #expect(try bench.run("audit", "verify", "--json").text.contains(#""events":0,"oldest":null,"newest":null"#))
    try bench.writeEvents(2500)
    let outcome = try bench.run("audit", "verify")
    #expect(outcome.code == 0 && outcome.lines[0].hasSuffix(" 2500"))
    #expect(outcome.lines.map { $0.prefix { $0 != " " } } == ["events", "oldest", "newest", "head"])
    var call = Call("audit", "verify")
    call.givesKey = false
    #expect(try bench.run(call).code == 77)
  }

  /// A head is in the history of every later state, through compaction and rotation, and in no earlier one; a pin's file and a
  /// pin's text do the same.
  @Test func expectedHeads() throws {
    let bench = try Bench()
    try bench.put("ada")
    let old = try bench.contents(of: bench.vault)
    try bench.put("bob")
    let first = try head(bench)
    try #require(bench.run("pin", "write", bench.folder + "/pin").code == 0)
    let pin = String(decoding: try bench.contents(of: bench.folder + "/pin").dropLast(), as: UTF8.self)
    let marks = [first, bench.folder + "/pin", pin]
    for mark in marks { #expect(try verify(bench, mark) == 0) }
    try bench.put("cleo")
    for mark in marks { #expect(try verify(bench, mark) == 0) }
    let second = try head(bench)
    let whole = try bench.contents(of: bench.vault)

    try bench.write(old, to: "vault.tv")
    for mark in marks {
      let outcome = try bench.run("audit", "verify", "--expect", mark, "--json")
      #expect(outcome.code == 76 && outcome.text.contains(#""expected":false"#))
      #expect(outcome.errors.contains(#""code":"rollback","exit":76"#))
    }
    // Another history: from the same state, something else was written.
    try bench.put("dora")
    try bench.put("emil")
    for mark in marks + [second] { #expect(try verify(bench, mark) == 76) }

    try bench.write(whole, to: "vault.tv")
    try #require(bench.run("compact").code == 0)
    for mark in marks + [second] { #expect(try verify(bench, mark) == 0) }
    let third = try head(bench)
    try #require(bench.run("rotate").code == 0)
    for mark in marks + [second, third] { #expect(try verify(bench, mark) == 0) }
    // The earlier generation ended with this frame, and another link.
    let digit: Character = second.last == "0" ? "1" : "0"
    let forged = String(second.dropLast()) + String(digit)
    #expect(try verify(bench, forged) == 76)
    #expect(try verify(bench, "2:999:" + String(repeating: "0", count: 64)) == 76)
    #expect(try verify(bench, "9:1:" + String(repeating: "0", count: 64)) == 76)

    try bench.write(whole, to: "vault.tv")
    #expect(try verify(bench, third) == 76)
  }

  /// What is neither a head nor a pin is refused; a pin that others may change proves nothing.
  @Test func badHeads() throws {
    let bench = try Bench()
    for text in ["", "1:2", "1:2:zz", "here", String(repeating: "0", count: 64), "/no/such/pin"] {
      let outcome = try bench.run("audit", "verify", "--expect", text)
      #expect(outcome.code == 64 && outcome.errors.contains("--expect"), "\(text): \(outcome.errors)")
    }
    try bench.write(Array("notes\n".utf8), to: "notes")
    #expect(try verify(bench, bench.folder + "/notes") == 78)
    #expect(try verify(bench, bench.folder) == 74)
  }
}
