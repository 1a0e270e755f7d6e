import Foundation
import Glibc
import Testing

/// `backup`, by the real command.
@Suite struct BackupCommandTests {
  // Defends: the copy is private, opens with the same key, and is verified as far as there is a key; an existing file is left
  // alone unless told.
  @Test func aCopyIsAVault() throws {
    let bench = try Bench()
    try bench.put("ada")
    let copy = bench.folder + "/copy.tv"
    let made = try bench.run("backup", copy, "--json")
    #expect(made.code == 0 && made.text.contains(#""used_key":true,"records":1,"names":1"#), "\(made.errors)")
    var status = stat()
    #expect(unsafe stat(copy, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(try bench.run("get", "ada", "--vault", copy).text == "secret-value\n")
    let before = try Fingerprint(copy)
    #expect(try bench.run("backup", copy).code == 5)
    #expect(try Fingerprint(copy) == before)
    var keyless = Call("backup", copy, "--replace")
    keyless.givesKey = false
    let replaced = try bench.run(keyless)
    #expect(replaced.code == 0 && replaced.errors.contains("for want of a key"))
    #expect(try Fingerprint(copy) != before)
    #expect(try bench.run("backup", bench.vault, "--replace").code == 5)
    #expect(try bench.run("backup", bench.folder + "/no/copy").code == 73)
  }

  // Defends: of a damaged vault there is no copy, and what to do is said.
  @Test func damageIsNotCopied() throws {
    let bench = try Bench()
    for name in ["a", "b"] { try bench.put(name) }
    var bytes = try bench.contents(of: bench.vault)
    bytes[900] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let outcome = try bench.run("backup", bench.folder + "/copy.tv")
    #expect(outcome.code == 65 && outcome.errors.contains("salvage"))
    #expect(!FileManager.default.fileExists(atPath: bench.folder + "/copy.tv"))
  }
}
