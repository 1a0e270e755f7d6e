import Testing
import VaultCrypto
import VaultFormat

@Suite struct ChainTests {
  private typealias Piece = SmallVault.Piece

  /// The code with which the chain refuses a batch behind `vault`'s last; `nil` if it takes it.
  private func code(_ vault: SmallVault, _ pieces: [Piece], end: Int? = nil) throws -> FormatError.Code? {
    let batch = try vault.seal(pieces, end: end)
    return refusal(vault, batch)
  }

  private func refusal(_ vault: SmallVault, _ batch: [UInt8]) -> FormatError.Code? {
    VaultFormatTests.code { _ = try SmallVault.accept(batch, after: vault.chain, in: vault.generation) }
  }

  @Test func severalBatchesAreTaken() throws {
    // Defends: what the encoder writes, the chain takes, in every kind of batch, and every frame opens.
    let vault = try SmallVault()
    try vault.add([.put(240)])
    try vault.add([.put(1), .other(0x80), .put(700), .other(0xFF)])
    try vault.add([.page, .page])
    try vault.add(SmallVault.checkpoint)
    try vault.add([.slot, .slot, .dataKey, .dataKey, .anchor, .root])
    try vault.add([.other(0x81)])
    #expect(vault.chain.isBetweenBatches && vault.chain.sequence == 22)
    #expect(vault.chain.offset == UInt64(vault.bytes.count))
    #expect(try vault.judge(vault.bytes) == Judgement(end: vault.bytes.count, tail: .clean))
  }

  @Test(arguments: [UInt32(1), 2, 3, 4, 9, .max]) func badPagesAreFollowedByWhatFits(position: UInt32) throws {
    // Defends: behind two bad pages that begin a batch comes its third frame, or the first or second of the next batch; of any
    // other frame it can't be said how the pages ended, and they are not passed over.
    let vault = try SmallVault()
    let next = FrameHeader(
      type: .record, sequence: vault.chain.sequence + 3,
      offset: vault.chain.offset + 2 * UInt64(IndexPage.frameLength), position: position, term: 1,
      ciphertextLength: 32, previousLink: Samples.filled(9), newestRoot: 0)
    var chain = vault.chain
    let found = VaultFormatTests.code { _ = try chain.passOver(badPages: 2, before: next) }
    #expect(found == (position <= 2 ? nil : .chainBroken))
  }

  @Test func theFoundingBatchHasOneOrder() throws {
    // Defends: batch 1 is slots, one data key, genesis, and nothing else.
    let vault = try SmallVault(isFounded: false)
    #expect(try code(vault, SmallVault.founding) == nil)
    #expect(try code(vault, [Piece](repeating: .slot, count: 32) + [.dataKey, .genesis]) == nil)
    #expect(try code(vault, [Piece](repeating: .slot, count: 33) + [.dataKey, .genesis]) == .limitExceeded)
    let wrong: [[Piece]] = [
      [.dataKey, .genesis], [.slot, .genesis], [.slot, .dataKey, .dataKey, .genesis], [.genesis], [.slot, .dataKey],
      [.dataKey, .slot, .genesis], [.slot, .dataKey, .slot, .genesis], [.put(1)], [.page], [.root], [.anchor],
      [.other(0x80)], SmallVault.checkpoint, [.slot, .put(1), .dataKey, .genesis],
    ]
    for pieces in wrong { #expect(try code(vault, pieces) == .chainBroken, "\(pieces)") }
    #expect(try code(vault, [.slot, .dataKey, .genesis, .genesis]) == .chainBroken)
  }

  @Test func aCheckpointHasOneOrder() throws {
    // Defends: slots, data keys, one anchor, pages, a root that ends it.
    let vault = try SmallVault()
    let wrong: [[Piece]] = [
      [.slot, .anchor, .root], [.dataKey, .anchor, .root], [.slot, .dataKey, .root], [.slot, .dataKey, .anchor],
      [.slot, .dataKey, .anchor, .page], [.dataKey, .slot, .anchor, .root], [.slot, .dataKey, .anchor, .anchor, .root],
      [.slot, .dataKey, .page, .anchor, .root], [.root], [.anchor], [.dataKey], [.genesis], SmallVault.founding,
      [.slot, .dataKey, .anchor, .put(1), .root], [.slot, .dataKey, .anchor, .other(0x80), .root],
      [.slot, .dataKey, .anchor, .page, .page, .slot, .root],
    ]
    for pieces in wrong { #expect(try code(vault, pieces) == .chainBroken, "\(pieces)") }
    #expect(
      try code(vault, [.slot, .dataKey, .anchor, .root, .put(1)], end: 4) == .chainBroken, "a root ends its batch")
  }

  @Test func recordsAndPagesKeepApart() throws {
    // Defends: records and ancillary frames share batches with nothing else; so do pages.
    let vault = try SmallVault()
    let wrong: [[Piece]] = [
      [.put(1), .slot, .put(1)], [.put(1), .dataKey], [.put(1), .page], [.page, .put(1)], [.put(1), .root],
      [.page, .root], [.page, .other(0x90)], [.put(1), .genesis], [.put(1), .anchor],
    ]
    for pieces in wrong { #expect(try code(vault, pieces) == .chainBroken, "\(pieces)") }
    #expect(try code(vault, [.other(8)]) == .frameDamaged, "a critical type that is not known")
    #expect(try code(vault, [.other(0)]) == .frameDamaged)
    #expect(try code(vault, [.other(0x7F)]) == .frameDamaged)
  }

  @Test func aSlotMayNotEndABatch() throws {
    // Defends: every slot's header is vouched for by a later frame of its batch.
    let vault = try SmallVault()
    var batch = try vault.seal([.slot, .dataKey, .anchor, .root])
    batch[7] = 1
    vault.repair(&batch, frameAt: 0)
    #expect(refusal(vault, batch) == .chainBroken)
  }

  @Test func checkpointsStayWithinTheirLimits() throws {
    // Defends: opening reads at most 128 frames and 1 MiB of a checkpoint, whatever its writer wished.
    let vault = try SmallVault()
    let most: [Piece] = [.slot, .dataKey, .anchor] + [Piece](repeating: .page, count: 124) + [.root]
    #expect(try code(vault, most) == nil)
    #expect(try code(vault, [.slot] + most) == .limitExceeded)
    #expect(try code(vault, [Piece](repeating: .page, count: 140)) == nil, "a batch of pages is not a checkpoint")
    let before: [Piece] = [.slot, .dataKey, .anchor]
    let room = (1 << 20) - (try vault.seal(before + [.longRoot(16)]).count - 16)
    #expect(try code(vault, before + [.longRoot(room)]) == nil)
    #expect(try code(vault, before + [.longRoot(room + 16)]) == .limitExceeded)
    let terms = [Piece](repeating: .dataKey, count: 64)
    #expect(try code(vault, [.slot] + terms + [.anchor, .root]) == nil)
    #expect(try code(vault, [.slot, .dataKey] + terms + [.anchor, .root]) == .limitExceeded)
  }

  @Test func everyPlaceFieldIsChecked() throws {
    // Defends: sequence, position, previous link, newest root and term, each wrong in turn with its checksums made right.
    let vault = try SmallVault()
    try vault.add(SmallVault.checkpoint)
    let batch = try vault.seal([.put(40), .put(50)])
    let second = Frame.overhead + 96
    let fields: [(name: String, place: Int, count: Int)] = [
      ("sequence", 8, 8), ("position", 24, 4), ("term", 28, 4), ("previous link", 40, 8), ("newest root", 72, 8),
    ]
    for frame in [0, second] {
      for field in fields {
        let was = batch.number(at: frame + field.place, count: field.count)
        for value in [0, was &+ 1, was &- 1, 1 << 31, .max] {
          var changed = batch
          changed.put(value, count: field.count, at: frame + field.place)
          if changed == batch { continue }
          vault.repair(&changed, frameAt: frame)
          // Any term will do here, except none.
          let expected: FormatError.Code? =
            field.name == "term" && changed.number(at: frame + 28, count: 4) != 0
            ? (frame == 0 ? .chainBroken : nil) : .chainBroken
          #expect(refusal(vault, changed) == expected, "\(field.name) of frame at \(frame) is \(value)")
        }
      }
    }
  }

  @Test func termsStandWhereTheyBelong() throws {
    // Defends: term 0 in slots, data keys, genesis and anchors, and nowhere else.
    let vault = try SmallVault()
    let batch = try vault.seal(SmallVault.checkpoint)
    var place = 0
    for _ in SmallVault.checkpoint {
      var changed = batch
      changed.put(batch.number(at: place + 28, count: 4) == 0 ? 1 : 0, count: 4, at: place + 28)
      vault.repair(&changed, frameAt: place)
      #expect(refusal(vault, changed) == .chainBroken)
      place += Frame.overhead + Int(batch.number(at: place + 32, count: 4) + batch.number(at: place + 36, count: 4))
    }
    #expect(place == batch.count)
  }

  @Test func theStartOfTheBatchIsInEveryTrailer() throws {
    // Defends: a torn batch is not adopted by the one behind it.
    let vault = try SmallVault()
    let batch = try vault.seal([.put(40), .put(50)])
    for change: UInt64 in [16, UInt64(bitPattern: -16)] {
      var changed = batch
      changed.put(batch.number(at: batch.count - 12, count: 4) &+ change, count: 4, at: batch.count - 12)
      #expect(refusal(vault, changed) == .frameDamaged)
    }
  }

  @Test func aRefusedFrameLeavesTheChainAlone() throws {
    // Defends: a walk that meets a bad frame still knows where the last complete batch ended.
    let vault = try SmallVault()
    let batch = try vault.seal([.put(40)])
    var chain = vault.chain
    var hasher = try LinkHasher()
    let span = batch.span
    var header = try FrameHeader(parsing: span, at: chain.offset, in: vault.generation)
    header.sequence += 1
    #expect(throws: FormatError(.chainBroken, "")) { _ = try chain.accept(header, in: batch.span, hasher: &hasher) }
    #expect(chain == vault.chain)
  }
}
