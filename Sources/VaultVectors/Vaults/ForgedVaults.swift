/// What somebody can do who writes to the file and has no key: every offset, sequence, link and checksum is made right over
/// the change, so that only the tags tell.
enum ForgedVaults {
  static let all: [Recipe] = [
    Recipe("forged_splice", .frameDamaged, keyless: .success, "An old put in the place of a newer one (proved).") {
      (vault) in
      vault.begin()
      vault.put("alice", "two")
      vault.put("bob", "three")
      rewrite(&vault) { $0[4] = $0[3] }
      vault.finding = vault.frames[4].offset
    },
    Recipe("forged_batch-removed", .frameDamaged, keyless: .success, "A batch in the middle is taken out.") { (vault) in
      vault.begin()
      vault.put("bob", "two")
      vault.put("carol", "three")
      rewrite(&vault) { $0.remove(at: 4) }
      vault.finding = vault.frames[4].offset
    },
    Recipe("forged_batches-swapped", .frameDamaged, keyless: .success, "Two batches are exchanged.") { (vault) in
      vault.begin()
      vault.put("bob", "two")
      vault.put("carol", "three")
      rewrite(&vault) { $0.swapAt(4, 5) }
      vault.finding = vault.frames[4].offset
    },
    Recipe("forged_batch-repeated", .frameDamaged, keyless: .success, "The last batch is appended once more.") { (vault) in
      vault.begin()
      rewrite(&vault) { $0.append($0[3]) }
      vault.finding = vault.frames[4].offset
    },
    Recipe("forged_type", .frameDamaged, keyless: .success, "A deletion becomes an ancillary frame (proved).") { (vault) in
      vault.begin()
      vault.delete("alice")
      rewrite(&vault) { $0[4][4] = 0x81 }
      vault.finding = vault.frames[4].offset
    },
    Recipe("forged_batch-split", .frameDamaged, keyless: .success, "The first half of a batch is ended.") { (vault) in
      vault.begin()
      vault.put("bob", "two", ends: false)
      vault.put("carol", "three")
      rewrite(&vault) {
        $0[4].set(FrameField.flags, 1)
        $0[5].set(FrameField.position, 0)
      }
      vault.finding = vault.frames[4].offset
    },
    Recipe("forged_slot", .frameDamaged, keyless: .success, "A slot's time is changed: the genesis vouches for it.") {
      (vault) in
      vault.makeSlot(1, .key([UInt8](repeating: 3, count: 32)))
      vault.makeSlot(2)
      vault.begin()
      rewrite(&vault) { $0[0][100] ^= 1 }
      vault.finding = vault.frames[3].offset
    },
    Recipe("forged_slot-header", .frameDamaged, keyless: .success, "A slot is taken out: positions no longer fit.") {
      (vault) in
      vault.makeSlot(1, .key([UInt8](repeating: 3, count: 32)))
      vault.makeSlot(2)
      vault.begin()
      rewrite(&vault) {
        $0.remove(at: 0)
        for index in 0..<3 { $0[index].set(FrameField.position, UInt64(index)) }
      }
    },
    Recipe("forged_root-offset", .frameDamaged, keyless: .success, "A record forgets the newest root.") { (vault) in
      vault.begin()
      vault.checkpoint()
      vault.put("bob", "two")
      // Without its checkpoint the file is whole again for whoever has no key.
      rewrite(&vault) {
        $0.removeSubrange(4..<$0.count - 1)
        $0[4].set(FrameField.rootOffset, 0)
      }
      vault.finding = vault.frames[4].offset
    },
    Recipe("forged_history", .frameDamaged, keyless: .success, "One record is changed and all behind it is linked anew.") {
      (vault) in
      vault.begin()
      for number in 1...4 { vault.put("bob", "\(number)") }
      rewrite(&vault) { $0[3][150] ^= 1 }
      vault.finding = vault.frames[3].offset
    },
  ]

  /// Changes the list of frames and makes right all that takes no key.
  private static func rewrite(_ vault: inout ScenarioBuilder, _ edit: (inout [[UInt8]]) -> Void) {
    var parts = vault.parts
    edit(&parts)
    vault.reassemble(parts)
  }
}
