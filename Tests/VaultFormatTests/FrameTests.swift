import Testing
import VaultCrypto
import VaultFormat

@Suite struct FrameTests {
  /// A vault and one more record batch of two frames, which is not in it yet.
  private let vault: SmallVault
  private let batch: [UInt8]
  private let second: Int

  init() throws {
    vault = try SmallVault()
    batch = try vault.seal([.put(30), .put(70)])
    second = Frame.overhead + 96
  }

  /// Why `batch` behind the vault's last is not taken or does not open; `nil` if it is and does.
  private func refusal(_ batch: [UInt8]) -> FormatError.Code? {
    code { try walk(batch.span) }
  }

  private func walk(_ batch: Span<UInt8>) throws {
    var chain = vault.chain
    var hasher = try LinkHasher()
    repeat {
      let rest = batch.extracting(min(Int(chain.offset - vault.chain.offset), batch.count)..<batch.count)
      let header = try FrameHeader(parsing: rest, at: chain.offset, in: vault.generation)
      let frame = try chain.accept(header, in: rest, hasher: &hasher)
      try vault.open(frame)
    } while !chain.isBetweenBatches
  }

  @Test func aFrameIsLaidOutAsWritten() throws {
    // Defends: the places of all fields, against the format's table.
    #expect(refusal(batch) == nil)
    #expect(Array(batch.prefix(8)) == [0xF5, 0x54, 0x56, 0x46, 1, 1, 0, 0])
    #expect(batch.number(at: 8, count: 8) == vault.chain.sequence + 1)
    #expect(batch.number(at: 16, count: 8) == vault.chain.offset)
    #expect(batch.number(at: 24, count: 8) == 1, "position 0, term 1")
    #expect(batch.number(at: 32, count: 8) == 96, "no clear part, 96 bytes sealed")
    #expect(Array(batch[40..<72]) == vault.chain.link.span.array)
    #expect(batch.number(at: 72, count: 8) == 0 && batch.number(at: 80, count: 4) == 0)
    #expect(batch.number(at: second - 16, count: 8) == UInt64(second) << 32 | UInt64(second))
    #expect(batch.number(at: second - 4, count: 4) == ~UInt64(second) & 0xFFFF_FFFF)
    #expect(batch[second + 7] == 1 && batch.number(at: second + 24, count: 4) == 1)
    #expect(batch.number(at: batch.count - 12, count: 4) == UInt64(batch.count))
  }

  @Test func everyFlippedBitIsRefused() {
    // Defends: no changed bit of a batch is taken, in whichever frame.
    for bit in 0..<batch.count * 8 {
      #expect(refusal(batch.flipping(bit: bit)) == .frameDamaged, "bit \(bit)")
    }
  }

  @Test func everyFlippedBitWithItsChecksumsIsRefused() {
    // Defends: checksums made right again save no changed bit: the chain or the tag refuses it.
    for frame in [0, second] {
      let length = frame == 0 ? second : batch.count - second
      for bit in frame * 8..<(frame + length) * 8 {
        var changed = batch.flipping(bit: bit)
        vault.repair(&changed, frameAt: frame, length: length)
        if changed == batch { continue }
        #expect(refusal(changed) != nil, "bit \(bit)")
      }
    }
  }

  @Test func everyFlippedBitOfAFoundingBatchIsRefused() throws {
    // Defends: slots, data keys and genesis too: what no tag covers is covered by the frame that ends the batch.
    let file = vault.bytes
    let places = vault.frames(from: vault.starts[0], to: vault.chain)
    for (index, place) in places.enumerated() {
      let end = index + 1 < places.count ? places[index + 1] : file.count
      for bit in place * 8..<end * 8 {
        var changed = file.flipping(bit: bit)
        vault.repair(&changed, frameAt: place, length: end - place)
        if changed == file { continue }
        #expect(try vault.judge(changed).isDamage, "bit \(bit)")
      }
    }
  }

  @Test func everyTruncationIsRefused() throws {
    // Defends: a frame that the file ends in is damage to the walk, and never read past its end; nor is one made of fewer bytes.
    for count in 0..<batch.count { #expect(refusal(Array(batch.prefix(count))) == .frameDamaged, "cut to \(count)") }
    let header = try FrameHeader(parsing: batch.span, at: vault.chain.offset, in: vault.generation)
    for count in 0...second {
      let expected: FormatError.Code? = count < second ? .frameDamaged : nil
      #expect(code { _ = try Frame(header, in: batch.span.extracting(first: count)) } == expected, "\(count) bytes")
    }
  }

  @Test func saltAndIVMayNotChangePlaces() {
    // Defends: both halves of the nonce count, each for itself.
    var changed = batch
    changed.replaceSubrange(88..<112, with: batch[100..<112] + batch[88..<100])
    vault.repair(&changed, frameAt: 0)
    #expect(refusal(changed) == .frameDamaged)
  }

  @Test func everyByteOfTheTagCounts() {
    // Defends: all 16 bytes of the tag are compared, and a frame without its last ones is none.
    for place in 112..<128 {
      var changed = batch
      changed[place] ^= 0x40
      vault.repair(&changed, frameAt: 0)
      #expect(refusal(changed) == .frameDamaged, "byte \(place)")
    }
    var short = batch
    short.removeSubrange(124..<128)
    short.insert(contentsOf: [0, 0, 0, 0], at: second - 20)
    vault.repair(&short, frameAt: 0)
    #expect(refusal(short) == .frameDamaged)
  }

  @Test func everyOtherTypeIsRefused() {
    // Defends: a type byte changed with its checksum does not turn a record into something to be passed over.
    for type in 0...255 where type != 1 {
      var changed = batch
      changed[4] = UInt8(type)
      vault.repair(&changed, frameAt: 0, length: second)
      #expect(refusal(changed) != nil, "type \(type)")
    }
  }

  @Test func onlyOneSuiteSealsFrames() {
    // Defends: legacy suites, and every other, are refused in a frame header.
    for suite in 0...255 where suite != 1 {
      var changed = batch
      changed[5] = UInt8(suite)
      vault.repair(&changed, frameAt: 0)
      let refused = code { _ = try SmallVault.accept(changed, after: vault.chain, in: vault.generation) }
      #expect(refused == .frameDamaged, "suite \(suite), without a key")
    }
    for flags: UInt64 in [2, 3, 0x80, 0x8000, 0xFFFE] {
      var changed = batch
      changed.put(flags, count: 2, at: 6)
      vault.repair(&changed, frameAt: 0)
      #expect(refusal(changed) == .frameDamaged, "flags \(flags)")
    }
  }

  @Test(arguments: [32, 36]) func lengthsOutOfPlaceAreRefused(field: Int) {
    // Defends: clear and ciphertext length at every awkward value, checksums made right, before anything is allocated.
    let limit = UInt64(64 << 20) - UInt64(Frame.overhead)
    let remaining = UInt64(batch.count - Frame.overhead)
    let values: [UInt64] = [
      0, 1, 15, 16, 80, 95, 97, 112, 128, limit - 16, limit, limit + 1, limit + 16, 1 << 31, (1 << 31) - 16,
      (1 << 32) - 1, (1 << 32) - 16, remaining - 1, remaining, remaining + 1, remaining + 16,
    ]
    for value in values where value != batch.number(at: field, count: 4) {
      var changed = batch
      changed.put(value, count: 4, at: field)
      vault.repair(&changed, frameAt: 0)
      #expect(refusal(changed) == .frameDamaged, "\(value)")
    }
  }

  @Test func fixedLengthsAreFixed() throws {
    // Defends: slots, data keys and pages have one length; a genesis and an anchor a multiple of 16 that is not zero.
    let batch = try vault.seal(SmallVault.checkpoint)
    for value: UInt64 in [0, 16, 31, 33, 48, 64, 81, 96, 3936, 3968] {
      var place = 0
      for piece in SmallVault.checkpoint {
        var changed = batch
        let clear = Int(batch.number(at: place + 32, count: 4))
        let sealed = Int(batch.number(at: place + 36, count: 4))
        changed.put(value, count: 4, at: place + 36)
        vault.repairHeader(&changed, at: place)
        let refused = code {
          _ = try SmallVault.accept(changed, after: vault.chain, in: vault.generation)
        }
        if Int(value) != sealed {
          if case .slot = piece { #expect(refused == .slotDamaged) } else { #expect(refused == .frameDamaged) }
        }
        place += Frame.overhead + clear + sealed
      }
    }
  }

  @Test func aFrameStaysWhereItWasMade() throws {
    // Defends: a copy of a frame at another offset, or in another generation, is not a frame there.
    let moved = [UInt8](repeating: 0, count: 16) + batch
    #expect(throws: FormatError(.frameDamaged, "")) {
      let rest = moved.span.extracting(16..<moved.count)
      _ = try FrameHeader(parsing: rest, at: vault.chain.offset + 16, in: vault.generation)
    }
    var other = FileHeader(vaultID: vault.header.vaultID, fileID: vault.header.fileID, generation: 2)
    #expect(throws: FormatError(.frameDamaged, "")) {
      _ = try FrameHeader(parsing: batch.span, at: vault.chain.offset, in: Generation(header: other))
    }
    other = vault.header
    other.compatible = 1
    #expect(throws: FormatError(.frameDamaged, "")) {
      _ = try FrameHeader(parsing: batch.span, at: vault.chain.offset, in: Generation(header: other))
    }
  }

  @Test func aFrameMovedWithItsChecksumsDoesNotOpen() throws {
    // Defends: offset and sequence are authenticated: an old frame can't stand in for a newer one.
    try vault.add(sealed: batch)
    let old = Array(vault.bytes[Int(vault.starts[1].offset)..<Int(vault.starts[1].offset) + second])
    var copy = old
    copy[7] = 1
    copy.put(vault.chain.sequence + 1, count: 8, at: 8)
    copy.put(vault.chain.offset, count: 8, at: 16)
    copy.replaceSubrange(40..<72, with: vault.chain.link.span.array)
    vault.repair(&copy, frameAt: 0)
    let judgement = try vault.judge(vault.bytes + copy)
    #expect(judgement == Judgement(end: vault.bytes.count, tail: .damage(.tailDamaged)))
  }

  @Test func onlyTheEndOfABatchVouchesForTheLinkBeforeIt() throws {
    // Defends: the rule for the additional data: the previous link is free in a frame inside a batch (the chain checks
    // it), and authenticated in the one that ends it.
    for (place, opens) in [(0, true), (second, false)] {
      var changed = batch
      changed[place + 41] ^= 1
      vault.repair(&changed, frameAt: place)
      let rest = changed.span.extracting(place..<changed.count)
      let header = try FrameHeader(parsing: rest, at: vault.chain.offset + UInt64(place), in: vault.generation)
      let frame = try Frame(header, in: rest)
      _ = try frame.checkedTrailer()
      if opens {
        try vault.open(frame)
      } else {
        #expect(throws: FormatError(.frameDamaged, "")) { try vault.open(frame) }
      }
    }
  }

  @Test func aTrailerHasTheLengthOfItsFrame() {
    // Defends: a trailer that is valid by itself, but of a longer or a shorter frame, ends none; nothing else covers that number.
    for change: UInt64 in [16, 160, UInt64(bitPattern: -16)] {
      var changed = batch
      let total = batch.number(at: batch.count - 16, count: 4) &+ change
      changed.put(total, count: 4, at: batch.count - 16)
      changed.put(~total, count: 4, at: batch.count - 4)
      #expect(refusal(changed) == .frameDamaged, "\(total)")
    }
  }

  @Test func trailersKeepToTheirBounds() {
    // Defends: what counts as a valid trailer, which needs no key and no checksum.
    func isTrailer(_ total: UInt64, _ distance: UInt64) -> Bool {
      var bytes = [UInt8](repeating: 0, count: 16)
      bytes.put(total, count: 4, at: 0)
      bytes.put(distance, count: 4, at: 4)
      bytes.put(~total, count: 4, at: 12)
      return FrameTrailer(parsing: bytes.span) != nil
    }
    #expect(isTrailer(144, 144) && isTrailer(1 << 26, 1 << 26) && isTrailer(144, 1 << 28))
    #expect(!isTrailer(128, 144) && !isTrailer(144, 128) && !isTrailer(160, 144) && !isTrailer(0, 0))
    #expect(!isTrailer(145, 160) && !isTrailer(144, 145) && !isTrailer((1 << 26) + 16, 1 << 28))
    #expect(!isTrailer(144, (1 << 28) + 16) && !isTrailer(1 << 31, 1 << 31) && !isTrailer(0xFFFF_FFF0, 0xFFFF_FFF0))
    #expect(FrameTrailer(parsing: [UInt8](repeating: 0, count: 15).span) == nil)
    for total in stride(from: 144, through: 8192, by: 16) { #expect(~UInt32(total) & 0xFF != 0, "its end is found") }
  }
}
