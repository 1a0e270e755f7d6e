/// Data keys, and the terms that frames are sealed under.
enum TermVaults {
  static let all: [Recipe] = [
    Recipe("term_good-rotation", .success, "A checkpoint brings term 2, and records go on under it.") { (vault) in
      vault.begin()
      vault.makeDataKey(2)
      vault.checkpoint()
      vault.put("bob", "two")
      vault.put("alice", "three")
    },
    Recipe("term_good-gap", .success, "Terms may have gaps.") { (vault) in
      vault.begin()
      vault.makeDataKey(1000)
      vault.checkpoint()
      vault.put("bob", "two")
      vault.checkpoint()
    },
    Recipe("term_old", .chainBroken, keyless: .success, "A record under term 1 behind a checkpoint that brought term 2.") {
      (vault) in
      rotate(&vault)
      vault.term = 1
      vault.finding = vault.put("bob", "two").offset
    },
    Recipe("term_old-ancillary", .chainBroken, keyless: .success, "An ancillary frame under an old term.") { (vault) in
      rotate(&vault)
      vault.term = 1
      vault.finding = vault.unknown(0x80).offset
    },
    Recipe("term_old-page", .chainBroken, keyless: .success, "The pages of the checkpoint that brings term 2 are under term 1.") {
      (vault) in
      vault.begin()
      vault.makeDataKey(2)
      vault.slotFrame()
      vault.dataKeyFrame(1)
      vault.dataKeyFrame(2)
      vault.anchorFrame()
      vault.term = 1
      let entries = vault.entries(behind: 0, drops: false)
      vault.finding = Int(vault.pageFrames([entries], [1, 2, 3, 4, 5, 6, 7, 8], ends: false).offset)
      vault.term = 2
      vault.rootFrame(.init())
    },
    Recipe("term_unknown", .chainBroken, keyless: .success, "A record under a term that nothing brought.") { (vault) in
      vault.begin()
      vault.makeDataKey(2)
      vault.finding = vault.put("bob", "two").offset
    },
    Recipe("term_missing", .chainBroken, keyless: .success, "A checkpoint does not carry term 1 on.") { (vault) in
      vault.begin()
      vault.makeDataKey(2)
      vault.checkpoint(.init(terms: [2]))
    },
    Recipe("term_duplicate", .chainBroken, keyless: .success, "A checkpoint carries term 1 twice.") { (vault) in
      vault.begin()
      vault.checkpoint(.init(terms: [1, 1]))
    },
    Recipe("term_descends", .chainBroken, keyless: .success, "A checkpoint carries term 2 before term 1.") { (vault) in
      rotate(&vault)
      vault.checkpoint(.init(terms: [2, 1]))
    },
    Recipe("term_below", .chainBroken, keyless: .success, "A new term below a known one.") { (vault) in
      vault.found(term: 5)
      vault.makeDataKey(3)
      vault.term = 5
      vault.checkpoint(.init(terms: [3, 5]))
    },
    Recipe("term_other-key", .commitmentMismatch, keyless: .success, "A checkpoint carries another key for term 1.") {
      (vault) in
      vault.begin()
      vault.makeDataKey(1)
      vault.checkpoint()
    },
    Recipe("term_commitment", .commitmentMismatch, keyless: .success, "A checkpoint brings a key that is not committed to.") {
      (vault) in
      vault.begin()
      vault.makeDataKey(2)
      vault.dataKeys[2]?[20] ^= 1
      vault.checkpoint()
    },
    Recipe("term_sixty-five", .limitExceeded, "A checkpoint with sixty-five data keys.") { (vault) in
      vault.begin()
      for term in 2...65 { vault.makeDataKey(UInt32(term)) }
      vault.checkpoint()
    },
    Recipe("term_good-sixty-four", .success, "A checkpoint with sixty-four data keys.") { (vault) in
      vault.begin()
      for term in 2...64 { vault.makeDataKey(UInt32(term)) }
      vault.checkpoint()
      vault.put("bob", "two")
    },
  ]

  /// A vault with a record, and a checkpoint that brings term 2.
  private static func rotate(_ vault: inout ScenarioBuilder) {
    vault.begin()
    vault.makeDataKey(2)
    vault.checkpoint()
  }
}
