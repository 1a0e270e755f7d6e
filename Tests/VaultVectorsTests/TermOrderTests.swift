import Testing

@testable import VaultVectors

/// Data keys out of order, beyond what the scenarios hold.
@Suite("Data keys out of order")
struct TermOrderTests {
  // Defends: a new term below a known one is refused where it stands behind that one, too, and everything after it is sealed under
  // the new one.
  @Test func aNewTermBehindAGreaterOne() throws {
    for (known, new, expected) in [(5, 6, "success"), (5, 3, "chain-broken")] as [(UInt32, UInt32, String)] {
      var vault = ScenarioBuilder(seed: [13])
      vault.found(term: known)
      vault.put("alice", "one")
      vault.makeDataKey(new)
      vault.checkpoint(.init(terms: [known, new]))
      vault.put("bob", "two")
      if let failure = vault.failure { throw failure }
      let opened = try VaultReader.vaultEngine.open(vault.bytes, vault.credential, nil)
      #expect(opened.result == expected && opened.records == (expected == "success" ? vault.released : []))
    }
  }
}
