import Foundation
import Glibc
import Testing

/// Every signal, in the midst of what a command does.
@Suite struct HostSignalTests {
  /// Commands that write, and their names in the scenarios.
  private static let writing = ["put zoe", "compact --json", "rotate --json"]

  // Defends: whatever signal comes when a command syncs what it wrote, the vault is whole, nothing of it is lost, no secret is
  // printed, and the command ends as the signal says or goes on to its end.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "a signal at a system call needs strace"), arguments: writing,
    // What strace itself heeds does not get through it.
    HostSignals.all.filter { $0 != SIGQUIT })
  func inTheMidstOfAWrite(_ words: String, _ number: Int32) throws {
    let scenario = try #require(HostScenario.all.first { $0.words == words })
    let stage = try HostStage()
    let outcome = try HostSignals.run(scenario.call(on: stage), signal: number, at: "fdatasync", on: stage.bench)
    let goesOn = HostSignals.harmless.contains(number) || HostSignals.stopping.contains(number)
    #expect(outcome.code == (goesOn ? 0 : 128 + number), "\(outcome.errors)")
    for canary in stage.canaries {
      #expect(canary.form(in: Data(outcome.errors.utf8 + outcome.output)) == nil, "\(canary.name)")
    }
    #expect(try stage.isWhole())
    #expect(try stage.bench.run("get", "ada").text == HostStage.access + "\n")
  }

  // Defends: whatever signal comes while a passphrase is asked for, what is typed afterwards is shown again; the code is the
  // documented one; and where the signal ends nothing, the question stands or is asked anew, and is answered.
  @Test(arguments: HostSignals.all)
  func atAQuestion(_ number: Int32) throws {
    let stage = try HostStage()
    try #require(
      stage.bench.run("key", "add", "--new-passphrase", "file:" + stage.bench.folder + "/passphrase").code == 0)
    let terminal = try PseudoTerminal()
    var call = Call("get", "ada")
    call.givesKey = false
    let child = try terminal.start(call, on: stage.bench)
    try terminal.await("Passphrase: ")
    #expect(!terminal.echoes)
    try #require(kill(child, number) == 0)
    let goesOn = HostSignals.harmless.contains(number) || HostSignals.stopping.contains(number)
    if goesOn {
      if HostSignals.stopping.contains(number) { try terminal.await("Passphrase: ") }
      try terminal.type(HostStage.passphrase + "\n")
    }
    let code = terminal.end(of: child)
    #expect(code == (goesOn ? 0 : number == SIGINT ? 130 : 128 + number))
    #expect(terminal.echoes)
    let shown = Data(terminal.screen.utf8)
    #expect(stage.canaries.allSatisfy { $0.form(in: shown) == nil })
    let output = String(decoding: try stage.bench.contents(of: stage.bench.folder + "/output"), as: UTF8.self)
    #expect(output == (goesOn ? HostStage.access + "\n" : ""))
  }

  // Defends: at a shell with job control, a command that is stopped at its question gives the terminal back as it was, by
  // whichever signal it is stopped, and asks again when it is brought back.
  @Test(arguments: [SIGTSTP, SIGTTIN, SIGTTOU])
  func aQuestionThatIsStoppedAndGoesOn(_ number: Int32) throws {
    let stage = try HostStage()
    try #require(
      stage.bench.run("key", "add", "--new-passphrase", "file:" + stage.bench.folder + "/passphrase").code == 0)
    let terminal = try PseudoTerminal()
    var shell = Call("-i")
    shell.program = "/bin/sh"
    shell.givesKey = false
    shell.environment = ["PS1": "prompt> ", "TV": Bench.program]
    let process = try terminal.start(shell, on: stage.bench)
    try terminal.await("prompt> ")
    try terminal.type("$TV get ada\n")
    try terminal.await("Passphrase: ")
    let child = try #require(try Self.foreground(of: process))
    try #require(kill(child, number) == 0)
    try terminal.await("Stopped")
    try terminal.await("prompt> ")
    #expect(terminal.echoes)
    try terminal.type("fg\n")
    try terminal.await("Passphrase: ")
    try waitUntil("the answer is not shown") { !terminal.echoes }
    try terminal.type(HostStage.passphrase + "\n")
    try terminal.await("prompt> ")
    #expect(terminal.echoes)
    try terminal.type("exit $?\n")
    #expect(terminal.end(of: process) == 0)
  }

  /// The process that has the terminal of the session that `leader` began.
  private static func foreground(of leader: pid_t) throws -> pid_t? {
    let text = try String(contentsOf: URL(filePath: "/proc/\(leader)/stat"), encoding: .utf8)
    // Behind the name in brackets: state, parent, group, session, terminal, its foreground group.
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    return fields.count > 6 ? pid_t(fields[6]) : nil
  }
}
