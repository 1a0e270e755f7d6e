import Testing
import TokenVault

/// `list` over vaults that are large, or of which parts can't be read.
@Suite struct ListCommandTests {
  private static let lines = (0..<3000).map {
    #"{"user_id":"u\#(10_000 + $0)","access_token":"t","expires_in":\#($0 * 60)}"#
  }

  // Defends: what does not fit one chunk of output comes whole and in order, as JSON and as a table.
  @Test func longListsComeWhole() throws {
    let bench = try Bench()
    try #require(bench.run("put", "--jsonl", input: Self.lines.shuffled().joined(separator: "\n")).code == 0)
    let listed = try bench.run("list", "--json").lines
    #expect(listed.count == 3000 && listed == listed.sorted())
    let table = try bench.run("list")
    #expect(table.output.count > 1 << 17 && table.lines.count == 3001)
    #expect(Set(table.lines.map(\.utf8.count)).count < 12)
    #expect(try bench.run("list", "--json", "--expiring-within", "1000m").lines.count == 1001)
  }

  // Defends: a record that is damaged, one that another program sealed and one that is no token hide no other; each is told with
  // its place, and damage decides the code.
  @Test func unreadableEntriesHideNoOther() throws {
    let bench = try Bench()
    try #require(bench.run("put", "--jsonl", input: Self.lines.joined(separator: "\n")).code == 0)
    let (sealed, odd, damaged) = try spoil(bench)
    let first = try bench.run("list", "--json")
    #expect(first.code == 6 && first.lines.count == 3000, "\(first.errors)")
    #expect(first.errors.contains("byte \(sealed): ") && first.errors.contains("byte \(odd): "))
    #expect(first.errors.hasPrefix(#"{"error":{"#) && first.errors.split(separator: "\n").count == 1)
    var bytes = try bench.contents(of: bench.vault)
    bytes[Int(damaged) + 150] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let before = try Fingerprint(bench.vault)
    let second = try bench.run("list", "--json")
    #expect(second.code == 65 && second.lines.count == 2999, "\(second.errors)")
    #expect(!second.text.contains("u10007") && second.text.contains("u10008"))
    let table = try bench.run("list", "--expiring-within", "10m")
    #expect(table.code == 65 && table.lines.count == 11, "\(table.text)")
    #expect(table.errors.contains("3 entries can't be read") && table.errors.contains("byte \(damaged): frame-damaged"))
    #expect(try Fingerprint(bench.vault) == before)
    // What can't be read can be deleted, and then all is well.
    for name in ["sealed", "odd", "u10007"] { #expect(try bench.run("delete", name, "--yes").code == 0) }
    #expect(try bench.run("list").code == 0)
  }

  /// Adds what can't be read; gives where it stands, and where u10007 does.
  private func spoil(_ bench: Bench) throws -> (sealed: UInt64, odd: UInt64, damaged: UInt64) {
    let vault = try Vault.open(at: bench.vault, credential: KeySource.file(bench.keyFile).credential(.key))
    var batch = try VaultBatch()
    try batch.put(Array("sealed".utf8).span, legacyRecord: [1, 2, 3].span)
    try batch.put(Array("odd".utf8).span, value: Array("{\"access_token\":".utf8).span)
    try vault.commit(batch)
    func offset(_ name: String) throws -> UInt64 {
      try #require(try vault.entry(named: Array(name.utf8).span)?.offset)
    }
    let offsets = try (sealed: offset("sealed"), odd: offset("odd"), damaged: offset("u10007"))
    try vault.close()
    return offsets
  }
}
