import Testing

/// What is written is written, or the exit code says that it was not.
@Suite struct OutputTests {
  @Test(arguments: [
    "keygen", "list", "get ada", "show ada", "verify", "inspect", "inspect --frames", "doctor",
    "pin write -", "help exit-codes", "--version", "get --help",
  ])
  func aFullDiskUnderTheOutputIsSeventyFour(_ command: String) throws {
    let bench = try Bench()
    try bench.put("ada")
    var call = Call(command.split(separator: " ").map { String($0) })
    call.output = .path("/dev/full")
    let outcome = try bench.run(call)
    #expect(outcome.code == 74 && outcome.errors.contains("No space left on device"))
  }

  /// Nothing of what would have been printed gets into the vault, which would have had descriptor 1.
  @Test func aClosedOutputIsSeventyFour() throws {
    let bench = try Bench()
    try bench.put("ada")
    let before = try Fingerprint(bench.vault)
    for arguments in [["get", "ada"], ["list"], ["keygen"]] {
      var call = Call(arguments)
      call.output = .closed
      let outcome = try bench.run(call)
      #expect(outcome.code == 74 && outcome.errors == "tokenvault: standard output is closed\n")
    }
    #expect(try Fingerprint(bench.vault) == before)
    var put = Call("put", "bob")
    put.output = .closed
    put.input = .bytes(Array("{}".utf8))
    #expect(try bench.run(put).code == 0)
    #expect(try bench.run("verify").code == 0)
  }

  @Test func aClosedInputIsAnError() throws {
    let bench = try Bench()
    let before = try Fingerprint(bench.vault)
    var call = Call("put", "ada")
    call.input = .closed
    let outcome = try bench.run(call)
    #expect(outcome.code == 74 && outcome.errors.contains("standard input can't be read"))
    #expect(try Fingerprint(bench.vault) == before)
  }

  /// A reader that has gone needs no message.
  @Test func aReaderThatHasGoneIsNotTold() throws {
    let bench = try Bench()
    try bench.put("ada")
    var shell = Call("-c", "", Bench.program)
    shell.program = "/bin/sh"
    // The reader closes its end before the writer starts: the writer waits for a FIFO that the reader opens afterwards.
    shell.arguments[1] = Array(
      #"""
      mkfifo "$HOME/go"; exec 3>&2
      { read -r _ <"$HOME/go"; "$0" list; echo "code $?" >&3; } | { exec 0<&-; echo >"$HOME/go"; }
      """#.utf8)
    let outcome = try bench.run(shell)
    #expect(outcome.errors == "code 74\n")
  }

  @Test func usageErrorsAreJSONToo() throws {
    let bench = try Bench()
    for arguments in [["get", "--json"], ["list", "--nonsense", "--json"], ["--json", "nonsense"]] {
      let outcome = try bench.run(Call(arguments))
      #expect(outcome.code == 64 && outcome.errors.hasPrefix(#"{"error":{"code":"usage","exit":64,"message":""#))
      #expect(outcome.errors.split(separator: "\n").count == 1)
    }
    #expect(try bench.run("get").errors.hasSuffix("  See 'tokenvault get --help' for more information.\n"))
    #expect(try bench.run("--nonsense").errors.hasSuffix("  See 'tokenvault --help' for more information.\n"))
    var call = Call("get")
    call.environment = ["TOKENVAULT_JSON": "1"]
    #expect(try bench.run(call).errors.hasPrefix(#"{"error":{"code":"usage""#))
  }

  /// Somebody who gives a secret as an argument does not find it in a log.
  @Test(arguments: [
    ["put", "ada", "ya29.a0AfH6SMBx-secret"], ["put", "ada", "--token=ya29.a0AfH6SMBx-secret"],
    ["get", "ada", "--key", "ya29.a0AfH6SMBx-secret"], ["get", "ada", "--format", "ya29.a0AfH6SMBx-secret"],
    ["get", "ada", "--key=env:deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef"],
    ["get", "ada", "--passphrase", "ya29.a0AfH6SMBx-secret", "--json"],
  ])
  func secretsInArgumentsAreNotRepeated(_ arguments: [String]) throws {
    let bench = try Bench()
    let outcome = try bench.run(Call(arguments))
    #expect(outcome.code == 64 || outcome.code == 77)
    #expect(!outcome.errors.contains("a0AfH6SMBx") && !outcome.errors.contains("deadbeef"), "\(outcome.errors)")
  }
}
