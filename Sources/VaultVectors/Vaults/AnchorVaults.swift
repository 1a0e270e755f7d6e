/// Checkpoints, their anchors, and generations behind the first.
enum AnchorVaults {
  static let all: [Recipe] = good + anchors + generations + limits

  private static let good: [Recipe] = [
    Recipe("anchor_good", .success, "A checkpoint between records.") { (vault) in
      vault.begin()
      vault.checkpoint()
      vault.put("bob", "two")
    },
    Recipe("anchor_good-nothing-written", .success, "A checkpoint right behind the founding batch.") { (vault) in
      vault.found()
      vault.checkpoint()
    },
    Recipe("anchor_good-second-generation", .success, "A compacted vault, which went on afterwards.") { (vault) in
      second(&vault)
      vault.put("bob", "four")
      vault.checkpoint(.init(history: vault.index.history))
    },
    Recipe("anchor_good-third-generation", .success, "A history of two generations.") { (vault) in
      second(&vault)
      let older = vault.index.history
      succeed(&vault) { [$0.ancestor] + older }
    },
    Recipe("anchor_torn-behind", .tornTail, "A compacted vault with a torn tail.") { (vault) in
      second(&vault)
      vault.keepReleased()
      vault.put("bob", "four")
      vault.bytes.removeLast(20)
    },
  ]

  private static let anchors: [Recipe] = [
    Recipe("anchor_other-header", .frameDamaged, "The anchor's copy of the file header is another.") { (vault) in
      vault.begin()
      vault.slotFrame()
      vault.dataKeyFrame()
      var copy = vault.header
      copy[30] ^= 1
      vault.finding = vault.anchorFrame([], copying: copy).offset
      vault.rootFrame(.init())
      vault.put("bob", "two")
    },
    anchor("genesis", "The anchor's genesis was made a microsecond later.") { $0[11] ^= 1 },
    anchor("genesis-length", "The genesis's length is 4 GiB.") { $0.replaceSubrange(0..<4, with: bigEndian(UInt32.max)) },
    anchor("padding", "The anchor's padding is not zero.") { $0[$0.count - 1] = 1 },
    anchor("too-long", "Sixteen zeros too many.") { $0 += [UInt8](repeating: 0, count: 16) },
    anchor("history-cut", "An earlier generation is promised and not there.") {
      $0[$0.count - 9] = 1
    },
    history("own-generation", "The history lists the file's own generation.") { [entry($0, 2)] },
    history("ascends", "The history ascends.", generation: 3) { [entry($0, 1), entry($0, 2)] },
    history("twice", "The history lists a generation twice.", generation: 3) { [entry($0, 2), entry($0, 2)] },
    history("generation-0", "The history lists generation 0.") { [entry($0, 1), entry($0, 0)] },
    history("maker", "An earlier generation was made by 6.") { [changed(entry($0, 1), 96, 6)] },
    history("reserved", "A reserved byte of an earlier generation is not zero.") { [changed(entry($0, 1), 103, 1)] },
  ]

  private static let generations: [Recipe] = [
    Recipe("anchor_unfinished", .chainBroken, "A second generation without a checkpoint was never finished.") { (vault) in
      vault.begin()
      vault = vault.successor()
      vault.found(madeBy: 1)
      vault.put("alice", "one")
    },
    Recipe("anchor_unfinished-torn", .chainBroken, "A second generation without a checkpoint, with a torn tail.") {
      (vault) in
      vault.begin()
      vault = vault.successor()
      vault.found(madeBy: 1)
      vault.put("alice", "one")
      vault.bytes.removeLast(20)
    },
    Recipe("anchor_no-history", .chainBroken, keyless: .success, "The checkpoint of a second generation lists none.") {
      (vault) in
      vault.begin()
      succeed(&vault) { _ in [] }
    },
    Recipe("anchor_history-gap", .chainBroken, keyless: .success, "A third generation lists the first alone.") { (vault) in
      second(&vault)
      let older = vault.index.history
      succeed(&vault) { _ in older }
    },
    Recipe("anchor_history-forgotten", .chainBroken, keyless: .success, "The newest checkpoint does not repeat the history.") {
      (vault) in
      second(&vault)
      vault.checkpoint()
    },
  ]

  private static let limits: [Recipe] = [
    Recipe("anchor_history-sixty-five", .limitExceeded, keyless: .success, "A history of sixty-five generations.") {
      (vault) in
      vault = ScenarioBuilder(seed: vault.seed, generation: 66)
      vault.found(madeBy: 1)
      let history = (1...65).reversed().map { entry(vault, UInt64($0)) }
      vault.checkpoint(.init(history: history))
    },
    Recipe("anchor_good-history-sixty-four", .success, "A history of sixty-four generations.") { (vault) in
      vault = ScenarioBuilder(seed: vault.seed, generation: 66)
      vault.found(madeBy: 1)
      let history = (2...65).reversed().map { entry(vault, UInt64($0)) }
      vault.checkpoint(.init(history: history))
    },
    Recipe("anchor_checkpoint-frames", .limitExceeded, "A checkpoint of 129 frames.") { (vault) in
      vault.begin()
      for number in 2...32 { vault.makeSlot(UInt32(number)) }
      for number in 1...32 { vault.slotFrame(UInt32(number)) }
      for term in 2...64 { vault.makeDataKey(UInt32(term)) }
      for term in 1...64 { vault.dataKeyFrame(UInt32(term)) }
      vault.anchorFrame()
      _ = vault.pageFrames([[IndexDraft.Entry]](repeating: [], count: 31), [1, 2, 3, 4, 5, 6, 7, 8], ends: false)
      vault.finding = vault.rootFrame(.init()).offset
    },
  ]

  // MARK: Shapes

  /// A compacted vault of the second generation.
  static func second(_ vault: inout ScenarioBuilder) {
    vault.begin()
    vault.put("bob", "two")
    vault.put("alice", "three")
    succeed(&vault) { [$0.ancestor] }
  }

  /// Goes on as the next generation, whose checkpoint lists what `history` makes of the generation before.
  static func succeed(_ vault: inout ScenarioBuilder, history: (ScenarioBuilder) -> [[UInt8]]) {
    let older = vault
    vault = older.successor()
    vault.found(term: older.term, madeBy: 1)
    vault.copy(from: older)
    vault.index.history = history(older)
    vault.checkpoint(.init(history: vault.index.history))
  }

  /// An earlier generation, as a history lists it.
  private static func entry(_ vault: ScenarioBuilder, _ generation: UInt64) -> [UInt8] {
    bigEndian(generation) + Array(vault.ancestor.dropFirst(8))
  }

  private static func changed(_ entry: [UInt8], _ index: Int, _ value: UInt8) -> [UInt8] {
    var changed = entry
    changed[index] = value
    return changed
  }

  /// A vault whose anchor has another plaintext.
  private static func anchor(
    _ name: String, _ comment: String, _ edit: @escaping @Sendable (inout [UInt8]) -> Void
  ) -> Recipe {
    Recipe("anchor_\(name)", .frameDamaged, keyless: .success, comment) { (vault) in
      vault.begin()
      vault.checkpoint(.init(anchorEdit: .plaintext(edit)))
    }
  }

  /// A later generation with a history that can't be.
  private static func history(
    _ name: String, _ comment: String, generation: UInt64 = 2,
    _ make: @escaping @Sendable (ScenarioBuilder) -> [[UInt8]]
  ) -> Recipe {
    Recipe("anchor_history-\(name)", .frameDamaged, keyless: .success, comment) { (vault) in
      vault = ScenarioBuilder(seed: vault.seed, generation: generation)
      vault.found(madeBy: 1)
      vault.checkpoint(.init(history: make(vault)))
    }
  }
}
