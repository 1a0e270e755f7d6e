import JSONText
import Testing

@testable import tokenvault

/// compact, rotate and rekey, by the real command.
@Suite struct MaintenanceCommandTests {
  private func bench() throws -> Bench {
    let bench = try Bench()
    try bench.put("ada")
    try bench.put("ada", #"{"access_token":"second"}"#)
    try bench.put("bob")
    #expect(try bench.run("put", "carol", "--ttl", "1ms", input: #"{"access_token":"short"}"#).code == 0)
    #expect(try bench.run("delete", "bob", "--yes").code == 0)
    return bench
  }

  /// Nothing is written by a dry run; then the old values, the deleted and the expired are gone, and history with them.
  @Test func compacting() throws {
    let bench = try bench()
    let before = try Fingerprint(bench.vault)
    let foretold = try bench.run("compact", "--dry-run")
    #expect(foretold.code == 0 && foretold.lines.contains { $0.hasPrefix("freed") })
    let json = try bench.run("compact", "--dry-run", "--json").text
    #expect(json.contains(#""names":1"#) && json.contains(#""expired":1"#) && json.contains(#""dropped_records":3"#))
    #expect(try Fingerprint(bench.vault) == before)

    #expect(try bench.run("compact", "--keep-history", "2").code == 0)
    #expect(try bench.run("history", "ada").lines.count == 3)
    let done = try bench.run("compact", "--json")
    #expect(done.code == 0 && done.text.contains(#""generation":3"#) && done.text.contains(#""names":1"#))
    #expect(try bench.run("get", "ada").text == "second\n")
    #expect(try bench.run("history", "ada").lines.count == 2)
    #expect(try bench.run("verify").code == 0)
    #expect(try bench.run("compact", "--keep-history", "0").code == 64)
    #expect(try bench.run("compact", "--shred").errors.contains("may keep its bytes"))
  }

  /// The key stays, and so does everything in the vault.
  @Test func rotating() throws {
    let bench = try bench()
    let history = try bench.run("history", "ada").text
    let done = try bench.run("rotate", "--json")
    #expect(done.code == 0 && done.text.contains(#""dropped_slots":[]"#))
    #expect(try bench.run("get", "ada").text == "second\n")
    #expect(try bench.run("history", "ada").text == history)
    #expect(try bench.run("verify").code == 0)
  }

  /// The old key is a wrong key afterwards, the new ones open the vault, and what was dropped is said.
  @Test func rekeying() throws {
    let bench = try bench()
    let key = bench.folder + "/new.key"
    #expect(try bench.run("keygen", "--out", key).code == 0)
    #expect(try bench.run("rekey").code == 64)
    #expect(try bench.run("get", "ada").code == 0)
    try bench.write(Array("open sesame\n".utf8), to: "passphrase")
    let phrase = "file:" + bench.folder + "/passphrase"
    let done = try bench.run("rekey", "--new-key", "file:" + key, "--new-passphrase", phrase)
    #expect(done.code == 0 && done.errors.contains("key slot 1 opens the vault no more"))
    #expect(try bench.run("get", "ada").code == 77)
    #expect(try bench.run("get", "ada", "--key", "file:" + key).text == "second\n")
    #expect(try bench.run("get", "ada", "--passphrase", phrase).text == "second\n")
    #expect(try bench.run("rekey", "--key", "stdin", "--new-key", "stdin").code == 64)
  }

  /// Damage is named with its place and refused; left out on request, the command says so and ends with 6.
  @Test func damage() throws {
    let bench = try Bench()
    let lines = (0..<150).map { #"{"user_id":"user-\#($0)","access_token":"token-\#($0)"}"# }
    try bench.put("ada")
    let length = try bench.contents(of: bench.vault).count
    #expect(try bench.run("put", "--jsonl", input: lines.joined(separator: "\n")).code == 0)
    #expect(try bench.run("compact").code == 0)
    var bytes = try bench.contents(of: bench.vault)
    bytes[length + 150] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let refused = try bench.run("rotate", "--json")
    #expect(refused.code == 65 && refused.errors.contains(#""offset":"#))
    #expect(try bench.contents(of: bench.vault) == bytes)
    let done = try bench.run("rotate", "--skip-damaged", "--json")
    #expect(done.code == 6 && done.text.contains(#""damaged":[{"code":"frame-damaged","offset":"#))
    #expect(done.text.contains(#""names":150"#))
    #expect(try bench.run("verify").code == 0)
  }
}
