import Foundation
import Glibc
import Testing

@testable import tokenvault

/// keygen, init, verify, demo, help and version, by the real command.
@Suite struct VaultCommandTests {
  private static func mode(_ path: String) throws -> mode_t {
    var status = stat()
    try #require(unsafe stat(path, &status) == 0)
    return status.st_mode & 0o777
  }

  @Test func keygenMakesAKey() throws {
    let bench = try Bench(withVault: false)
    let first = try bench.run("keygen").text
    #expect(first.utf8.count == 65 && first.last == "\n" && first.dropLast().allSatisfy { $0.isHexDigit })
    #expect(try bench.run("keygen").text != first)
    let object = try bench.run("keygen", "--json").text
    #expect(object.wholeMatch(of: /\{"key":"[0-9a-f]{64}"\}\n/) != nil)
  }

  /// The file is private from the start, and an existing one is left alone.
  @Test func keygenWritesANewFileOnly() throws {
    let bench = try Bench(withVault: false)
    let path = bench.folder + "/key"
    #expect(try bench.run("keygen", "--out", path).code == 0)
    #expect(try Self.mode(path) == 0o600)
    let before = try Fingerprint(path)
    #expect(try bench.run("keygen", "--out", path).code == 5)
    #expect(try Fingerprint(path) == before)
    try #require(unsafe symlink("/nowhere/key", bench.folder + "/link") == 0)
    #expect(try bench.run("keygen", "--out", bench.folder + "/link").code == 5)
    #expect(try bench.run("keygen", "--out", bench.folder + "/no/key").code == 73)
    #expect(try bench.run("init", "--key", "file:" + path).code == 0)
    #expect(try bench.run("list", "--key", "file:" + path).code == 0)
  }

  @Test func initLeavesWhatIsThereAlone() throws {
    let bench = try Bench()
    let before = [try Fingerprint(bench.vault), try Fingerprint(bench.keyFile)]
    #expect(try bench.run("init", "--dev").code == 5)
    #expect(try bench.run("init").code == 5)
    #expect(try [Fingerprint(bench.vault), Fingerprint(bench.keyFile)] == before)
    #expect(try Self.mode(bench.vault) == 0o600 && Self.mode(bench.keyFile) == 0o600)
    for arguments in [["--dev"], ["--key", "file:" + bench.keyFile]] {
      let nowhere = try bench.run(Call(["init"] + arguments + ["--vault", bench.folder + "/no/vault.tv"]))
      #expect(nowhere.code == 73 && nowhere.errors.contains("there is no folder \(bench.folder)/no"))
    }
  }

  @Test func initWarnsOfTheKeyBesideTheVault() throws {
    let bench = try Bench(withVault: false)
    let outcome = try bench.run("init", "--dev", "--json")
    #expect(outcome.code == 0 && outcome.text.contains(#""slots":["key"]"#))
    #expect(outcome.errors.contains("the key lies beside the vault, in " + bench.keyFile))
    #expect(try bench.run("init", "--dev", "--key", "env:K").code == 64)
  }

  /// Without a name, the vault lies in the user's data folder, which is made for the user alone.
  @Test func theDefaultVaultHasAFolderOfItsOwn() throws {
    let bench = try Bench(withVault: false)
    var call = Call("init", "--dev")
    call.environment = ["TOKENVAULT_FILE": ""]
    #expect(try bench.run(call).code == 0)
    #expect(try Self.mode(bench.folder + "/.local/share/tokenvault") == 0o700)
    #expect(unsafe access(bench.folder + "/.local/share/tokenvault/vault.tv", F_OK) == 0)
    call.environment = ["TOKENVAULT_FILE": "", "XDG_DATA_HOME": bench.folder + "/data"]
    #expect(try bench.run(call).code == 0)
    #expect(unsafe access(bench.folder + "/data/tokenvault/vault.tv", F_OK) == 0)
  }

  @Test func verifySaysWhatItLookedAt() throws {
    let bench = try Bench()
    try bench.put("ada")
    let opened = try bench.run("verify")
    #expect(opened.code == 0 && opened.text.contains("everything") && opened.text.contains("1 live"))
    var call = Call("verify", "--json")
    call.givesKey = false
    let structure = try bench.run(call)
    #expect(
      structure.code == 0
        && structure.text.contains(#""damaged":false,"used_key":false,"frames":4,"batches":2,"records":1"#))
    #expect(structure.text.hasSuffix(#""findings":[]}"# + "\n"))
  }

  @Test func verifyNamesThePlaceOfDamage() throws {
    let bench = try Bench()
    for name in ["a", "b", "c"] { try bench.put(name) }
    var bytes = try bench.contents(of: bench.vault)
    bytes[900] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let outcome = try bench.run("verify", "--json")
    #expect(outcome.code == 65 && outcome.text.contains(#""damaged":true"#) && outcome.text.contains(#""offset":"#))
    #expect(
      outcome.errors.hasPrefix(#"{"error":{"code":"damaged","exit":65,"#) && outcome.errors.contains(#""offset":"#))
    // The key was given, and nobody is told that it was not.
    #expect(try bench.run("verify").text.contains("was not tried, because of the damage"))
  }

  /// An interrupted append is told of, and is no damage.
  @Test func verifyTellsOfATornTail() throws {
    let bench = try Bench()
    try bench.put("ada")
    let bytes = try bench.contents(of: bench.vault)
    try bench.write(Array(bytes.dropLast(60)), to: "vault.tv")
    let outcome = try bench.run("verify")
    #expect(outcome.code == 0 && outcome.text.contains("torn tail"), "\(outcome.text)")
  }

  /// A damaged index is a finding; the vault is served, and what to do is said.
  @Test func verifyTellsOfADamagedIndex() throws {
    let bench = try Bench()
    try bench.writeScenario("root_bad-page")
    let outcome = try bench.run("verify")
    #expect(outcome.code == 6 && outcome.text.contains("compact the vault"), "\(outcome.text)\(outcome.errors)")
    #expect(outcome.text.contains("index-damaged") && outcome.errors.contains("the vault is not"))
    let json = try bench.run("verify", "--json")
    #expect(json.code == 6 && json.text.contains(#""damaged":false,"used_key":true"#))
    #expect(json.errors.hasPrefix(#"{"error":{"code":"finding","exit":6,"#))
    try bench.put("ada")
    #expect(try bench.run("has", "ada").code == 0)
    var call = Call("verify")
    call.givesKey = false
    #expect(try bench.run(call).code == 65, "without a key nothing tells a page from a record")
  }

  /// It fits one screen, and the commands that it prints work when copied into a shell.
  @Test func theDemoFitsAScreenAndItsCommandsWork() throws {
    let bench = try Bench(withVault: false)
    let screen = try bench.run("demo", bench.folder + "/demo")
    #expect(screen.code == 0, "\(screen.errors)")
    let lines = screen.text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    #expect(lines.count <= 24)
    #expect(lines.allSatisfy { TerminalText.width($0) <= 80 || $0.contains(bench.folder) || $0.contains("PATH=") })
    let commands = lines.filter {
      $0.hasPrefix("  PATH=") || $0.hasPrefix("  export ") || $0.hasPrefix("  tokenvault ") || $0.hasPrefix("  echo ")
    }
    #expect(commands.count >= 8)
    var shell = Call("-ec", commands.joined(separator: "\n"))
    shell.program = "/bin/sh"
    let copied = try bench.run(shell)
    #expect(copied.code == 0 && copied.text.contains("gho_demo") && copied.errors.isEmpty, "\(copied.errors)")
    #expect(try bench.run("demo", bench.folder + "/demo").code == 5)
  }

  @Test func theDemoNamesItsOwnFolder() throws {
    let bench = try Bench(withVault: false)
    var call = Call("demo")
    call.environment = ["TMPDIR": bench.folder, "PATH": URL(filePath: Bench.program).deletingLastPathComponent().path]
    let screen = try bench.run(call)
    #expect(screen.lines.first?.contains(bench.folder + "/tokenvault-demo-") == true)
    #expect(!screen.text.contains("PATH="))
  }

  @Test func helpAndVersionAreAnswers() throws {
    let bench = try Bench(withVault: false)
    #expect(try bench.run("--version").text == "tokenvault 0.1.0\n")
    for arguments in [[], ["help"], ["--help"], ["help", "put"], ["put", "--help"]] {
      let outcome = try bench.run(Call(arguments))
      #expect(outcome.code == 0 && outcome.text.contains("USAGE:") && outcome.errors.isEmpty)
    }
    #expect(try bench.run("help", "vectors", "verify").text.contains("--junit"))
    let unknown = try bench.run("help", "nonsense", "--json")
    #expect(unknown.code == 64 && unknown.errors.hasPrefix(#"{"error":{"code":"usage""#) && unknown.output.isEmpty)
    let codes = try bench.run("help", "exit-codes")
    #expect(codes.code == 0 && codes.lines.count == 21 && codes.text.contains("77    wrong_key"))
  }
}
