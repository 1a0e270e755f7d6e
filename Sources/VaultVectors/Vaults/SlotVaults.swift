/// Key slots, and the credentials that open them or don't.
enum SlotVaults {
  static let all: [Recipe] = good + wrong + damaged + frames + costs + live

  private static let passphrase = Scenario.Credential.passphrase(Array("correct horse".utf8))
  private static let otherKey = Scenario.Credential.key([UInt8](repeating: 0x5A, count: 32))

  private static let good: [Recipe] = [
    Recipe("slot_good-passphrase", .success, "A slot for a passphrase.") { (vault) in
      vault.credential = passphrase
      vault.begin()
    },
    Recipe("slot_good-passphrase-bytes", .success, "A passphrase is bytes: these are not UTF-8, and not trimmed.") {
      (vault) in
      vault.credential = .passphrase([0x20, 0xFF, 0x00, 0x0A])
      vault.begin()
    },
    Recipe("slot_good-two-kinds", .success, "A slot for a key and one for a passphrase, which opens it.") { (vault) in
      vault.makeSlot(1)
      vault.credential = passphrase
      vault.makeSlot(2)
      vault.begin()
    },
    Recipe("slot_good-second-key", .success, "The second of two slots for keys fits; numbers may have gaps.") { (vault) in
      vault.makeSlot(3, otherKey)
      vault.makeSlot(9)
      vault.begin()
    },
  ]

  private static let wrong: [Recipe] = [
    Recipe("slot_wrong-key", .wrongKey, keyless: .success, "Another key than the vault's.") { (vault) in
      vault.begin()
      vault.credential = otherKey
    },
    Recipe("slot_wrong-passphrase", .wrongKey, keyless: .success, "Another passphrase than the vault's.") { (vault) in
      vault.credential = passphrase
      vault.begin()
      vault.credential = .passphrase(Array("correct horse ".utf8))
    },
    Recipe("slot_key-for-passphrase", .wrongKey, keyless: .success, "A key is not tried on a slot for a passphrase.") {
      (vault) in
      let key = [UInt8](repeating: 7, count: 32)
      vault.makeSlot(1, .passphrase(key))
      vault.begin()
      vault.credential = .key(key)
    },
    Recipe("slot_wrong-key-and-damage", .frameDamaged, "Damage is found before a wrong key is.") { (vault) in
      vault.surround(.damage { $0[130] ^= 1 })
      vault.credential = otherKey
    },
    clear("commitment", .wrongKey, keyless: .success, "The commitment is another's, so the key is not tried.") {
      $0[60] ^= 1
    },
  ]

  private static let damaged: [Recipe] = [
    Recipe("slot_salt-flipped", .slotDamaged, "A flipped bit in a slot's salt must not read as a wrong key (proved).") {
      (vault) in
      vault.begin()
      vault.bytes[128 + 88 + 20] ^= 1
      vault.finding = 128
    },
    Recipe("slot_box", .slotDamaged, keyless: .success, "The commitment fits, but the sealed root key does not open.") {
      (vault) in
      vault.makeSlot(box: { $0[45] ^= 1 })
      vault.begin()
      vault.finding = 128
    },
    Recipe("slot_swapped-salt-and-iv", .slotDamaged, keyless: .success, "The box's salt and iv are exchanged.") {
      (vault) in
      vault.makeSlot(box: { $0.swapFields(Field(0, 12), Field(12, 12)) })
      vault.begin()
      vault.finding = 128
    },
    Recipe("slot_created", .slotDamaged, keyless: .success, "A time that was changed after sealing does not open.") {
      (vault) in
      vault.makeSlot()
      vault.slots[1]?[10] ^= 1
      vault.begin()
      vault.finding = 128
    },
    Recipe("slot_order", .slotDamaged, "Slot 1 stands behind slot 2.") { (vault) in
      vault.makeSlot(1)
      vault.makeSlot(2, otherKey)
      vault.slotFrame(2)
      vault.finding = vault.slotFrame(1).offset
      vault.makeDataKey()
      vault.dataKeyFrame()
      vault.genesisFrame()
    },
    Recipe("slot_number-twice", .slotDamaged, "Two slots have one number.") { (vault) in
      vault.makeSlot(1)
      vault.slotFrame(1)
      vault.makeSlot(1, otherKey)
      vault.finding = vault.slotFrame(1).offset
      vault.makeDataKey()
      vault.dataKeyFrame()
      vault.genesisFrame()
    },
    clear("kind", .slotDamaged, "A slot of kind 3.") { $0.set(SlotField.kind, 3) },
    clear("raw-with-costs", .slotDamaged, "A slot for a key has r = 8.") { $0.set(SlotField.r, 8) },
  ]

  private static let frames: [Recipe] = [
    frame("ends-batch", .chainBroken, "A slot must not end its batch: nothing would vouch for its header.") {
      $0.set(FrameField.flags, 1)
    },
    frame("term", .chainBroken, "A slot's frame names a term.") { $0.set(FrameField.term, 1) },
    frame("clear-length", .slotDamaged, "A clear part of 96 bytes.") { $0.set(FrameField.clearLength, 96) },
    frame("ciphertext-length", .slotDamaged, "A ciphertext of 48 bytes.") { $0.set(FrameField.ciphertextLength, 48) },
    frame("suite", .slotDamaged, "A slot under a legacy suite.") { $0.set(FrameField.suite, 0x82) },
  ]

  private static let costs: [Recipe] = [
    costs("n-2-63", .init(logN: 63), "N = 2^63 must not be tried."),
    costs("n-2-255", .init(logN: 255), "N = 2^255 must not be tried."),
    costs("n-2-13", .init(logN: 13), "N = 2^13 is too cheap."),
    costs("n-2-21", .init(logN: 21), "N = 2^21 is too dear."),
    costs("r-16", .init(r: 16), "r = 16."),
    costs("p-0", .init(p: 0), "p = 0."),
    costs("p-5", .init(p: 5), "p = 5."),
    Recipe("slot_costs-of-another", .limitExceeded, "All slots are checked before any is tried, and a key opens slot 1.") {
      (vault) in
      vault.makeSlot(1)
      vault.makeSlot(2, passphrase, costs: .init(logN: 63))
      vault.begin()
    },
    Recipe("slot_sum-of-costs", .limitExceeded, "Five slots of N = 2^20 are more than 2^22 together.") { (vault) in
      for number in 1...5 { vault.makeSlot(UInt32(number), passphrase, costs: .init(logN: 20), derives: false) }
      vault.makeSlot(6)
      vault.begin()
    },
    Recipe("slot_nine-passphrases", .limitExceeded, "Nine slots for passphrases.") { (vault) in
      for number in 1...9 { vault.makeSlot(UInt32(number), passphrase, derives: false) }
      vault.makeSlot(10)
      vault.begin()
    },
    Recipe("slot_thirty-three", .limitExceeded, "Thirty-three slots.") { (vault) in
      for number in 1...33 { vault.makeSlot(UInt32(number)) }
      vault.begin()
    },
    Recipe("slot_good-thirty-two", .success, "Thirty-two slots; the last one fits.") { (vault) in
      for number in 1...31 { vault.makeSlot(UInt32(number), otherKey) }
      vault.makeSlot(32)
      vault.begin()
    },
  ]

  private static let live: [Recipe] = [
    Recipe("slot_removed", .wrongKey, keyless: .success, "A checkpoint took the slot away (proved).") { (vault) in
      vault.makeSlot(1, otherKey)
      vault.makeSlot(2)
      vault.begin()
      vault.slots[2] = nil
      vault.checkpoint()
      vault.put("bob", "two")
    },
    Recipe("slot_good-other-removed", .success, "A checkpoint took another slot away.") { (vault) in
      vault.makeSlot(1, otherKey)
      vault.makeSlot(2)
      vault.begin()
      vault.slots[1] = nil
      vault.checkpoint()
      vault.put("bob", "two")
    },
    Recipe("slot_good-added", .success, "A checkpoint brought the slot that fits.") { (vault) in
      let credential = vault.credential
      vault.makeSlot(1, otherKey)
      vault.begin()
      vault.makeSlot(2, credential)
      vault.checkpoint()
    },
    Recipe("slot_removed-and-torn", .wrongKey, keyless: .tornTail, "A torn tail does not bring a removed slot back.") {
      (vault) in
      vault.makeSlot(1, otherKey)
      vault.makeSlot(2)
      vault.begin()
      vault.slots[2] = nil
      vault.checkpoint()
      vault.put("bob", "two")
      vault.bytes.removeLast(40)
    },
    Recipe("slot_live-costs", .limitExceeded, "A slot that a checkpoint brought costs N = 2^63.") { (vault) in
      vault.begin()
      vault.makeSlot(2, passphrase, costs: .init(logN: 63))
      vault.checkpoint()
    },
    Recipe("slot_good-old-costs", .success, "A dear slot of the founding batch that a checkpoint took away.") { (vault) in
      vault.makeSlot(1)
      vault.makeSlot(2, passphrase, costs: .init(logN: 20, p: 4), derives: false)
      vault.makeSlot(3, passphrase, costs: .init(logN: 20), derives: false)
      vault.begin()
      vault.slots[2] = nil
      vault.slots[3] = nil
      vault.checkpoint()
    },
    Recipe("slot_order-in-checkpoint", .slotDamaged, "In a checkpoint too, slots stand by number.") { (vault) in
      vault.begin()
      vault.makeSlot(2, otherKey)
      vault.slotFrame(2)
      vault.finding = vault.slotFrame(1).offset
      vault.dataKeyFrame()
      vault.anchorFrame()
      vault.rootFrame(.init())
      vault.put("bob", "two")
    },
  ]

  /// A vault whose only slot has another clear part, sealed as it is.
  private static func clear(
    _ name: String, _ expected: Expectation, keyless: Expectation? = nil, _ comment: String,
    _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("slot_\(name)", expected, keyless: keyless, comment) { (vault) in
      vault.makeSlot(clear: edit)
      vault.begin()
      if expected == .slotDamaged { vault.finding = 128 }
    }
  }

  /// A vault whose only slot has another frame header.
  private static func frame(
    _ name: String, _ expected: Expectation, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("slot_\(name)", expected, comment) { (vault) in
      vault.makeSlot()
      vault.finding = vault.slotFrame(1, .header(edit)).offset
      vault.makeDataKey()
      vault.dataKeyFrame()
      vault.genesisFrame()
      vault.put("alice", "one")
    }
  }

  /// A vault whose only slot has these costs.
  private static func costs(_ name: String, _ costs: ScenarioBuilder.Costs, _ comment: String) -> Recipe {
    Recipe("slot_\(name)", .limitExceeded, comment) { (vault) in
      vault.credential = passphrase
      vault.makeSlot(costs: costs)
      vault.begin()
    }
  }
}
