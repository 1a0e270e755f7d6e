import Glibc
import Testing

/// What happens at a terminal: questions go there, answers are not shown, and the terminal is as before in the end.
@Suite struct PromptTests {
  private static func call(_ arguments: String...) -> Call {
    var call = Call(arguments)
    call.givesKey = false
    return call
  }

  @Test func aPassphraseIsAskedForTwiceAndThenOpens() throws {
    let bench = try Bench(withVault: false)
    let terminal = try PseudoTerminal()
    var child = try terminal.start(Self.call("init"), on: bench)
    try terminal.await("New passphrase: ")
    #expect(!terminal.echoes)
    try terminal.type("tr0ub4dor\n")
    try terminal.await("The same again: ")
    try terminal.type("another\n")
    try terminal.await("They differ. Once more.\r\nNew passphrase: ")
    try terminal.type("tr0ub4dor\n")
    try terminal.await("The same again: ")
    try terminal.type("tr0ub4dor\n")
    #expect(terminal.end(of: child) == 0)
    child = try terminal.start(Self.call("list", "--json"), on: bench)
    try terminal.await("Passphrase: ")
    try terminal.type("tr0ub4dor\n")
    #expect(terminal.end(of: child) == 0)
    #expect(terminal.echoes && !terminal.screen.contains("tr0ub4dor"))
    #expect(try bench.contents(of: bench.folder + "/output").isEmpty)
  }

  /// However it ends, what is typed afterwards is shown again.
  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func signalsLeaveTheTerminalAsItWas(_ signal: Int32) throws {
    let bench = try Bench(withVault: false)
    let terminal = try PseudoTerminal()
    let child = try terminal.start(Self.call("init"), on: bench)
    try terminal.await("New passphrase: ")
    #expect(!terminal.echoes)
    try #require(kill(child, signal) == 0)
    #expect(terminal.end(of: child) == (signal == SIGINT ? 130 : 128 + signal))
    #expect(terminal.echoes)
    #expect(unsafe access(bench.vault, F_OK) != 0)
  }

  @Test func ctrlCAndCtrlDEndThePrompt() throws {
    for (key, code) in [("\u{3}", Int32(130)), ("\u{4}", 77)] {
      let bench = try Bench(withVault: false)
      let terminal = try PseudoTerminal()
      let child = try terminal.start(Self.call("init"), on: bench)
      try terminal.await("New passphrase: ")
      try terminal.type(key)
      #expect(terminal.end(of: child) == code)
      #expect(terminal.echoes)
    }
  }

  /// A process that was given hundreds of descriptors asks like any other.
  @Test func descriptorsWithLargeNumbersAreWaitedFor() throws {
    let bench = try Bench(withVault: false)
    let terminal = try PseudoTerminal()
    let script = "for i in $(seq 3 300); do eval \"exec $i</dev/null\"; done; exec \"$0\" init"
    var call = Self.call("-c", script, Bench.program)
    call.program = "/bin/bash"
    let child = try terminal.start(call, on: bench)
    for question in ["New passphrase: ", "The same again: "] {
      try terminal.await(question)
      try terminal.type("tr0ub4dor\n")
    }
    #expect(terminal.end(of: child) == 0)
  }

  /// `--no-input` asks nothing although there is a terminal.
  @Test func noInputAsksNothing() throws {
    let bench = try Bench()
    let terminal = try PseudoTerminal()
    #expect(terminal.end(of: try terminal.start(Self.call("init", "--no-input", "--vault", "x"), on: bench)) == 77)
    #expect(terminal.screen.contains("cmd:PROGRAM") && !terminal.screen.contains("New passphrase"))
    var call = Call("delete", "ada", "--no-input")
    #expect(terminal.end(of: try terminal.start(call, on: bench)) == 64)
    call = Call("delete", "ada")
    let outcome = try bench.run(call)
    #expect(outcome.code == 64 && outcome.errors.contains("--yes"))
  }

  @Test func deletingAsks() throws {
    let bench = try Bench()
    try bench.put("ada\u{1b}[2J")
    for (answer, code) in [("n\n", Int32(130)), ("\n", 130), ("y\n", 0), ("y\n", 3)] {
      let terminal = try PseudoTerminal()
      let child = try terminal.start(Call("delete", "ada\u{1b}[2J"), on: bench)
      if code != 3 {
        try terminal.await(#"Delete the token of ada\u{1b}[2J? [y/N] "#)
        try terminal.type(answer)
      }
      #expect(terminal.end(of: child) == code)
    }
  }

  /// Somebody who runs `put` without a pipe is told what it waits for.
  @Test func putAtATerminalSaysWhatItReads() throws {
    let bench = try Bench()
    let terminal = try PseudoTerminal()
    let child = try terminal.start(Call("put", "ada"), on: bench)
    try terminal.await("ctrl-D")
    try terminal.type("{\"access_token\":\"typed\"}\n\u{4}")
    #expect(terminal.end(of: child) == 0)
    #expect(try bench.run("get", "ada").text == "typed\n")
  }

  /// A crash must neither print memory nor leave a core dump: the handlers of Swift's crash report are gone, and the limit is 0.
  /// While a question is open, all signals are held back for the terminal's sake: HostSignalTests sends each of them then.
  @Test func crashesAreQuiet() throws {
    let bench = try Bench()
    let running = try Background(Call("put", "ada"), on: bench)
    func signals(_ name: String) throws -> UInt64 {
      let status = String(decoding: try bench.contents(of: "/proc/\(running.child)/status"), as: UTF8.self)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
      return try #require(UInt64(line.dropFirst(name.count).drop { $0 == "\t" }, radix: 16))
    }
    // By then it has settled all else with the system.
    try waitUntil("the command ignores broken pipes") { try signals("SigIgn:") >> UInt64(SIGPIPE - 1) & 1 == 1 }
    let caught = try signals("SigCgt:")
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] { #expect(caught >> UInt64(number - 1) & 1 == 0) }
    let limits = String(decoding: try bench.contents(of: "/proc/\(running.child)/limits"), as: UTF8.self)
    let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
    #expect(core.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
    running.send(Array(#"{"access_token":"t"}"#.utf8))
    #expect(running.end() == 0)
  }
}
