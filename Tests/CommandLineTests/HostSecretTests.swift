import Foundation
import Glibc
import Testing

/// Where secrets get to, for every command that there is.
@Suite struct HostSecretTests {
  private static let traced: ConditionTrait = .enabled(
    if: StoppedWriter.isPossible, "watching another process's system calls needs strace")

  // Defends: no command escapes these tests: what its help lists has a scenario each, and no scenario is of something else.
  @Test func everyCommandHasAScenario() throws {
    let commands = try HostStage.commands()
    #expect(commands.count > 40)
    #expect(commands == Set(HostScenario.all.map(\.command)))
    #expect(HostScenario.all.allSatisfy { $0.words.hasPrefix($0.command) })
  }

  // Defends: no secret is among the arguments of any process or in its environment, and none is written to anything but what it
  // is meant for, a file without a name and one that is gone in the end among them: in no encoding.
  @Test(traced, arguments: HostScenario.all)
  func noSecretGoesAstray(_ scenario: HostScenario) throws {
    let stage = try HostStage()
    let trace = try HostTrace(scenario.call(on: stage), on: stage.bench)
    #expect(trace.outcome.code == scenario.code, "\(trace.outcome.errors)")
    #expect(trace.texts.count > 5)
    var (canaries, belongs) = (stage.canaries, scenario.belongs)
    if let file = scenario.makesKey {
      canaries += Canary.key(
        "made", String(decoding: try stage.bench.contents(of: stage.bench.folder + "/" + file), as: UTF8.self))
      belongs["made"] = [.file(file)]
    } else if scenario.command == "keygen" {
      canaries += Canary.key("made", trace.outcome.text)
      belongs["made"] = [.output]
    }
    let strays = trace.strays(of: canaries, belonging: belongs)
    #expect(strays.isEmpty, "\(strays)")
    for canary in canaries {
      #expect(canary.form(in: Data(trace.outcome.errors.utf8)) == nil, "\(canary.name)")
      let isPrinted = canary.form(in: Data(trace.outcome.output)) != nil
      #expect(!isPrinted || belongs[canary.name]?.contains(.output) == true, "\(canary.name)")
    }
    for name in try stage.changed() {
      let content = try Data(stage.bench.contents(of: stage.bench.folder + "/" + name))
      for canary in canaries where belongs[canary.name]?.contains(.file(name)) != true {
        let form = canary.form(in: content)
        #expect(form == nil, "\(canary.name) \(form ?? "") in \(name)")
      }
    }
  }

  // Defends: a credential that stands in the environment does not go on from there to what a command starts.
  @Test(
    traced,
    arguments: [
      "exec --env TOKEN=ada -- /bin/true", "exec --replace -- /bin/true", "refresh old --valid-for 5m -- @/endpoint",
      "key add --new-key cmd:@/key",
    ])
  func credentialsOfTheEnvironmentStayThere(_ words: String) throws {
    let stage = try HostStage()
    try stage.bench.write(program: "#!/bin/sh\nexec cat '\(stage.bench.folder)/new.key'\n", to: "key")
    var call = Call(line: words, on: stage.bench)
    let digits = String(decoding: try stage.bench.contents(of: stage.bench.keyFile), as: UTF8.self)
    call.environment = ["TOKENVAULT_KEY": "env:CANARY", "CANARY": String(digits.prefix(64))]
    let trace = try HostTrace(call, on: stage.bench)
    #expect(trace.outcome.code == 0, "\(trace.outcome.errors)")
    let key = stage.canaries.filter { $0.name == "the key of vault.tv.key" }
    let strays = trace.strays(of: key)
    // The digits, which are the bytes in hexadecimal too, when the command itself is started, and never again.
    #expect(strays.count == 2 && strays.allSatisfy { $0.hasSuffix(", by execve to environment") }, "\(strays)")
  }

  // Defends: these tests see what they look for: in each form, among arguments, in an environment, in a file and in a pipe.
  @Test(traced) func theTraceSees() throws {
    let stage = try HostStage()
    let canary = try #require(stage.canaries.first)
    for (form, bytes) in canary.forms {
      try stage.bench.write(Array(bytes), to: "form")
      var call = Call("-c", #"head -c 9999 <"$HOME/form" >"$HOME/made"; head -c 9999 <"$HOME/form" | wc -c"#)
      call.program = "/bin/sh"
      let strays = try HostTrace(call, on: stage.bench).strays(of: [canary])
      #expect(strays.count == 2 && strays.contains { $0.hasSuffix(#"file("made")"#) }, "\(form): \(strays)")
      #expect(strays.contains { $0.hasSuffix("to pipe") }, "\(form): \(strays)")
    }
    var call = Call("-c", #"VARIABLE="$0" /bin/true; /bin/true "$0""#, HostStage.access)
    call.program = "/bin/sh"
    let strays = try HostTrace(call, on: stage.bench).strays(of: [canary])
    #expect(strays.filter { $0.hasSuffix("to environment") }.count == 1, "\(strays)")
    #expect(strays.filter { $0.hasSuffix("to a name or argument") }.count == 2, "\(strays)")
  }
}
