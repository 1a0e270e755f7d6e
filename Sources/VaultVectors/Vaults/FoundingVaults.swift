/// The founding batch: its order, its data key and its genesis. It is never a torn tail.
enum FoundingVaults {
  static let all: [Recipe] = order + ends + dataKeys + genesis

  private static let order: [Recipe] = [
    Recipe("founding_no-slot", .chainBroken, "The first frame is a data key.") { (vault) in
      vault.makeDataKey()
      vault.finding = vault.dataKeyFrame().offset
      vault.genesisFrame()
    },
    Recipe("founding_no-data-key", .chainBroken, "The genesis follows the slot.") { (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.finding = vault.genesisFrame().offset
    },
    Recipe("founding_two-data-keys", .chainBroken, "Two data keys.") { (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.makeDataKey(1)
      vault.dataKeyFrame(1)
      vault.makeDataKey(2)
      vault.finding = vault.dataKeyFrame(2).offset
      vault.genesisFrame()
    },
    Recipe("founding_genesis-goes-on", .chainBroken, "The genesis does not end the batch.") { (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.makeDataKey()
      vault.dataKeyFrame()
      vault.finding = vault.genesisFrame(ends: false).offset
      vault.put("alice", "one")
    },
    Recipe("founding_data-key-ends", .chainBroken, "The data key ends the batch.") { (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.makeDataKey()
      vault.finding = vault.dataKeyFrame(ends: true).offset
      vault.put("alice", "one")
    },
    Recipe("founding_record-first", .chainBroken, "The first batch holds a record.") { (vault) in
      vault.makeDataKey()
      vault.finding = vault.put("alice", "one").offset
      vault.put("bob", "two")
    },
  ]

  private static let ends: [Recipe] = [
    Recipe("founding_cut-in-slot", .slotDamaged, "The file ends inside the slot.") { (vault) in
      vault.found()
      vault.bytes.removeSubrange(300...)
      vault.finding = 128
    },
    Recipe("founding_cut-behind-slot", .frameDamaged, "The file ends between two frames of its first batch.") { (vault) in
      vault.found()
      vault.bytes.removeSubrange(384...)
    },
    Recipe("founding_cut-in-genesis", .frameDamaged, "The file ends inside the genesis: that is no torn tail.") { (vault) in
      vault.found()
      vault.bytes.removeLast(16)
      vault.finding = vault.frames[2].offset
    },
    Recipe("founding_hole", .frameDamaged, "The sectors of the genesis are lost: that is no torn tail.") { (vault) in
      vault.found()
      let genesis = vault.frames[2].range
      vault.bytes.replaceSubrange(genesis, with: [UInt8](repeating: 0, count: genesis.count))
      vault.finding = genesis.lowerBound
    },
  ]

  private static let dataKeys: [Recipe] = [
    Recipe("founding_good-term-7", .success, "A later generation may begin with any term.") { (vault) in
      vault.found(term: 7)
      vault.put("alice", "one")
    },
    dataKey("commitment", .commitmentMismatch, "The data key is not the one committed to.") { $0[20] ^= 1 },
    dataKey("data-key-reserved", .frameDamaged, "A reserved byte of the data key is not zero.") { $0[7] = 1 },
    Recipe("founding_term-0", .frameDamaged, keyless: .success, "Terms count from 1.") { (vault) in
      vault.found(term: 0)
      vault.finding = vault.frames[1].offset
    },
    Recipe("founding_data-key-length", .frameDamaged, "A data key's ciphertext has 96 bytes.") { (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.makeDataKey()
      vault.dataKeys[1] = vault.dataKeys[1].map { $0 + [UInt8](repeating: 0, count: 16) }
      vault.finding = vault.dataKeyFrame().offset
      vault.genesisFrame()
    },
  ]

  private static let genesis: [Recipe] = [
    genesis("maker", "Made by 6, which nothing is.") { $0[8] = 6 },
    genesis("genesis-reserved", "A reserved byte of the genesis is not zero.") { $0[15] = 1 },
    genesis("genesis-padding", "The genesis's padding is not zero.") { $0[$0.count - 1] = 1 },
    genesis("genesis-length", "The writer's name is longer than the genesis.") { $0[9] = 200 },
    genesis("genesis-too-long", "Sixteen zeros too many.") { $0 += [UInt8](repeating: 0, count: 16) },
    Recipe("founding_genesis-key", .frameDamaged, keyless: .success, "The genesis is sealed under the wrap key.") {
      (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.makeDataKey()
      vault.dataKeyFrame()
      let key = vault.wrapKey
      vault.finding =
        vault.frame(4, plaintext: [UInt8](repeating: 0, count: 16), key: key, ends: true).offset
    },
  ]

  private static func dataKey(
    _ name: String, _ expected: Expectation, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("founding_\(name)", expected, keyless: .success, comment) { (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.makeDataKey()
      vault.finding = vault.dataKeyFrame(1, .plaintext(edit)).offset
      vault.genesisFrame()
    }
  }

  private static func genesis(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("founding_\(name)", .frameDamaged, keyless: .success, comment) { (vault) in
      vault.makeSlot()
      vault.slotFrame()
      vault.makeDataKey()
      vault.dataKeyFrame()
      vault.finding = vault.genesisFrame(.plaintext(edit)).offset
      vault.put("alice", "one")
    }
  }
}
