/// Frames that are whole but do not belong where they stand.
enum ChainVaults {
  static let all: [Recipe] = headers + torn + forks + kinds

  private static let headers: [Recipe] = [
    header("sequence-skipped", "A sequence is left out.") {
      $0.set(FrameField.sequence, $0.get(FrameField.sequence) + 1)
    },
    header("sequence-repeated", "A sequence comes twice.") {
      $0.set(FrameField.sequence, $0.get(FrameField.sequence) - 1)
    },
    header("position", "The only frame of a batch has position 1.") { $0.set(FrameField.position, 1) },
    header("previous-link", "The previous link is of nothing.") { $0[45] ^= 1 },
    header("root-offset", "A root is named where there is none.") { $0.set(FrameField.rootOffset, 128) },
    header("term-0", "A record without a term.") { $0.set(FrameField.term, 0) },
    Recipe("chain_root-offset-stale", .chainBroken, "The root named is not the newest.") { (vault) in
      vault.begin()
      let old = vault.checkpoint().offset
      vault.checkpoint()
      let edit: (inout [UInt8]) -> Void = { $0.set(FrameField.rootOffset, UInt64(old)) }
      vault.finding = vault.put("bob", "two", .header(edit)).offset
      vault.put("carol", "three")
    },
    Recipe("chain_root-offset-differs", .chainBroken, "The frames of a batch name different roots.") { (vault) in
      vault.begin()
      let old = vault.checkpoint().offset
      vault.checkpoint()
      vault.put("bob", "two", ends: false)
      let edit: (inout [UInt8]) -> Void = { $0.set(FrameField.rootOffset, UInt64(old)) }
      vault.finding = vault.put("carol", "three", .header(edit)).offset
      vault.put("dave", "four")
    },
    Recipe("chain_root-of-own-batch", .chainBroken, "Frames of a checkpoint name its own root.") { (vault) in
      vault.begin()
      let own = UInt64(vault.end + 256 + 224)
      let edit: (inout [UInt8]) -> Void = { $0.set(FrameField.rootOffset, own) }
      vault.slotFrame()
      vault.dataKeyFrame()
      vault.finding = vault.anchorFrame([], .header(edit)).offset
      vault.rootFrame(.init())
      vault.put("bob", "two")
    },
  ]

  private static let torn: [Recipe] = [
    Recipe("chain_torn-adopted", .chainBroken, "Half a batch, and a new batch behind it (proved).") { (vault) in
      vault.begin()
      vault.put("bob", "two", ends: false)
      (vault.position, vault.batchStart) = (0, vault.end)
      vault.finding = vault.put("carol", "three").offset
    },
    Recipe("chain_torn-adopted-position", .frameDamaged, "The new batch goes on with the torn one's positions (proved).") {
      (vault) in
      vault.begin()
      vault.put("bob", "two", ends: false)
      vault.batchStart = vault.end
      vault.finding = vault.put("carol", "three").offset
      vault.put("dave", "four")
    },
    Recipe("chain_batch-missing", .frameDamaged, "A batch in the middle is cut out.") { (vault) in
      vault.begin()
      vault.put("bob", "two")
      vault.put("carol", "three")
      vault.put("dave", "four")
      vault.bytes.removeSubrange(vault.frames[4].range)
      vault.finding = vault.frames[4].offset
    },
    Recipe("chain_batches-swapped", .frameDamaged, "Two batches of one length are exchanged.") { (vault) in
      vault.begin()
      vault.put("bob", "two")
      vault.put("carol", "three")
      let parts = vault.parts
      vault.bytes.replaceSubrange(vault.frames[4].range, with: parts[5])
      vault.bytes.replaceSubrange(vault.frames[5].range, with: parts[4])
      vault.finding = vault.frames[4].offset
    },
  ]

  private static let forks: [Recipe] = [
    Recipe("chain_fork", .chainBroken, "Behind the batch of one history go on the batches of another.") { (vault) in
      vault.begin()
      var other = vault.fork()
      other.put("bob", "no")
      vault.put("bob", "two")
      other.put("carol", "three")
      other.put("dave", "four")
      vault.bytes += other.bytes[vault.end...]
      vault.finding = other.frames[5].offset
    },
    Recipe("chain_fork-in-batch", .chainBroken, "The first frame of a batch is that of another history.") { (vault) in
      vault.begin()
      var other = vault.fork()
      other.put("bob", "no", ends: false)
      vault.put("bob", "two", ends: false)
      vault.put("carol", "three")
      vault.put("dave", "four")
      vault.bytes.replaceSubrange(vault.frames[4].range, with: other.parts[4])
      vault.finding = vault.frames[5].offset
    },
  ]

  private static let kinds: [Recipe] = [
    Recipe("chain_good-loose-pages", .success, "A batch of pages that no root names.") { (vault) in
      vault.begin()
      let entries = vault.entries(behind: 0, drops: false)
      _ = vault.pageFrames([entries], [UInt8](repeating: 9, count: 8), ends: true)
      vault.put("bob", "two")
    },
    kind("genesis-again", "A second genesis.") { $0.genesisFrame().offset },
    kind("root-alone", "A root without the rest of a checkpoint.") { $0.rootFrame(.init()).offset },
    kind("anchor-alone", "An anchor without slots and data keys.") { $0.anchorFrame([], ends: true).offset },
    kind("data-key-alone", "A data key outside of a checkpoint.") { $0.dataKeyFrame(ends: true).offset },
    kind("record-and-page", "A page in a batch of records.") { (vault) in
      vault.put("bob", "two", ends: false)
      return Int(vault.pageFrames([[]], [UInt8](repeating: 9, count: 8), ends: true).offset)
    },
    kind("page-and-record", "A record in a batch of pages.") { (vault) in
      _ = vault.pageFrames([[]], [UInt8](repeating: 9, count: 8), ends: false)
      return vault.put("bob", "two").offset
    },
    kind("checkpoint-without-keys", "An anchor follows the slots.") { (vault) in
      vault.slotFrame()
      let found = vault.anchorFrame().offset
      vault.rootFrame(.init())
      return found
    },
    kind("checkpoint-without-anchor", "A root follows the data keys.") { (vault) in
      vault.slotFrame()
      vault.dataKeyFrame()
      return vault.rootFrame(.init()).offset
    },
    kind("checkpoint-without-root", "An anchor ends its batch.") { (vault) in
      vault.slotFrame()
      vault.dataKeyFrame()
      return vault.anchorFrame([], ends: true).offset
    },
    kind("checkpoint-with-record", "A record in a checkpoint.") { (vault) in
      vault.slotFrame()
      vault.dataKeyFrame()
      vault.anchorFrame()
      let found = vault.put("bob", "two", ends: false).offset
      vault.rootFrame(.init())
      return found
    },
    kind("checkpoint-with-ancillary", "An ancillary frame in a checkpoint.") { (vault) in
      vault.slotFrame()
      vault.dataKeyFrame()
      vault.anchorFrame()
      let found = vault.unknown(0x80, ends: false).offset
      vault.rootFrame(.init())
      return found
    },
    kind("root-goes-on", "A root does not end its batch.") { (vault) in
      vault.slotFrame()
      vault.dataKeyFrame()
      vault.anchorFrame()
      let found = vault.rootFrame(.init(), ends: false).offset
      vault.rootFrame(.init())
      return found
    },
  ]

  private static func header(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("chain_\(name)", .chainBroken, comment) { $0.surround(.header(edit)) }
  }

  /// A batch that is of none of the four kinds, and an intact one behind it.
  private static func kind(
    _ name: String, _ comment: String, _ write: @escaping @Sendable (inout ScenarioBuilder) -> Int
  ) -> Recipe {
    Recipe("chain_\(name)", .chainBroken, comment) { (vault) in
      vault.begin()
      vault.finding = write(&vault)
      vault.put("erin", "five")
    }
  }
}
