import Foundation
import Glibc
import Testing

/// What is left in memory when a command ends, and what a crash shows of it.
@Suite struct HostMemoryTests {
  private static let readable: ConditionTrait = .enabled(
    if: EndMemory.isPossible, "reading another process's memory needs root, and Python")

  // Defends: when a command ends, whichever it is, no key and no passphrase is in its memory any more, in no encoding and not by
  // half. Tokens are where the scenario says so and nowhere else: a token that is read as JSON or printed is a `String` for a
  // while, and Swift gives its memory back without wiping it, as THREAT-MODEL.md says.
  @Test(readable, arguments: HostScenario.all.filter { !$0.isPublic })
  func noSecretIsLeft(_ scenario: HostScenario) throws {
    let stage = try HostStage()
    let key = scenario.makesKey.map { stage.bench.folder + "/" + $0 }
    // Whoever puts another program in the place of this one takes its environment along.
    let canaries = stage.canaries.filter { !scenario.words.contains("--replace") || $0.name != "access" }
    let (outcome, findings) = try EndMemory.search(
      scenario.call(on: stage), for: canaries, keyIn: key, on: stage.bench)
    #expect(outcome.code == scenario.code, "\(outcome.errors)")
    let left = findings.filter { !scenario.leaves.contains($0.name) }
    #expect(left.isEmpty, "\(left)")
  }

  // Defends: the search finds what is there: a program's argument, in each form.
  @Test(readable) func theSearchSees() throws {
    let stage = try HostStage()
    let canary = try #require(stage.canaries.first)
    for (form, bytes) in canary.forms where !bytes.contains(0) {
      var call = Call("-c", "read -r kept; exit 3")
      call.program = "/bin/sh"
      call.input = .bytes(Array(bytes) + [0x0a])
      let (outcome, findings) = try EndMemory.search(call, for: [canary], keyIn: nil, on: stage.bench)
      #expect(outcome.code == 3 && findings.contains { $0.name == canary.name }, "\(form)")
    }
  }

  // Defends: a crash in the midst of a write, whatever signal tells of it, prints nothing, leaves no core file, and costs nothing
  // that was there.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "a signal at a system call needs strace"),
    arguments: [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS])
  func aCrashShowsNothing(_ number: Int32) throws {
    let stage = try HostStage()
    let call = HostScenario.all[0].call(on: stage)
    // From the folder, so that a core file would be made there.
    let outcome = try HostSignals.run(call, signal: number, at: "fdatasync", on: stage.bench)
    #expect(outcome.code == 128 + number)
    #expect(outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: stage.bench.folder)
    #expect(!names.contains { $0.hasPrefix("core") }, "\(names)")
    #expect(try stage.isWhole())
    #expect(try stage.bench.run("get", "ada").text == HostStage.access + "\n")
  }

  // Defends: the system does not give the memory of the command to whoever takes crash dumps, nor to other processes of its user;
  // the limit on core files does not hold for a program that takes them.
  @Test(.enabled(if: geteuid() == 0, "becoming another user needs root"))
  func nobodyElseReadsTheMemory() throws {
    let stage = try HostStage()
    for name in ["", "/vault.tv", "/vault.tv.key"] {
      try #require(unsafe chown(stage.bench.folder + name, 65534, 65534) == 0)
    }
    var call = Call(["--reuid", "65534", "--regid", "65534", "--clear-groups", Bench.program, "put", "zoe"])
    call.program = "/usr/bin/setpriv"
    let running = try Background(call, on: stage.bench)
    // Its files in /proc are root's from the moment on when it forbids to be looked into.
    try waitUntil("the command forbids to be looked into") {
      var status = stat()
      try #require(unsafe stat("/proc/\(running.child)/mem", &status) == 0)
      let isCommand =
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(running.child)/exe") == Bench.program
      return isCommand && status.st_uid == 0
    }
    running.send(Array(#"{"access_token":"t"}"#.utf8))
    #expect(running.end() == 0, "\(running.errors)")
    // What it does with its own files in /proc works nevertheless.
    call.arguments =
      Call([
        "--reuid", "65534", "--regid", "65534", "--clear-groups", Bench.program, "inject", "--in",
        stage.bench.folder + "/template", "--out", stage.bench.folder + "/filled",
      ]).arguments
    try #require(unsafe chown(stage.bench.folder + "/template", 65534, 65534) == 0)
    let filled = try stage.bench.run(call)
    #expect(filled.code == 0, "\(filled.errors)")
    #expect(try stage.bench.contents(of: stage.bench.folder + "/filled") == Array("token = \(HostStage.access)\n".utf8))
  }
}
