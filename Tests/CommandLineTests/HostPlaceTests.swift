import Foundation
import Glibc
import Testing

/// Every command in surroundings that are not as they should be.
@Suite struct HostPlaceTests {
  private static let hasAccessLists = (try? Bench(withVault: false).openByDefault()) ?? false
  /// What has to do with a vault or a secret.
  private static let scenarios = HostScenario.all.filter { !$0.isPublic }

  /// The scenario's call in a shell that does something first; `"$0" "$@"` is the command.
  private static func call(_ scenario: HostScenario, _ script: String, on stage: HostStage) -> Call {
    var call = scenario.call(on: stage)
    call.arguments = Call(["-c", script, call.program]).arguments + call.arguments
    call.program = "/bin/sh"
    return call
  }

  // Defends: whatever any command makes or changes is its owner's alone, under a mask that takes nothing away, and in a folder whose
  // default access list gives all to others.
  @Test(arguments: scenarios, [false, true])
  func whatIsMadeIsItsOwners(_ scenario: HostScenario, isListed: Bool) throws {
    guard !isListed || Self.hasAccessLists else { return }
    let stage = try HostStage { (bench) in
      if isListed { try #require(try bench.openByDefault()) }
    }
    // What a stage begins with is made otherwise in such a folder.
    for name in try stage.bench.modes().keys where name != "endpoint" {
      try #require(unsafe chmod(stage.bench.folder + "/" + name, 0o600) == 0)
    }
    let outcome = try stage.bench.run(Self.call(scenario, #"umask 000; exec "$0" "$@""#, on: stage))
    #expect(outcome.code == scenario.code, "\(outcome.errors)")
    for name in try FileManager.default.subpathsOfDirectory(atPath: stage.bench.folder)
    where !name.hasPrefix(".") && name != "endpoint" {
      var status = stat()
      try #require(unsafe lstat(stage.bench.folder + "/" + name, &status) == 0)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      #expect(status.st_mode & 0o7777 == (isFolder ? 0o700 : 0o600), "\(name)")
    }
  }

  /// What may stand where a file should be.
  enum Obstacle: String, CaseIterable {
    case link, danglingLink, pipe, folder

    func put(at path: String, of stage: HostStage) throws {
      _ = unsafe unlink(path)
      switch self {
      case .link: try #require(unsafe symlink(stage.bench.folder + "/elsewhere", path) == 0)
      case .danglingLink: try #require(unsafe symlink(stage.bench.folder + "/nowhere", path) == 0)
      case .pipe: try #require(unsafe mkfifo(path, 0o600) == 0)
      case .folder: try #require(unsafe mkdir(path, 0o700) == 0)
      }
    }
  }

  // Defends: where a link, a pipe or a folder stands in the place of the vault, no command waits for it, follows it, or takes it away:
  // what it points to stays as it is, and nothing is made where it points to. `doctor` tells of it, and needs no vault for that.
  @Test(arguments: scenarios, Obstacle.allCases)
  func somethingElseInThePlaceOfTheVault(_ scenario: HostScenario, _ obstacle: Obstacle) throws {
    let stage = try HostStage()
    let needsVault = !scenario.words.contains("--vault") && !scenario.isWithoutVault
    guard needsVault else { return }
    try stage.bench.write(stage.bench.contents(of: stage.bench.vault), to: "elsewhere")
    let before = try Fingerprint(stage.bench.folder + "/elsewhere")
    try obstacle.put(at: stage.bench.vault, of: stage)
    let outcome = try stage.bench.run(Self.call(scenario, #"exec timeout 100 "$0" "$@""#, on: stage))
    #expect(outcome.code != 0 && outcome.code < 126 && outcome.code != 124, "\(outcome.code): \(outcome.errors)")
    #expect(outcome.errors.contains("Is a directory") || !outcome.errors.isEmpty || !outcome.output.isEmpty)
    #expect(try Fingerprint(stage.bench.folder + "/elsewhere") == before)
    #expect(unsafe access(stage.bench.folder + "/nowhere", F_OK) != 0)
    #expect(try !stage.isFile("vault.tv"))
  }

  // Defends: the same in the place of the lock, for whoever needs it: a command does without, or ends with an error, and what the link
  // points to is not emptied, locked for ever or written to; the vault is whole.
  @Test(arguments: scenarios, Obstacle.allCases)
  func somethingElseInThePlaceOfTheLock(_ scenario: HostScenario, _ obstacle: Obstacle) throws {
    let stage = try HostStage()
    try stage.bench.write(Array("of no concern".utf8), to: "elsewhere")
    let before = try Fingerprint(stage.bench.folder + "/elsewhere")
    try obstacle.put(at: stage.bench.vault + ".lock", of: stage)
    let outcome = try stage.bench.run(Self.call(scenario, #"exec timeout 100 "$0" "$@""#, on: stage))
    #expect(outcome.code != 124 && outcome.code < 126, "\(outcome.errors)")
    #expect(try Fingerprint(stage.bench.folder + "/elsewhere") == before)
    #expect(unsafe access(stage.bench.folder + "/nowhere", F_OK) != 0)
    #expect(try stage.isWhole())
  }

  // Defends: the same where a command is to make a file: what stands there stays what it is, and a link is not followed.
  @Test(arguments: scenarios.filter { !$0.makes.isEmpty && $0.command != "demo" }, Obstacle.allCases)
  func somethingElseWhereAFileIsMade(_ scenario: HostScenario, _ obstacle: Obstacle) throws {
    let stage = try HostStage()
    try stage.bench.write(Array("of no concern".utf8), to: "elsewhere")
    let before = try Fingerprint(stage.bench.folder + "/elsewhere")
    let path = stage.bench.folder + "/" + scenario.makes[0]
    try obstacle.put(at: path, of: stage)
    let outcome = try stage.bench.run(Self.call(scenario, #"exec timeout 100 "$0" "$@""#, on: stage))
    #expect(outcome.code != 0 && outcome.code != 124 && outcome.code < 126, "\(outcome.code): \(outcome.errors)")
    #expect(try Fingerprint(stage.bench.folder + "/elsewhere") == before)
    #expect(unsafe access(stage.bench.folder + "/nowhere", F_OK) != 0)
    #expect(try !stage.isFile(scenario.makes[0]))
    #expect(try stage.isWhole())
  }

  // Defends: with any of the three standard descriptors closed, every command ends as ever, or says that it can't read or write; no
  // message goes into the vault, which is whole.
  @Test(arguments: scenarios, 1..<8)
  func closedDescriptors(_ scenario: HostScenario, closed: Int) throws {
    let stage = try HostStage()
    let words = zip(["<&-", ">&-", "2>&-"], 0..<3).filter { closed >> $0.1 & 1 == 1 }.map(\.0).joined(separator: " ")
    let outcome = try stage.bench.run(Self.call(scenario, #"exec "$0" "$@" "# + words, on: stage))
    let allowed: Set<Int32> = scenario.command == "exec" ? [0, 74, 125] : [scenario.code, 74]
    #expect(allowed.contains(outcome.code), "\(outcome.code): \(outcome.errors)")
    if closed & 2 != 0 { #expect(outcome.output.isEmpty) }
    if closed & 4 != 0 { #expect(outcome.errors.isEmpty) }
    for name in ["vault.tv", "copy.tv", "legacy.tv"] { #expect(try stage.isWhole(name), "\(name)") }
    let content = try Data(stage.bench.contents(of: stage.bench.vault))
    for canary in stage.canaries { #expect(canary.form(in: content) == nil, "\(canary.name)") }
    #expect(content.range(of: Data("tokenvault: ".utf8)) == nil)
  }

  // Defends: what is printed to a full disk, or to somebody who has gone, is not taken for printed: exit 74, with a sentence or, where
  // nobody listens, without. What the command was to do in the vault is done or not, and it is whole.
  @Test(arguments: HostScenario.all.filter { !$0.runsProgram }, [true, false])
  func nobodyTakesTheOutput(_ scenario: HostScenario, isDiskFull: Bool) throws {
    let stage = try HostStage()
    let ordinary = try stage.bench.run(scenario.call(on: stage))
    #expect(ordinary.code == scenario.code, "\(ordinary.errors)")
    guard !ordinary.output.isEmpty else { return }
    try stage.reset()
    // The reader has gone when a line comes through the pipe of the shell.
    let script =
      isDiskFull
      ? #"exec "$0" "$@" >/dev/full"#
      : #"mkfifo "$HOME/.go"; exec 3>&2 4<&0; { read -r _ <"$HOME/.go"; "$0" "$@" <&4 2>&3; echo "code $?" >&3; } "#
        + #"| { exec 0<&-; echo >"$HOME/.go"; }"#
    let outcome = try stage.bench.run(Self.call(scenario, script, on: stage))
    if isDiskFull {
      #expect(outcome.code == 74 && outcome.errors.contains("No space left on device"), "\(outcome.errors)")
    } else {
      #expect(outcome.errors.hasSuffix("code 74\n") && !outcome.errors.contains("Broken pipe"), "\(outcome.errors)")
    }
    for canary in stage.canaries { #expect(canary.form(in: Data(outcome.errors.utf8)) == nil, "\(canary.name)") }
    for name in ["vault.tv", "copy.tv", "legacy.tv"] { #expect(try stage.isWhole(name), "\(name)") }
  }
}

extension HostScenario {
  /// Whether it has no need of the vault that is named in the environment.
  fileprivate var isWithoutVault: Bool {
    isPublic || ["keygen", "pin show", "salvage", "demo"].contains(command)
      || command == "exec" && !words.contains("ada")
  }
}
