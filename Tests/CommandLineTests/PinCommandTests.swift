import Glibc
import Testing

/// `pin write`, `pin show` and `verify --pin`, by the real command.
@Suite struct PinCommandTests {
  private static func pin(_ bench: Bench) -> String { bench.folder + "/elsewhere.pin" }

  /// A pin is kept to by later states, and an older copy of the vault is told from damage by its own code.
  @Test func anOlderCopyIsSeventySix() throws {
    let bench = try Bench()
    try bench.put("ada")
    let old = try bench.contents(of: bench.vault)
    try bench.put("bob")
    let written = try bench.run("pin", "write", Self.pin(bench))
    #expect(written.code == 0 && written.text.isEmpty && written.errors.contains("pinned frame 5"))
    try bench.put("cleo")
    #expect(try bench.run("verify", "--pin", Self.pin(bench)).text.contains("kept to"))
    try bench.write(old, to: "vault.tv")
    #expect(try bench.run("verify").code == 0, "from inside an older copy is whole")
    for givesKey in [true, false] {
      var call = Call("verify", "--pin", Self.pin(bench))
      call.givesKey = givesKey
      let outcome = try bench.run(call)
      #expect(outcome.code == 76 && outcome.errors.contains("the pin names frame 5, and the file ends with frame 4"))
    }
    var call = Call("verify", "--json")
    call.environment = ["TOKENVAULT_PIN": Self.pin(bench)]
    let json = try bench.run(call)
    #expect(json.code == 76 && json.text.contains(#""pin_kept":false"#) && json.text.contains(#""damaged":false"#))
    #expect(json.errors.hasPrefix(#"{"error":{"code":"rollback","exit":76,"#))
  }

  /// What a former pin speaks against is not pinned, and neither is damage: the former pin stays.
  @Test func onlyAStateThatKeepsToTheFormerPinIsPinned() throws {
    let bench = try Bench()
    try bench.put("ada")
    let old = try bench.contents(of: bench.vault)
    try bench.put("bob")
    try #require(bench.run("pin", "write", Self.pin(bench)).code == 0)
    let before = try Fingerprint(Self.pin(bench))
    try bench.write(old, to: "vault.tv")
    #expect(try bench.run("pin", "write", Self.pin(bench)).code == 76)
    var damaged = old
    damaged[300] ^= 1
    try bench.write(damaged, to: "vault.tv")
    #expect(try bench.run("pin", "write", Self.pin(bench)).code == 65)
    try bench.write(Array("my notes\n".utf8), to: "notes")
    #expect(try bench.run("pin", "write", bench.folder + "/notes").code == 78)
    #expect(try bench.contents(of: bench.folder + "/notes") == Array("my notes\n".utf8))
    #expect(try Fingerprint(Self.pin(bench)) == before)
  }

  /// The file is private, holds one line, replaces the former one in one step, and leaves nothing beside it.
  @Test func thePinIsWrittenWhole() throws {
    let bench = try Bench()
    try #require(bench.run("pin", "write", Self.pin(bench)).code == 0)
    let first = try bench.contents(of: Self.pin(bench))
    try bench.put("ada")
    var call = Call("pin", "write", "--quiet")
    call.environment = ["TOKENVAULT_PIN": Self.pin(bench)]
    let outcome = try bench.run(call)
    #expect(outcome.code == 0 && outcome.errors.isEmpty && outcome.output.isEmpty)
    let second = try bench.contents(of: Self.pin(bench))
    #expect(first != second && second.count == 193 && second.last == UInt8(ascii: "\n"))
    var status = stat()
    try #require(unsafe stat(Self.pin(bench), &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    var shell = Call("-c", "ls")
    shell.program = "/bin/sh"
    shell.arguments[1] = Array("ls \(bench.folder)".utf8)
    #expect(try bench.run(shell).lines.sorted() == ["elsewhere.pin", "vault.tv", "vault.tv.key", "vault.tv.lock"])
    #expect(try bench.run("pin", "write", bench.folder + "/no/such/pin").code == 73)
    #expect(try bench.run("pin", "write", "-").output == second)
    #expect(try bench.run("pin", "write").code == 64)
  }

  /// A pin says what it is of, without key and vault.
  @Test func aPinIsShown() throws {
    let bench = try Bench()
    try bench.put("ada")
    try #require(bench.run("pin", "write", Self.pin(bench)).code == 0)
    let head = try bench.run("verify", "--json").text
    let shown = try bench.run("pin", "show", Self.pin(bench), "--vault", "/nowhere", "--json")
    let link = try #require(head.firstMatch(of: /"head":"[0-9a-f]{64}"/))
    #expect(shown.code == 0 && shown.text.contains(link.output) && shown.text.contains(#""sequence":4"#))
    #expect(try bench.run("pin", "show", Self.pin(bench)).text.contains("generation  1"))
    #expect(try bench.run("pin", "show").code == 64)
  }

  /// A pin that is not there, is none, or that others can change, is never passed over.
  @Test func aBadPinIsNeverPassedOver() throws {
    let bench = try Bench()
    #expect(try bench.run("verify", "--require-pin").code == 78)
    var call = Call("verify")
    call.environment = ["TOKENVAULT_REQUIRE_PIN": "1"]
    #expect(try bench.run(call).code == 78)
    #expect(try bench.run("verify", "--pin", bench.folder + "/none").code == 78)
    for text in ["", "00", String(repeating: "0", count: 193), String(repeating: "A", count: 192)] {
      try bench.write(Array(text.utf8), to: "bad")
      #expect(try bench.run("verify", "--pin", bench.folder + "/bad").code == 78)
    }
    try #require(bench.run("pin", "write", Self.pin(bench)).code == 0)
    #expect(try bench.run("verify", "--require-pin", "--pin", Self.pin(bench)).code == 0)
    try #require(unsafe chmod(Self.pin(bench), 0o620) == 0)
    let open = try bench.run("verify", "--pin", Self.pin(bench))
    #expect(open.code == 78 && open.errors.contains("chmod 600"))
  }

  /// The published vaults with pins, as their scenarios expect; without a key an earlier generation can't be told.
  @Test(
    arguments: [
      ("pin_good-head", 0, 0), ("pin_good-earlier-batch", 0, 6), ("pin_good-earlier-generation", 0, 6),
      ("pin_good-older", 0, 0), ("pin_head", 76, 76), ("pin_truncated", 76, 76), ("pin_other-vault", 76, 76),
      ("pin_earlier-head", 76, 6), ("pin_fork", 76, 76),
    ] as [(String, Int32, Int32)])
  func publishedPins(_ name: String, _ code: Int32, _ codeWithoutKey: Int32) throws {
    let bench = try Bench()
    try bench.writeScenario(name)
    var call = Call("verify", "--pin", bench.folder + "/pin")
    let with = try bench.run(call)
    #expect(with.code == code, "\(with.text)\(with.errors)")
    call.givesKey = false
    let without = try bench.run(call)
    #expect(without.code == codeWithoutKey, "\(without.text)\(without.errors)")
  }

  /// A history of 64 generations has forgotten those before: a pin of one of them can't be told, and that is no success.
  @Test func aPinThatIsTooOldIsNoSuccess() throws {
    let bench = try Bench()
    try bench.writeScenario("anchor_good-history-sixty-four")
    var digits = try bench.run("pin", "write", "-").output
    // The generation stands behind vault id and file id.
    digits.replaceSubrange(96..<112, with: [UInt8](repeating: UInt8(ascii: "0"), count: 16))
    try bench.write(digits, to: "old.pin")
    let outcome = try bench.run("verify", "--pin", bench.folder + "/old.pin", "--json")
    #expect(outcome.code == 6 && outcome.text.contains(#""pin_kept":false"#) && outcome.text.hasSuffix("[]}\n"))
    #expect(try bench.run("verify", "--pin", bench.folder + "/old.pin").text.contains("can't be told"))
    #expect(try bench.run("pin", "write", bench.folder + "/old.pin").code == 6)
  }
}
