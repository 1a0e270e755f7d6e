import Foundation
import Glibc
import Testing

/// `audit reads`, and the reads of other commands, by the real command.
@Suite struct AuditReadsCommandTests {
  private func reads(_ bench: Bench) throws -> [String] {
    try bench.run("audit", "log", "--event", "read", "--json").lines
  }

  /// The setting is shown and changed; what makes no sense is refused.
  @Test func setting() throws {
    let bench = try Bench()
    #expect(try bench.run("audit", "reads").text == "off\n")
    #expect(try bench.run("audit", "reads", "on").code == 0)
    #expect(try bench.run("audit", "reads").text == "on\n")
    #expect(try bench.run("audit", "reads", "sampled", "--quiet").errors.isEmpty)
    #expect(try bench.run("audit", "reads").text == "sampled, one in 100\n")
    let set = try bench.run("audit", "reads", "sampled", "--one-in", "3", "--json")
    #expect(set.text == "{\"audit_reads\":\"sampled\",\"one_in\":3}\n")
    #expect(try bench.run("audit", "reads", "--json").text == set.text)
    for bad in [
      ["maybe"], ["on", "--one-in", "3"], ["--one-in", "3"], ["sampled", "--one-in", "0"],
      ["sampled", "--one-in", "-1"],
      ["sampled", "--one-in", "1000000001"], ["sampled", "--one-in", "x"], ["on", "off"],
    ] {
      #expect(try bench.run(Call(["audit", "reads"] + bad)).code == 64, "\(bad)")
    }
    #expect(try bench.run("audit", "reads").text == "sampled, one in 3\n")
  }

  /// What hands out a token is noted with who and why; what does not is none; switched off, nothing is written.
  @Test func commandsThatRead() throws {
    let bench = try Bench()
    try bench.put("ada")
    let before = try Fingerprint(bench.vault)
    #expect(try bench.run("get", "ada").code == 0)
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("audit", "reads", "on").code == 0)
    #expect(try bench.run("get", "ada", "--actor", "me", "--reason", "why").text == "secret-value\n")
    #expect(try bench.run("show", "ada", "--reveal").code == 0)
    let after = try Fingerprint(bench.vault)
    for call in [["show", "ada"], ["has", "ada"], ["list"], ["history", "ada"], ["get", "nobody"]] {
      _ = try bench.run(Call(call))
    }
    #expect(try Fingerprint(bench.vault) == after)
    let lines = try reads(bench)
    #expect(lines.count == 2 && lines[0].contains(#""user_id":"ada","actor":"me","reason":"why"}"#))
    #expect(try bench.run("audit", "reads", "off").code == 0)
    #expect(try bench.run("get", "ada").code == 0)
    #expect(try reads(bench).count == 2)
  }

  /// Who opens with a passphrase from standard input gives it once.
  @Test func theCredentialIsReadOnce() throws {
    let bench = try Bench()
    try bench.put("ada")
    #expect(try bench.run("audit", "reads", "on").code == 0)
    let key = String(decoding: try bench.contents(of: bench.keyFile), as: UTF8.self)
    let outcome = try bench.run("get", "ada", "--key", "stdin", input: key)
    #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    #expect(try reads(bench).count == 1)
  }

  /// A read that can't be noted succeeds, with a note; without the setting there is none.
  @Test func failuresAreNotes() throws {
    let bench = try Bench()
    try bench.put("ada")
    #expect(try bench.run("audit", "reads", "on").code == 0)
    let lock = unsafe open(bench.vault + ".lock", O_RDWR | O_CLOEXEC)
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
    let outcome = try bench.run("get", "ada")
    #expect(outcome.code == 0 && outcome.text == "secret-value\n")
    #expect(outcome.errors.contains("could not be recorded") && !outcome.errors.contains("ada"))
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(try bench.run("get", "ada", "--quiet").errors.isEmpty)
    close(lock)
    #expect(try reads(bench).isEmpty)
    #expect(try bench.run("get", "ada").errors.isEmpty)
    #expect(try reads(bench).count == 1)
  }
}
