import Foundation
import Glibc
import Testing

/// `exec`: what the program sees, what it doesn't, and how it ends.
@Suite struct ExecTests {
  private static let token = #"{"access_token":"acc-1234567","refresh_token":"ref-7654321","n":7}"#

  private static func bench() throws -> Bench {
    let bench = try Bench()
    try bench.put("ada", token)
    return bench
  }

  /// The words of a shell's script behind `--`.
  private static func call(_ options: [String], _ script: String) -> Call {
    Call(["exec"] + options + ["--", "/bin/sh", "-c", script])
  }

  @Test func theProgramGetsWhatItWasGivenAndNothingElse() throws {
    // Defends: each way in carries exactly the secret, and the environment is otherwise what it was, but for the vault's key.
    let bench = try Self.bench()
    let options = [
      "--env", "A=ada", "--env", "R=ada.refresh_token", "--fd", "7=ada.n", "--stdin", "ada", "--file", "F=ada",
    ]
    var call = Call(["exec"] + options + ["--", "env"])
    call.environment = ["KEPT": "a b", "A": "before"]
    let expected = [
      "PATH=/usr/bin:/bin", "HOME=\(bench.folder)", "TOKENVAULT_FILE=\(bench.vault)", "KEPT=a b", "A=acc-1234567",
      "R=ref-7654321", "F=/proc/self/fd/20",
    ]
    #expect(try bench.run(call).lines.sorted() == expected.sorted())
    let outcome = try bench.run(
      Self.call(options, "cat; echo; cat <&7; echo; cat $F; echo; cat $F; echo; cat /proc/self/fd/0"))
    #expect(outcome.text == "acc-1234567\n7\nacc-1234567\nacc-1234567\nacc-1234567")
    #expect(outcome.errors.isEmpty && outcome.code == 0)
  }

  @Test func aPristineEnvironmentIsBare() throws {
    // Defends: nothing but the six and what was asked for.
    let bench = try Self.bench()
    var call = Call(["exec", "--pristine", "--env", "A=ada", "--", "env"])
    call.environment = ["TERM": "dumb", "LANG": "C", "USER": "u", "TMPDIR": "/t", "OTHER": "x", "LD_X": "y"]
    let expected = ["PATH=/usr/bin:/bin", "HOME=\(bench.folder)", "TERM=dumb", "LANG=C", "USER=u", "TMPDIR=/t"]
    #expect(try bench.run(call).lines.sorted() == (expected + ["A=acc-1234567"]).sorted())
  }

  @Test(arguments: [[], ["--replace"]])
  func theKeyIsInNoEnvironment(_ how: [String]) throws {
    // Defends: neither the program, nor whoever looks at tokenvault's own environment and arguments while it runs, sees the key
    // or a token; nor the key that a variable names which an option outdid.
    let bench = try Self.bench()
    let key = String(decoding: try bench.contents(of: bench.keyFile), as: UTF8.self)
    let look =
      "tr '\\0' '\\n' </proc/$PPID/environ; tr '\\0' '\\n' </proc/$PPID/cmdline; tr '\\0' '\\n' </proc/$$/cmdline"
    var call = Self.call(how + ["--key", "env:K", "--env", "A=ada"], "env; " + (how.isEmpty ? look : ":"))
    call.givesKey = false
    call.environment = ["K": key, "P": "phrase-of-old", "TOKENVAULT_PASSPHRASE": "env:P", "KEPT": "x"]
    let outcome = try bench.run(call)
    #expect(outcome.code == 0 && outcome.lines.contains("KEPT=x") && outcome.lines.contains("A=acc-1234567"))
    #expect(outcome.text.ranges(of: "acc-1234567").count == 1)
    for secret in [String(key.prefix(64)), "phrase-of-old"] { #expect(!outcome.text.contains(secret)) }
    #expect(!outcome.lines.contains { $0.hasPrefix("TOKENVAULT_KEY=") })
  }

  @Test func nothingIsWrittenToAnyDisk() throws {
    // Defends: memory files are in memory; vault and folder are as they were.
    let bench = try Self.bench()
    let before = try Fingerprint(bench.vault)
    let files = try Set(FileManager.default.contentsOfDirectory(atPath: bench.folder))
    let outcome = try bench.run(
      Self.call(["--file", "F=ada", "--stdin", "ada"], "ls \(bench.folder) -A; readlink $F /proc/self/fd/0"))
    #expect(outcome.lines.suffix(2).allSatisfy { $0.hasPrefix("/memfd:") })
    let left = Set(outcome.lines.dropLast(2)).subtracting(files)
    #expect(left.allSatisfy { $0.hasPrefix(".input") || $0.hasPrefix(".output") || $0.hasPrefix(".errors") })
    #expect(try Fingerprint(bench.vault) == before)
  }

  @Test func nobodyCanChangeAMemoryFile() throws {
    // Defends: it is sealed, for root too, and for its owner alone to read.
    let bench = try Self.bench()
    let script = "(echo x >>$F) 2>/dev/null && echo written; cat $F; echo; stat -L -c %a $F"
    #expect(try bench.run(Self.call(["--file", "F=ada"], script)).text == "acc-1234567\n400\n")
  }

  @Test(arguments: [
    ("exit 0", 0), ("exit 7", 7), ("exit 125", 125), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137),
    ("kill -SEGV $$", 139), ("kill -PIPE $$", 141),
  ])
  func theEndIsTheProgramsOwn(_ script: String, _ code: Int32) throws {
    // Defends: its code, or 128 and the signal, with --replace as well as without; nothing is said of it.
    let bench = try Self.bench()
    for how in [[], ["--replace"]] {
      let outcome = try bench.run(Self.call(how + ["--env", "A=ada"], script))
      #expect(outcome.code == code && outcome.errors.isEmpty, "\(outcome.errors)")
    }
  }

  @Test(arguments: [[], ["--replace"]])
  func whatCannotBeRunIsToldApart(_ how: [String]) throws {
    // Defends: 127 for what is not there, 126 for what can't be executed, as env and timeout do.
    let bench = try Self.bench()
    try bench.write(program: "#!/nowhere/interpreter\n", to: "script")
    for (program, code) in [
      ("no-such-program", 127), ("/nowhere/program", 127), (bench.folder + "/script", 127), (bench.vault, 126),
      ("/", 126),
    ] as [(String, Int32)] {
      let outcome = try bench.run(Call(["exec"] + how + ["--env", "A=ada", "--", program]))
      #expect(outcome.code == code && outcome.errors.hasPrefix("tokenvault: "), "\(program): \(outcome.errors)")
    }
    let outcome = try bench.run("exec", "--json", "--", "/nowhere/program")
    #expect(outcome.errors.contains(#""code":"program_not_found","exit":127"#), "\(outcome.errors)")
  }

  @Test(arguments: [
    ["--env", "A=nobody"], ["--env", "A=ada.nothing"], ["--env", "A"], ["--env", "=ada"], ["--env", "A="],
    ["--env", "A=ada", "--file", "A=ada"], ["--env", "A=ada", "--env", "A=ada"], ["--stdin", ""], ["--fd", "2=ada"],
    ["--fd", "x=ada"], ["--fd", "5=ada", "--fd", "5=ada"], ["--fd", "2000000000=ada"], ["--file", "F=ada.nothing"],
    ["--env", "A=tv://"], ["--env", "A=tv://ada/%zz"], ["--unknown"], ["--key", "env:NOT_SET", "--env", "A=ada"],
    ["--vault", "/nowhere/vault", "--env", "A=ada"], ["--env", "A=ada", "--provider", "reddit"],
    ["--passphrase", "file:/dev/null", "--env", "A=ada"], ["--key", "0001020304", "--env", "A=ada"],
  ])
  func whatFailsHereEndsWith125(_ options: [String]) throws {
    // Defends: the program is not started, and no code of tokenvault is taken for one of the program.
    let bench = try Self.bench()
    let touched = bench.folder + "/touched"
    let outcome = try bench.run(Call(["exec"] + options + ["--", "touch", touched]))
    #expect(outcome.code == 125 && outcome.errors.hasPrefix("tokenvault: "), "\(outcome.errors)")
    #expect(unsafe access(touched, F_OK) != 0)
    let json = try bench.run(Call(["exec", "--json"] + options + ["--", "touch", touched]))
    #expect(json.code == 125 && json.errors.contains(#""exit":125"#), "\(json.errors)")
    #expect(!outcome.errors.contains("ada"), "\(outcome.errors)")
  }

  @Test func withoutAProgramThereIsNothingToRun() throws {
    // Defends: a missing program is said, wherever options stand; help is no failure.
    let bench = try Self.bench()
    #expect(try bench.run("exec").code == 125)
    #expect(try bench.run("exec", "--env", "A=ada", "--").code == 125)
    #expect(try bench.run("--quiet", "exec", "--env").code == 125)
    #expect(try bench.run("exec", "--env", "A=ada", "--", "").code == 125)
    #expect(try bench.run("exec", "true").code == 125)
    #expect(try bench.run("exec", "--help").code == 0)
    #expect(try bench.run("--quiet", "exec", "--env", "A=ada", "--", "sh", "-c", "exit 9").code == 9)
    #expect(try bench.run("help", "exit-codes").text.contains("127   program_not_found"))
  }

  @Test func aTokenThatExpiresTooSoonIsNotHandedOver() throws {
    // Defends: --valid-for, for each of the tokens.
    let bench = try Self.bench()
    try bench.put("old", #"{"access_token":"x","expires_at":1000}"#)
    let outcome = try bench.run("exec", "--env", "A=ada", "--env", "O=old", "--valid-for", "5m", "--", "true")
    #expect(outcome.code == 125 && outcome.errors == "tokenvault: --env O: the token expires sooner than asked\n")
    #expect(try bench.run("exec", "--env", "A=ada", "--valid-for", "5m", "--", "true").code == 0)
    #expect(try bench.run("exec", "--env", "O=old", "--", "true").code == 0)
  }

  @Test func namesWithDotsAreDecidedByWhoIsThere() throws {
    // Defends: a token under the whole text comes first, the member behind the last dot second, tv:// says it outright.
    let bench = try Self.bench()
    try bench.put("ada@example.com", #"{"access_token":"mail","com":"com"}"#)
    try bench.put("ada.refresh_token", #"{"access_token":"dotted"}"#)
    for (reference, value) in [
      ("ada@example.com", "mail"), ("ada@example.com.access_token", "mail"), ("ada.refresh_token", "dotted"),
      ("tv://ada/refresh_token", "ref-7654321"), ("tv://ada.refresh_token", "dotted"), ("ada.n", "7"),
      ("tv://ada@example.com/com", "com"),
    ] {
      #expect(try bench.run(Self.call(["--env", "A=" + reference], "printf %s \"$A\"")).text == value, "\(reference)")
    }
    let outcome = try bench.run("put", "ada", "--provider", "reddit", input: #"{"access_token":"of-reddit"}"#)
    try #require(outcome.code == 0)
    let options = [
      "--provider", "reddit", "--env", "A=ada", "--env", "B=tv://ada", "--env", "C=tv://ada?provider=reddit",
    ]
    #expect(try bench.run(Self.call(options, "echo $A $B $C")).text == "of-reddit acc-1234567 of-reddit\n")
  }

  @Test func aMegabyteGoesEveryWay() throws {
    // Defends: what no pipe holds arrives whole; a program that does not read it is not disturbed; no variable can hold it.
    let bench = try Bench()
    let large = String(repeating: "0123456789abcdef", count: 65_000)
    try bench.put("large", #"{"access_token":"\#(large)"}"#)
    for how in [[], ["--replace"]] {
      let options = how + ["--stdin", "large", "--fd", "9=large", "--file", "F=large"]
      let outcome = try bench.run(Self.call(options, "cat; cat <&9; cat $F"))
      #expect(outcome.code == 0 && outcome.text == large + large + large)
      #expect(try bench.run(Self.call(options, "exec <&- 9<&-; exit 3")).code == 3)
    }
    let outcome = try bench.run("exec", "--env", "A=large", "--", "true")
    #expect(outcome.code == 125 && outcome.errors.contains("1040000 bytes"), "\(outcome.errors)")
  }

  @Test func aZeroByteGoesIntoAFileAlone() throws {
    // Defends: a secret is never cut short at a zero byte.
    let bench = try Bench()
    try bench.put("zero", #"{"access_token":"be\u0000hind"}"#)
    let outcome = try bench.run("exec", "--env", "A=zero", "--", "true")
    #expect(outcome.code == 125 && outcome.errors.contains("zero byte"), "\(outcome.errors)")
    #expect(try bench.run("exec", "--stdin", "zero", "--", "cat").output == Array("be\0hind".utf8))
  }

  @Test(arguments: [[], ["--replace"]])
  func noDescriptorLeaks(_ how: [String]) throws {
    // Defends: the program has what it would have without tokenvault, and what was asked for.
    let bench = try Self.bench()
    var call = Call("/proc/self/fd")
    call.program = "/bin/ls"
    let plain = Set(try bench.run(call).lines)
    let options = how + ["--file", "F=ada", "--fd", "20=ada", "--file", "G=ada", "--stdin", "ada"]
    let outcome = try bench.run(Call(["exec"] + options + ["--", "/bin/ls", "/proc/self/fd"]))
    #expect(Set(outcome.lines) == plain.union(["20", "21", "22"]))
  }

  @Test(arguments: [[], ["--replace"]])
  func closedDescriptorsAreNotFilledWithSecrets(_ how: [String]) throws {
    // Defends: a descriptor 0 to 2 that was closed is not one of tokenvault's own in the program.
    let bench = try Self.bench()
    var call = Self.call(how + ["--env", "A=ada", "--fd", "9=ada"], "cat >/dev/null; cat <&9 >&2; echo x; exit 5")
    call.input = .closed
    call.output = .closed
    let outcome = try bench.run(call)
    #expect(outcome.code == 5 && outcome.errors.contains("acc-1234567"), "\(outcome.errors)")
    #expect(outcome.errors.contains("Bad file descriptor"))
  }

  @Test func oneProcessOrTwo() throws {
    // Defends: --replace leaves nobody behind; without it the program is a child in the same group.
    let bench = try Self.bench()
    for (how, same) in [("--replace", true), ("--quiet", false)] {
      let inner = "echo $$; cut -d \" \" -f 5 /proc/$$/stat"
      var call = Call(
        "-c",
        "echo $$; cut -d ' ' -f 5 /proc/$$/stat; exec \(Bench.program) exec \(how) --env A=ada -- sh -c '\(inner)'")
      call.program = "/bin/sh"
      let lines = try bench.run(call).lines
      try #require(lines.count == 4)
      #expect((lines[0] == lines[2]) == same && lines[1] == lines[3])
    }
  }

  @Test func theVaultIsFreeWhileTheProgramRuns() throws {
    // Defends: a program that itself writes to the vault is not locked out by who started it.
    let bench = try Self.bench()
    let put =
      "echo '{\"access_token\":\"new\"}' | \(Bench.program) put ada --key file:\(bench.keyFile) --lock-timeout 0s"
    let outcome = try bench.run(Self.call(["--env", "A=ada"], put))
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try bench.run("get", "ada").text == "new\n")
  }

  /// A program that runs, as its first line `ready` tells.
  private static func ready(_ options: [String], _ script: String, on bench: Bench) throws -> Background {
    let running = try Background(call(options, script), on: bench)
    try waitUntil("the program runs") { running.errors.contains("ready") }
    return running
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH])
  func signalsArePassedOn(_ number: Int32) throws {
    // Defends: what a supervisor sends to tokenvault reaches the program, which decides; tokenvault ends with it.
    let bench = try Self.bench()
    let script = "trap 'echo heard >&2; kill $!; exit 9' \(number); sleep 1000 & echo ready >&2; wait"
    let running = try Self.ready(["--env", "A=ada"], script, on: bench)
    kill(running.child, number)
    #expect(running.end() == 9)
    #expect(running.errors == "ready\nheard\n")
  }

  @Test func aProgramThatASignalEndsIsToldAsOne() throws {
    // Defends: 143 where SIGTERM ended the program, and no word of it.
    let bench = try Self.bench()
    let running = try Self.ready([], "echo ready >&2; exec sleep 1000", on: bench)
    kill(running.child, SIGTERM)
    #expect(running.end() == 143)
    #expect(running.errors == "ready\n")
  }

  @Test func whoStartedThisMayIgnoreItsChildren() throws {
    // Defends: where SIGCHLD is ignored from the start, a program's end is known all the same; that of a key source as well.
    let bench = try Self.bench()
    var call = Call(
      "-c", "trap '' CHLD; exec \(Bench.program) exec --key 'cmd:cat \(bench.keyFile)' --env A=ada -- sh -c 'exit 7'")
    call.program = "/bin/sh"
    call.givesKey = false
    let outcome = try bench.run(call)
    #expect(outcome.code == 7, "\(outcome.errors)")
  }

  @Test func aStoppedProgramIsNotAnEndedOne() throws {
    // Defends: stopping and going on, without a terminal, changes nothing for who waits.
    let bench = try Self.bench()
    let running = try Background(Self.call([], "echo $$ >&2; kill -STOP $$; exit 4"), on: bench)
    try waitUntil("the program runs") { running.errors.hasSuffix("\n") }
    let program = try #require(Int32(running.errors.dropLast()))
    try waitUntil("it has stopped") {
      try String(contentsOf: URL(filePath: "/proc/\(program)/stat"), encoding: .utf8).contains(") T ")
    }
    kill(program, SIGCONT)
    #expect(running.end() == 4)
  }

  @Test func aTerminalRulesBoth() throws {
    // Defends: ctrl-Z stops tokenvault with its program, fg lets both go on, and ctrl-C ends the program once, not twice.
    let bench = try Self.bench()
    let terminal = try PseudoTerminal()
    var call = Call("-i")
    call.program = "/bin/sh"
    call.environment = ["PS1": "prompt> ", "TV": Bench.program]
    let shell = try terminal.start(call, on: bench)
    try terminal.await("prompt> ")
    let script = """
      trap 'echo resumed >&2' CONT
      trap 'echo one >>\(bench.folder)/heard; kill $!' INT
      sleep 1000 &
      echo ready >&2
      while kill -0 $! 2>/dev/null; do wait; done
      echo ended >&2
      exit 6
      """
    try bench.write(Array(script.utf8), to: "script")
    try terminal.type("$TV exec --env A=ada -- sh \(bench.folder)/script\n")
    try terminal.await("ready")
    try terminal.type("\u{1a}")
    try terminal.await("Stopped")
    try terminal.await("prompt> ")
    try terminal.type("fg\n")
    try terminal.await("resumed")
    try terminal.type("\u{3}")
    try terminal.await("ended")
    try terminal.await("prompt> ")
    try terminal.type("exit $?\n")
    #expect(terminal.end(of: shell) == 6)
    #expect(try bench.contents(of: bench.folder + "/heard") == Array("one\n".utf8))
  }

  @Test func aProgramThatStopsItselfGivesTheTerminalBack() throws {
    // Defends: a shell is not left waiting for a program that stopped by itself alone.
    let bench = try Self.bench()
    let terminal = try PseudoTerminal()
    var call = Call("-i")
    call.program = "/bin/sh"
    call.environment = ["PS1": "prompt> ", "TV": Bench.program]
    let shell = try terminal.start(call, on: bench)
    try terminal.await("prompt> ")
    try terminal.type("$TV exec --env A=ada -- sh -c 'kill -STOP $$; exit 8'\n")
    try terminal.await("Stopped")
    try terminal.await("prompt> ")
    try terminal.type("fg\n")
    try terminal.await("prompt> ")
    try terminal.type("exit $?\n")
    #expect(terminal.end(of: shell) == 8)
  }
}
