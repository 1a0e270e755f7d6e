import Foundation
import Testing

/// `redact`: text passes by, secrets don't.
@Suite struct RedactTests {
  private static func bench() throws -> Bench {
    let bench = try Bench()
    try bench.put(
      "ada", #"{"access_token":"acc-1234567","refresh_token":"ref-7654321","token_type":"bearer","scope":"read"}"#)
    try bench.put(
      "eve\u{1b}[31m", #"{"access_token":"of-eve-8901234","id_token":"short","nested":{"client_secret":"deep-secret"}}"#
    )
    return bench
  }

  @Test func secretsAreTakenOut() throws {
    // Defends: all secrets of all tokens, and nothing else; names on request, without what a terminal would obey.
    let bench = try Self.bench()
    let text = "a acc-1234567,ref-7654321 bearer read short acc-123456 of-eve-8901234deep-secret\n\0\u{ff}"
    let plain = try bench.run("redact", input: text)
    #expect(plain.text == "a [redacted],[redacted] bearer read short acc-123456 [redacted][redacted]\n\0\u{ff}")
    #expect(plain.code == 0 && plain.errors.contains("1 secret is not looked for"))
    let names = try bench.run("redact", "--names", "--quiet", input: "acc-1234567 of-eve-8901234")
    #expect(names.text == "[redacted ada] [redacted eve\\u{1b}[31m]" && names.errors.isEmpty)
    #expect(try bench.run("redact", input: "").output.isEmpty)
    #expect(try Bench().run("redact", input: text).text == text)
  }

  @Test func megabytesPassBy() throws {
    // Defends: any size, with secrets across every border that reading makes; all else byte by byte.
    let bench = try Self.bench()
    var text: [UInt8] = []
    var expected: [UInt8] = []
    for number in 0..<120_000 {
      let noise = Array("\(number) acc-12345 ref-76543\n".utf8)
      text += noise
      expected += noise
      guard number % 7 == 0 else { continue }
      text += Array("acc-1234567".utf8)
      expected += Array("[redacted]".utf8)
    }
    var call = Call("redact")
    call.input = .bytes(text)
    let outcome = try bench.run(call)
    #expect(outcome.output == expected && outcome.code == 0)
  }

  @Test func whatIsThereIsShownAtOnce() throws {
    // Defends: a line is not held back for the next, nor a prompt that ends like the beginning of a secret; whose rest is still
    // taken out, though it comes much later.
    let bench = try Self.bench()
    let script = """
      cd "$FOLDER" && mkfifo in out && "$TV" redact --quiet <in >out &
      cd "$FOLDER"; while [ ! -p out ]; do :; done
      exec 3>in 4<out
      printf 'one acc-1234567\\n' >&3; IFS= read -r line <&4; echo "$line"
      printf 'user: acc' >&3; dd bs=1 count=9 status=none <&4; echo
      printf -- '-1234567 done\\n' >&3; IFS= read -r line <&4; echo "$line"
      printf 'ref-7' >&3; sleep 0.5; printf '654321\\n' >&3; IFS= read -r line <&4; echo "$line"
      exec 3>&-; cat <&4; wait
      """
    var call = Call("-c", script)
    call.program = "/bin/sh"
    call.environment = ["FOLDER": bench.folder, "TV": Bench.program]
    let outcome = try bench.run(call)
    #expect(outcome.lines == ["one [redacted]", "user: acc", "[redacted] done", "[redacted]"], "\(outcome.errors)")
  }

  @Test func whatAnotherProgramSealedIsCounted() throws {
    // Defends: a secret that can't be known is not passed over in silence, and the others are still taken out.
    let bench = try Bench()
    try bench.writeScenario("record_good-legacy")
    // What is there is no token: a secret may be in it, and nothing passes.
    let refused = try bench.run("redact", input: "acc-1234567")
    #expect(refused.code == 78 && refused.output.isEmpty)
    try bench.put("alice", #"{"access_token":"acc-1234567"}"#)
    let outcome = try bench.run("redact", input: "acc-1234567")
    #expect(outcome.text == "[redacted]" && outcome.errors.contains("not looked for"), "\(outcome.errors)")
  }

  @Test func failuresAreTold() throws {
    // Defends: a full disk is not success, and without a vault nothing passes unseen.
    let bench = try Self.bench()
    var call = Call("redact", "--quiet")
    call.input = .bytes(Array("text".utf8))
    call.output = .path("/dev/full")
    #expect(try bench.run(call).code == 74)
    call = Call("redact")
    call.input = .closed
    #expect(try bench.run(call).code == 74)
    #expect(try bench.run("redact", "--key", "stdin", input: "x").code == 64)
    let missing = try bench.run("redact", "--vault", "/nowhere/vault", input: "acc-1234567")
    #expect(missing.code == 66 && missing.output.isEmpty)
  }
}
