import Foundation
import Glibc
import Testing

/// Many processes that refresh one token, and processes that are killed while they do.
@Suite(.serialized) struct RefreshProcessTests {
  private static let isLong = ProcessInfo.processInfo.environment["TOKENVAULT_LONG"] == "1"
  private let endpoint: Endpoint
  private var bench: Bench { endpoint.bench }

  init() throws { endpoint = try Endpoint() }

  @Test func thirtyTwoProcessesMakeOneCall() throws {
    // Defends: of 32 processes that find a token expired at the same moment, one runs its command, and all print the new token.
    let refreshes = try (0..<32).map { try Running(endpoint, $0) }
    for refresh in refreshes {
      #expect(refresh.end() == 0, "\(refresh.errors)")
      #expect(refresh.output == "at-1\n")
    }
    #expect(endpoint.lines("runs").count == 1 && endpoint.lines("overlaps").isEmpty)
    #expect(try endpoint.stored() == "at-1\n")
  }

  // Defends: whoever is killed, and whenever, a refresh and the command that it started are never at work beside another; every
  // token that was printed is on the disk; and the others get one. With `TOKENVAULT_LONG=1` in the environment it is a thousand
  // times.
  @Test func holdersAreKilled() throws {
    var random = SplitMix(state: 20_261_121)
    var killed = 0
    for round in 0..<(Self.isLong ? 1000 : 20) {
      try bench.put("ada", Endpoint.expired)
      let pause = ["", "0.01", "0.03"][Int(random.next() % 3)]
      let refreshes = try (0..<4).map { try Running(endpoint, $0, pause: pause) }
      usleep(UInt32(random.next() % 80_000))
      // The one whose command runs or ran last, or anyone.
      let holder = endpoint.lines("holder").first.flatMap { pid_t($0) }
      let victim = refreshes.first { $0.child == holder && random.next() % 4 > 0 } ?? refreshes[Int(random.next() % 4)]
      kill(victim.child, SIGKILL)
      let codes = refreshes.map { $0.end() }
      let stored = try endpoint.stored()
      for (refresh, code) in zip(refreshes, codes) {
        if refresh === victim, code == 128 + SIGKILL {
          killed += 1
          #expect(["", stored].contains(refresh.output), "round \(round)")
        } else {
          #expect(code == 0 && refresh.output == stored, "round \(round): \(code) \(refresh.errors)")
        }
      }
      #expect(stored.hasPrefix("at-") && stored != "at-0\n", "round \(round)")
      #expect(endpoint.lines("overlaps").isEmpty, "round \(round)")
    }
    #expect(killed > 0)
    #expect(try bench.run("verify").code == 0)
    if Self.isLong {
      print("\(killed) of 1000 killed, \(endpoint.lines("runs").count) commands run")
    }
  }

  @Test func commandOutlivesItsHolder() throws {
    // Defends: while a command runs whose refresh was killed, no other is started, and that it runs is seen; when it has ended,
    // what is left is seen as interrupted, until the next refresh.
    let slow = try endpoint.script("slow", "exec >/dev/null; : >started; while [ ! -e go ]; do sleep 0.01; done")
    let holder = try Running(endpoint, 0, command: slow)
    try waitUntil("the command runs") { FileManager.default.fileExists(atPath: bench.folder + "/started") }
    #expect(try bench.run("show", "ada").lines.contains { $0.hasPrefix("refresh ") && $0.contains(" running since 2") })
    kill(holder.child, SIGKILL)
    #expect(holder.end() == 128 + SIGKILL && holder.output.isEmpty)
    let refused = try endpoint.refresh("--timeout", "50ms")
    #expect(refused.code == 75 && refused.errors.contains("fuser"), "\(refused.errors)")
    #expect(try bench.run("show", "ada", "--json").text.contains("refresh_running_since"))
    #expect(endpoint.lines("runs").isEmpty)
    try bench.write([], to: "go")
    try waitUntil("the command has ended") {
      try bench.run("show", "ada").lines.contains { $0.hasPrefix("refresh ") && $0.contains(" interrupted at 2") }
    }
    #expect(try bench.run("show", "ada", "--json").text.contains("refresh_interrupted_at"))
    #expect(try endpoint.refresh("--print").text == "at-1\n")
    #expect(try !bench.run("show", "ada", "--json").text.contains("refresh_interrupted_at"))
  }

  @Test func keysAreNotChangedMeanwhile() throws {
    // Defends: while a token is refreshed the vault's keys stay, under which alone the answer can be stored; afterwards they change.
    try #require(bench.run("keygen", "--out", bench.folder + "/new.key").code == 0)
    let rekey = ["rekey", "--new-key", "file:" + bench.folder + "/new.key", "--lock-timeout"]
    let words = (rekey + ["50ms"]).joined(separator: " ")
    let command = try endpoint.script(
      "rekeying", "'\(Bench.program)' \(words) --key 'file:\(bench.keyFile)' 2>errors; echo $? >code; exec ./endpoint")
    #expect(try endpoint.refresh("--print", by: [command]).text == "at-1\n")
    #expect(endpoint.lines("code") == ["75"])
    #expect(endpoint.lines("errors").first?.contains("tokens are being refreshed") ?? false)
    #expect(try endpoint.stored() == "at-1\n")
    #expect(try bench.run(Call(rekey + ["0"])).code == 0)
    #expect(try bench.run("get", "ada").code == 77)
  }

  // Defends: killed at any write or sync between its start and its end, a refresh has printed nothing that is not stored; and
  // once the command has run, either the new token is there or `show` says that the refresh was interrupted.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "killing at a system call needs strace"),
    arguments: ["pwrite64", "fdatasync"])
  func killedAtEveryStep(_ name: String) throws {
    var interruptions = 0
    let before = try bench.contents(of: bench.vault)
    for step in 1...40 {
      // Zeros that a killed one had allocated would spare the next that step.
      try bench.write(before, to: "vault.tv")
      let runs = endpoint.lines("runs").count
      var call = endpoint.call(["--print"])
      let inject = "inject=\(name):signal=KILL:when=\(step)"
      let words = ["-qq", "-o", "/dev/null", "-e", "trace=\(name)", "-e", inject, Bench.program]
      call.arguments = words.map { Array($0.utf8) } + call.arguments
      call.program = "/usr/bin/strace"
      let outcome = try bench.run(call)
      let stored = try endpoint.stored()
      if outcome.code == 0 {
        #expect(outcome.text == stored && step > 2)
        // What was written is seen, synced or not: at a sync nothing is left half done.
        #expect((interruptions > 0) == (name == "pwrite64"))
        return
      }
      #expect(outcome.code == 128 + SIGKILL && outcome.text.isEmpty, "step \(step)")
      let ran = endpoint.lines("runs").count > runs
      let isInterrupted = try bench.run("show", "ada").text.contains("interrupted at")
      #expect(stored == "at-0\n" ? isInterrupted || !ran : ran && !isInterrupted, "step \(step)")
      if ran, isInterrupted { interruptions += 1 }
      let next = try endpoint.refresh("--print")
      let newest = try endpoint.stored()
      #expect(next.code == 0 && next.text == newest, "step \(step): \(next.errors)")
      #expect(endpoint.lines("overlaps").isEmpty)
    }
    Issue.record("it never came to its end")
  }
}

/// A `refresh --print` that runs beside the test.
private final class Running {
  let child: pid_t
  private let path: String

  init(_ endpoint: Endpoint, _ number: Int, pause: String = "", command: String? = nil) throws {
    path = endpoint.bench.folder + "/.refresh\(number)"
    var call = endpoint.call(["--print"], by: command.map { [$0] })
    call.environment = ["PAUSE": pause]
    var actions = try Spawning()
    actions.open(0, "/dev/null", O_RDONLY)
    actions.open(1, path + ".out", O_WRONLY | O_CREAT | O_TRUNC)
    actions.open(2, path + ".err", O_WRONLY | O_CREAT | O_TRUNC)
    child = try actions.spawn(call.program, call.arguments, endpoint.bench.environment(of: call))
  }

  /// Waits for its end; gives its code, or 128 and the signal.
  func end() -> Int32 { Spawning.wait(for: child) }

  var output: String { text(".out") }
  var errors: String { text(".err") }

  private func text(_ ending: String) -> String {
    (try? String(decoding: Data(contentsOf: URL(filePath: path + ending)), as: UTF8.self)) ?? ""
  }
}

/// The same numbers for the same seed.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
