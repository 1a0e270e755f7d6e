import Testing

/// `inspect`, by the real command.
@Suite struct InspectTests {
  /// Without a key, what needs none is shown, and it is said what a key would add.
  @Test func itNeedsNoKey() throws {
    let bench = try Bench()
    try bench.put("ada")
    var call = Call("inspect")
    call.givesKey = false
    let table = try bench.run(call)
    #expect(table.code == 0 && table.text.contains("HKDF") && table.text.contains("record"))
    #expect(table.text.contains("with a key") && !table.text.contains("MADE BY"))
    call.arguments = Call("inspect", "--json").arguments
    let object = try bench.run(call).text
    #expect(object.contains(#""generation":1,"#) && object.hasSuffix(#""content":null}"# + "\n"))
    call.arguments = Call("inspect", "--frames", "--json").arguments
    let frames = try bench.run(call).lines
    #expect(frames.count == 4 && frames.allSatisfy { $0.hasPrefix(#"{"sequence":"#) && !$0.contains("operation") })
    call.arguments = Call("inspect", "--frames").arguments
    #expect(try bench.run(call).lines.count == 5)
  }

  /// With a key: what a compaction would spare, who made the file, and what each record does; never a name or a token.
  @Test func aKeyTellsMore() throws {
    let bench = try Bench()
    for name in ["adamaria", "adamaria", "bertholt"] { try bench.put(name) }
    try #require(bench.run("delete", "bertholt", "--yes").code == 0)
    let table = try bench.run("inspect")
    #expect(table.code == 0 && table.text.contains("3 puts, 1 deletions, 0 events") && table.text.contains("1 live"))
    #expect(table.text.contains("tokenvault 0.1.0") && table.text.contains("GENERATION  MADE BY"))
    let object = try bench.run("inspect", "--json").text
    #expect(object.contains(#"{"type":"record","frames":4,"bytes":928,"live_frames":1,"live_bytes":240}"#))
    let frames = try bench.run("inspect", "--frames", "--json")
    #expect(frames.lines.filter { $0.contains(#""operation":"put""#) }.count == 3)
    let list = try bench.run("inspect", "--frames")
    #expect(list.lines.count == 8 && list.lines.last?.contains("delete") == true)
    for outcome in [table, frames, list] {
      #expect(!outcome.text.contains("adamaria") && !outcome.text.contains("secret-value"))
    }
    #expect(try bench.run("inspect", "--key", "file:" + bench.keyFile + "x").code == 77)
  }

  /// Runs of the index, generations, and pages that can't be read, of the published vaults.
  @Test(arguments: [
    ("index_good-two-runs", [#""runs":[{"level":"#, #""records_since_root":1"#]),
    ("anchor_good-third-generation", [#"{"generation":3,"made_by":"compact""#, #"{"generation":1,"made_by":"init""#]),
    ("root_bad-page", [#""bad_pages":1"#, #""records_since_root":1"#]),
    ("header_good-read-only-feature", [#""read_only":true"#]),
  ])
  func publishedVaultsAreDescribed(_ name: String, _ parts: [String]) throws {
    let bench = try Bench()
    try bench.writeScenario(name)
    let object = try bench.run("inspect", "--json")
    #expect(object.code == 0, "\(object.errors)")
    for part in parts { #expect(object.text.contains(part), "\(object.text)") }
    #expect(try bench.run("inspect").code == 0)
  }

  /// What can be seen of a damaged vault is shown, and then the damage is told.
  @Test func damageIsToldLast() throws {
    let bench = try Bench()
    for name in ["a", "b", "c"] { try bench.put(name) }
    var bytes = try bench.contents(of: bench.vault)
    bytes[1100] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let outcome = try bench.run("inspect")
    #expect(outcome.code == 65 && outcome.text.contains("vault id") && outcome.errors.contains("byte 992"))
    var call = Call("inspect", "--frames")
    call.givesKey = false
    let list = try bench.run(call)
    #expect(list.code == 65 && list.lines.count == 5 && list.errors.contains("byte 992"))
  }

  /// A torn tail and space ahead are facts of the file.
  @Test func whatFollowsTheLastBatchIsShown() throws {
    let bench = try Bench()
    for name in ["ada", "bob"] { try bench.put(name) }
    let bytes = try bench.contents(of: bench.vault)
    try bench.write(Array(bytes.dropLast(60)), to: "vault.tv")
    #expect(try bench.run("inspect").text.contains("of an interrupted write"))
    try bench.write(bytes + [UInt8](repeating: 0, count: 4096), to: "vault.tv")
    #expect(try bench.run("inspect").text.contains("4096 zero bytes ahead"))
  }
}
