import Foundation
import Glibc
import Testing
import TokenVault
import VaultCrypto
import VaultEngine
import VaultFormat
import VaultLaboratory

/// `restore`, `salvage` and `upgrade`, by the real command.
@Suite struct RestoreCommandTests {
  /// A vault with a backup that lacks the last token.
  private func bench() throws -> (bench: Bench, copy: String) {
    let bench = try Bench()
    try bench.put("ada")
    let copy = bench.folder + "/copy.tv"
    #expect(try bench.run("backup", copy).code == 0)
    try bench.put("bob")
    return (bench, copy)
  }

  // Defends: a step back is refused unless it is meant and explained; then the vault is the backup's, and goes on.
  @Test func aStepBackIsMeant() throws {
    let (bench, copy) = try bench()
    let before = try Fingerprint(bench.vault)
    #expect(try bench.run("restore", copy).code == 76)
    #expect(try bench.run("restore", copy, "--accept-rollback").code == 64, "there is no reason")
    let trial = try bench.run("restore", copy, "--accept-rollback", "--reason", "test", "--dry-run", "--json")
    #expect(
      trial.code == 0 && trial.text.contains(#""copied":false,"rollback":true,"dry_run":true"#), "\(trial.errors)")
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("restore", copy, "--accept-rollback", "--reason", "test").code == 0)
    #expect(try bench.run("has", "ada").code == 0)
    #expect(try bench.run("has", "bob").code == 3)
    try bench.put("carol")
    #expect(try bench.run("verify").code == 0)
    #expect(try bench.run("history", "carol", "--json").text.contains(#""seq":4"#), "versions are not given twice")
  }

  // Defends: where there is no vault, the backup's bytes are put in place; behind a pin they are not.
  @Test func whereThereIsNoVault() throws {
    let (bench, copy) = try bench()
    let pin = bench.folder + "/pin"
    #expect(try bench.run("pin", "write", pin).code == 0)
    try #require(unsafe unlink(bench.vault) == 0)
    #expect(try bench.run("restore", copy, "--pin", pin).code == 76)
    #expect(try bench.run("restore", copy).code == 0)
    #expect(try bench.contents(of: bench.vault) == bench.contents(of: copy))
    #expect(try bench.run("restore", bench.folder + "/nothing").code == 66)
  }

  // Defends: a damaged vault gives way to a backup, and gives up what opens; the damaged file and what did not open are kept.
  @Test func damage() throws {
    let (bench, copy) = try bench()
    var bytes = try bench.contents(of: bench.vault)
    bytes[900] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let saved = bench.folder + "/saved.tv"
    let look = try bench.run("salvage", bench.vault, saved, "--dry-run", "--json")
    #expect(
      look.code == 6 && look.text.contains(#""records":1"#) && look.text.contains(#""tokens":[]"#), "\(look.text)")
    let salvaged = try bench.run("salvage", bench.vault, saved, "--json")
    #expect(salvaged.code == 6 && salvaged.text.contains(#""may_hold_writes":true"#), "\(salvaged.text)")
    #expect(try bench.contents(of: bench.vault) == bytes)
    #expect(FileManager.default.fileExists(atPath: saved + ".unopened"))
    #expect(try bench.run("verify", "--vault", saved).code == 0)
    #expect(try bench.run("salvage", bench.vault, saved).code == 5)
    #expect(try bench.run("restore", copy).code == 0)
    #expect(try bench.run("get", "ada").text == "secret-value\n")
  }

  // Defends: of all tokens that were saved, people are shown those alone that a gap makes doubtful, and where it makes none
  // doubtful, nobody is sent to look for them.
  @Test(arguments: [(record: 0, doubtful: [String]()), (record: 1, doubtful: ["ada"])])
  func doubtfulTokens(record: Int, doubtful: [String]) throws {
    let (bench, _) = try bench()
    try bench.put("carol")
    var bytes = try bench.contents(of: bench.vault)
    let records = SampleFrame.all(in: bytes).filter { $0.type == 1 }
    // Ciphertext: without its trailer a frame would still open.
    bytes[records[record].range.upperBound - 20] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let outcome = try bench.run("salvage", bench.vault, bench.folder + "/saved.tv")
    #expect(outcome.code == 6)
    for name in ["ada", "bob", "carol"] {
      #expect(outcome.text.contains("\(name) ") == doubtful.contains(name), "\(outcome.text)")
    }
    #expect(outcome.text.contains("2, \(doubtful.count) of them perhaps out of date"), "\(outcome.text)")
    #expect(outcome.errors.contains("see which tokens") != doubtful.isEmpty, "\(outcome.errors)")
  }

  // Defends: whenever a restore is killed, the vault is what it was or what was restored, and opens.
  @Test func killedAtAnyMoment() throws {
    let (bench, copy) = try bench()
    let start = ContinuousClock.now
    #expect(try bench.run("restore", copy, "--accept-rollback", "--reason", "test").code == 0)
    let longest = UInt32(max((ContinuousClock.now - start) / .microseconds(1), 1000))
    try bench.put("bob")
    for round in UInt32(0)..<20 {
      var actions = try Spawning()
      actions.open(1, "/dev/null", O_WRONLY)
      actions.open(2, "/dev/null", O_WRONLY)
      let call = Call("restore", copy, "--accept-rollback", "--reason", "test")
      let child = try actions.spawn(call.program, call.arguments, bench.environment(of: call))
      // Any moment will do: the promise holds at each.
      usleep(longest * round / 20)
      kill(child, SIGKILL)
      _ = Spawning.wait(for: child)
      let list = try bench.run("list", "--json")
      #expect(list.code == 0 && [1, 2].contains(list.lines.count), "\(list.errors)")
      try bench.put("bob")
    }
    let leftovers = try FileManager.default.contentsOfDirectory(atPath: bench.folder).filter { $0.contains(".tmp-") }
    #expect(leftovers.isEmpty)
    #expect(try bench.run("verify").code == 0)
  }

  // Defends: what does not open is listed and kept, and a legacy key is never an argument.
  @Test func upgrade() throws {
    let bench = try Bench()
    try bench.writeScenario("record_good-legacy")
    let key = "env:LEGACY"
    var call = Call("upgrade", "--legacy-key", key, "--json")
    call.environment = ["LEGACY": String(repeating: "07", count: 32)]
    let outcome = try bench.run(call)
    #expect(outcome.code == 6 && outcome.text.contains(#""upgraded":0"#), "\(outcome.errors)")
    #expect(outcome.text.contains(#""user_id":"bob""#) && outcome.text.contains("legacy-unopened"))
    #expect(try bench.run("upgrade", "--legacy-key", "nonsense").code == 64)
    #expect(try bench.run("upgrade", "--legacy-key", key, "--profile", "rot13").code == 64)
  }

  // Defends: a profile only says which records are meant: a wrong one leaves all as they are, and so does a wrong key; the right
  // key upgrades what is of the profile that is named, or all, and then it is a token as any other.
  @Test func upgradeByProfile() throws {
    let bench = try Bench()
    try bench.putLegacy("adam", .gcmRaw)
    try bench.putLegacy("bert", .cbcRaw)
    try bench.write([UInt8](repeating: 9, count: 32), to: "right")
    try bench.write([UInt8](repeating: 8, count: 32), to: "wrong")
    func upgrade(_ key: String, _ options: String...) throws -> Outcome {
      try bench.run(Call(["upgrade", "--legacy-key", "file:" + bench.folder + "/" + key, "--json"] + options))
    }
    let before = try Fingerprint(bench.vault)
    let wrong = try upgrade("wrong")
    #expect(wrong.code == 6 && wrong.text.contains(#""upgraded":0"#), "\(wrong.errors)")
    #expect(wrong.text.components(separatedBy: "legacy-unopened").count == 3)
    let other = try upgrade("right", "--profile", "gcm-scrypt")
    #expect(other.code == 6 && other.text.contains(#""upgraded":0"#), "\(other.errors)")
    #expect(other.text.contains("of the profile gcm-raw") && other.text.contains("of the profile cbc-raw"))
    #expect(try Fingerprint(bench.vault) == before)

    let trial = try upgrade("right", "--profile", "gcm-raw", "--dry-run")
    #expect(trial.text.contains(#""upgraded":1,"dry_run":true"#))
    #expect(try Fingerprint(bench.vault) == before)
    let one = try upgrade("right", "--profile", "gcm-raw")
    #expect(one.code == 6 && one.text.contains(#""upgraded":1"#) && one.text.contains("of the profile cbc-raw"))
    #expect(try bench.run("get", "adam").text == "of-adam\n")
    #expect(try bench.run("get", "bert").code != 0)
    let rest = try upgrade("right")
    #expect(rest.code == 0 && rest.text.contains(#""upgraded":1,"dry_run":false,"kept":[]"#), "\(rest.errors)")
    #expect(try bench.run("get", "bert").text == "of-bert\n")
    #expect(try upgrade("right").text.contains(#""upgraded":0"#))
    #expect(try bench.run("verify").code == 0)
    let help = try bench.run("upgrade", "--help").text.split { $0.isWhitespace }.joined(separator: " ")
    #expect(help.contains("Only records of this profile; others stay as they are, and are listed"))
  }
}

extension Bench {
  /// Stores a token of `name` as another program had sealed it, under a key of nines.
  fileprivate func putLegacy(_ name: String, _ profile: LegacyProfile) throws {
    let secret = try SecretBytes(copying: [UInt8](repeating: 9, count: 32).span)
    let record = try LegacyRecord.seal(
      Array(#"{"access_token":"of-\#(name)"}"#.utf8).span, profile, with: secret, salt: [],
      iv: [UInt8](repeating: 5, count: 16))
    var batch = try VaultBatch()
    try batch.put(Array(name.utf8).span, legacyRecord: record.serialized().span)
    let vault = try Vault.open(at: vault, credential: KeySource.file(keyFile).credential(.key))
    try vault.commit(batch)
    try vault.close()
  }
}
