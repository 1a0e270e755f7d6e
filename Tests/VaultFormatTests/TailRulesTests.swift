import Testing
import VaultCrypto
import VaultFormat

@Suite struct TailRulesTests {
  private let vault: SmallVault
  /// Three frames that would come next.
  private let batch: [UInt8]
  private let second: Int
  private let third: Int

  private var file: [UInt8] { vault.bytes }
  private var end: Int { vault.bytes.count }

  init() throws {
    vault = try SmallVault()
    try vault.add([.put(100)])
    try vault.align(to: 48)
    batch = try vault.seal([.put(200), .put(90), .put(300)])
    let total = { (bytes: [UInt8], place: Int) in Frame.overhead + Int(bytes.number(at: place + 36, count: 4)) }
    second = total(batch, 0)
    third = second + total(batch, second)
  }

  private func judge(_ tail: [UInt8], keys: SmallVault.Keys = .all) throws -> Judgement.Tail {
    let judgement = try vault.judge(file + tail, keys: keys)
    #expect(judgement.end == end)
    return judgement.tail
  }

  private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  @Test(arguments: [0, 1, 15, 16, 87, 88, 463, 464, 512, 5000]) func zerosAreNoTail(count: Int) throws {
    // Defends: T0: space allocated ahead is nothing, however much of it there is.
    #expect(try judge(zeros(count)) == .clean)
  }

  @Test func aFirstBatchThatIsNotWholeIsDamage() throws {
    // Defends: T0: a file is made under another name, so its founding batch is never torn and never missing.
    let founding = Int(vault.starts[1].offset)
    for count in FileHeader.length..<founding {
      let cut = Array(file.prefix(count))
      for tail in [0, 1000] {
        let judgement = try vault.judge(cut + zeros(tail))
        #expect(judgement.end == FileHeader.length && judgement.isDamage, "cut to \(count): \(judgement)")
      }
    }
    #expect(try vault.judge(Array(file.prefix(founding))) == Judgement(end: founding, tail: .clean))
  }

  @Test(arguments: (0..<32).map { $0 * 16 }) func aCutIsNeverDamage(remainder: Int) throws {
    // Defends: an append that was cut at any byte is torn (or never begun), wherever in a sector it began.
    let vault = try SmallVault(seed: 2)
    try vault.align(to: remainder)
    let batch = try vault.seal([.put(200), .put(90), .put(300)])
    let end = vault.bytes.count
    #expect(end % 512 == remainder)
    for count in 0..<batch.count {
      let expected = Judgement(end: end, tail: count == 0 ? .clean : .torn)
      #expect(try vault.judge(vault.bytes + batch.prefix(count)) == expected, "cut to \(count)")
    }
    let whole = Judgement(end: end + batch.count, tail: .clean)
    #expect(try vault.judge(vault.bytes + batch) == whole)
    #expect(try vault.judge(vault.bytes + batch + zeros(100)) == whole)
  }

  @Test func aCutOfTheFileFallsBackToTheBatchBefore() throws {
    // Defends: every truncation of a file behind its founding batch gives a prefix of its batches and is never damage.
    let vault = try SmallVault(seed: 3)
    try vault.add([.put(10), .put(600)])
    try vault.add([.slot, .dataKey, .anchor, .root])
    try vault.add([.put(1)])
    try vault.add([.other(0x80)])
    let ends = vault.starts.map { Int($0.offset) }
    for count in ends[1]...vault.bytes.count {
      let end = ends.last(where: { $0 <= count }) ?? 0
      let expected = Judgement(end: end, tail: end == count ? .clean : .torn)
      #expect(try vault.judge(Array(vault.bytes.prefix(count))) == expected, "cut to \(count)")
    }
  }

  @Test func aWholeBatchThatIsNoneIsDamage() throws {
    // Defends: T3: frames that are whole to the last, open, and are of no order that a batch may have, were not torn by a crash.
    for pieces in [[SmallVault.Piece.anchor], [.dataKey], [.slot, .anchor, .root], [.put(9), .page]] {
      #expect(try judge(vault.seal(pieces)) == .damage(.tailDamaged), "\(pieces)")
    }
  }

  @Test func aLaterBatchProvesTheOneBefore() throws {
    // Defends: T1: damage before a batch is never taken for a torn tail, nor are zeroed sectors.
    let before = Int(vault.starts[1].offset)
    for bit in before * 8..<(before + 280) * 8 {
      let judgement = try vault.judge((file + batch).flipping(bit: bit))
      #expect(judgement == Judgement(end: before, tail: .damage(.frameDamaged)), "bit \(bit)")
    }
    for sector in before / 512..<(file.count / 512) {
      var changed = file + batch
      for index in max(sector * 512, before)..<sector * 512 + 512 { changed[index] = 0 }
      #expect(try vault.judge(changed).isDamage, "sector \(sector)")
    }
    // The later batch's trailer alone is enough.
    var changed = file + batch
    let last = changed.count - 16
    for index in before..<last { changed[index] = 0 }
    #expect(try vault.judge(changed) == Judgement(end: before, tail: .damage(.frameDamaged)))
  }

  @Test func theHeaderOfALaterBatchIsEnough() throws {
    // Defends: T1: where nothing is left of a batch but zeros, the first header of the one behind it shows that it was whole.
    let before = Int(vault.starts[1].offset)
    var changed = Array((file + batch).prefix(end + FrameHeader.length))
    for index in before..<end { changed[index] = 0 }
    #expect(try vault.judge(changed) == Judgement(end: before, tail: .damage(.frameDamaged)))
  }

  @Test func aHeaderThatCantBeRightIsNotTorn() throws {
    // Defends: T3: a header whose checksum fits, and which no writer makes, is damage, though the file ends in its frame: its type,
    // suite, flags and each length.
    let cut = 300
    #expect(cut < second)
    #expect(try judge(Array(batch.prefix(cut))) == .torn)
    let sealed = batch.number(at: 36, count: 4)
    let fields: [(place: Int, count: Int, values: [UInt64])] = [
      (4, 1, [0, 8, 0x7F]), (5, 1, [0, 2, 0xFF]), (6, 2, [2, 0x8000]), (32, 4, [16, 80, 128]),
      (36, 4, [0, sealed + 1, sealed + 8, (1 << 26) - UInt64(Frame.overhead) + 16, 1 << 31]),
    ]
    for field in fields {
      for value in field.values {
        var changed = Array(batch.prefix(cut))
        changed.put(value, count: field.count, at: field.place)
        vault.repairHeader(&changed, at: 0)
        for keys in [SmallVault.Keys.all, .none] {
          #expect(try judge(changed, keys: keys) == .damage(.tailDamaged), "\(value) at \(field.place)")
        }
      }
    }
  }

  @Test func aWholeFrameBehindAHoleHasItsChecksum() throws {
    // Defends: T3 (c): a hole excuses the frames that it touches and no other: the last frame's trailer, which no key covers, is
    // looked at all the same.
    #expect(third > 464)
    let torn = zeros(464) + batch.dropFirst(464)
    #expect(try judge(torn) == .torn)
    for place in batch.count - 8..<batch.count - 4 {
      for keys in [SmallVault.Keys.all, .none] {
        #expect(try judge(torn.flipping(bit: place * 8 + 3), keys: keys) == .damage(.tailDamaged), "byte \(place)")
      }
    }
  }

  @Test func nothingStandsBehindTheEndOfATornBatch() throws {
    // Defends: T2: a byte behind the end of a batch was written after it was whole.
    var tail = batch + zeros(600)
    tail[100] ^= 1
    for index in [batch.count, batch.count + 15, batch.count + 599] {
      var changed = tail
      changed[index] = 1
      #expect(try judge(changed) == .damage(.frameDamaged), "byte \(index)")
    }
  }

  @Test func aFlippedBitInAWholeBatchIsDamage() throws {
    // Defends: T3: without evidence of a crash no changed bit makes an acknowledged batch look torn, with keys or without.
    for bit in 0..<batch.count * 8 {
      for keys in [SmallVault.Keys.all, .none] {
        let tail = try judge(batch.flipping(bit: bit), keys: keys)
        // A distance that names another start of the batch is T1, which reports what the walk failed of.
        #expect(tail == .damage(.tailDamaged) || tail == .damage(.frameDamaged), "bit \(bit): \(tail)")
      }
    }
  }

  @Test func aFlippedBitWithItsChecksumsIsDamage() throws {
    // Defends: T3 (c): a whole frame in the tail must open.
    for (place, length) in [(0, second), (second, third - second), (third, batch.count - third)] {
      for bit in place * 8..<(place + length) * 8 {
        var changed = batch.flipping(bit: bit)
        vault.repair(&changed, frameAt: place, length: length)
        if changed == batch { continue }
        let tail = try judge(changed)
        if case .damage = tail { continue }
        Issue.record("bit \(bit): \(tail)")
      }
    }
  }

  @Test func aChangedLengthIsDamage() throws {
    // Defends: T4: a header whose length was changed hides nothing that lies inside its stated extent.
    let frames = [(0, second), (second, third - second), (third, batch.count - third)]
    for (place, length) in frames {
      for change in [-64, -16, 16, 64, 256, 1000 * 16, 1 << 20] {
        var changed = batch
        changed.put(UInt64(length - Frame.overhead + change), count: 4, at: place + 36)
        vault.repairHeader(&changed, at: place)
        let tail = try judge(changed)
        // A length too small in the last frame leaves its own trailer behind the end: T2.
        #expect(tail == .damage(change < 0 && place == third ? .frameDamaged : .tailDamaged), "\(place) \(change)")
        // Even with a hole somewhere behind it.
        for index in 0..<changed.count where (end + index) / 512 == (end + third) / 512 { changed[index] = 0 }
        if place + 88 < (end + third) / 512 * 512 - end, change > 0 {
          let torn = try judge(changed)
          #expect(torn != .clean)
          if place + length <= (end + third) / 512 * 512 - end { #expect(torn == .damage(.tailDamaged)) }
        }
      }
    }
  }

  @Test func aMissingKeyIsExcusedOnlyAfterEvidence() throws {
    // Defends: T3 (c): the term's key may have been lost with a sector before, and for no other reason.
    var flipped = batch
    flipped[batch.count - 12] ^= 0x80
    #expect(try judge(flipped, keys: .noRecords) == .damage(.tailDamaged))
    let holeFirst = zeros(464) + batch.dropFirst(464)
    #expect(try judge(holeFirst, keys: .noRecords) == .torn)
    #expect(try judge(holeFirst) == .torn)
    // The hole comes after a whole frame that does not open for want of a key.
    let holeLast = batch.prefix(464) + zeros(batch.count - 464)
    #expect(second < 464)
    #expect(try judge(Array(holeLast)) == .torn)
    #expect(try judge(Array(holeLast), keys: .noRecords) == .damage(.tailDamaged))
  }

  @Test func aByteInTheZeroRunIsATornTail() throws {
    // Defends: a lone byte in the space allocated ahead loses nothing; in the very sector of the end it can't be told
    // from a batch that was damaged.
    for count in [2000, 4096] {
      for index in stride(from: 0, to: count, by: 37) {
        var tail = zeros(count)
        tail[index] = 0x40
        #expect(try judge(tail) == (index < 464 ? .damage(.tailDamaged) : .torn), "byte \(index)")
      }
    }
  }

  @Test func whatIsNoHeaderNeedsAHole() throws {
    // Defends: T3 (a) and (b): noise behind the end is damage, long or short, unless a whole sector is missing in it.
    var random = SplitMix64(seed: 9)
    for count in [1, 4, 5, 16, 87, 88, 300, 2000] {
      var noise = random.array(count)
      noise[0] = 1
      #expect(try judge(noise) == .damage(.tailDamaged), "\(count) bytes")
      #expect(try judge(zeros(464) + noise) == .torn, "\(count) bytes behind a hole")
    }
    for count in 1...4 { #expect(try judge(Array(FrameHeader.sync.prefix(count))) == .torn) }
    #expect(try judge([0xF5, 0x54, 0x56, 0x47]) == .damage(.tailDamaged))
  }

  @Test func aFrameOfAnotherBatchPositionIsDamage() throws {
    // Defends: T3 (c): frames of a torn batch follow each other, in position and link, as long as they are whole.
    #expect(try judge(Array(batch.dropFirst(second))).isDamage)
    var changed = batch
    changed[second + 40] ^= 1
    vault.repair(&changed, frameAt: second)
    #expect(try judge(changed, keys: .none) == .damage(.tailDamaged))
    // The same with a hole behind it, which alone would be a torn tail.
    #expect(third < 976 && 976 < batch.count)
    let hole = zeros(batch.count - 976)
    #expect(try judge(batch.prefix(976) + hole, keys: .none) == .torn)
    #expect(try judge(changed.prefix(976) + hole, keys: .none) == .damage(.tailDamaged))
  }

  @Test func noPositionOverflows() throws {
    // Defends: the largest position, in a frame behind a hole that no key is asked for, is damage and not a trap.
    let place = 464
    var changed = zeros(place) + batch.dropFirst(place)
    changed.replaceSubrange(place..<place + second, with: batch.prefix(second))
    for position: UInt64 in [0xFFFF_FFFF, 65_536, 0x8000_0000] {
      changed.put(position, count: 4, at: place + 24)
      changed.put(vault.chain.sequence + 1 + position, count: 8, at: place + 8)
      changed.put(vault.chain.offset + UInt64(place), count: 8, at: place + 16)
      changed.put(UInt64(place + second), count: 4, at: place + second - 12)
      vault.repair(&changed, frameAt: place)
      #expect(try judge(Array(changed.prefix(place + second)), keys: .none) == .damage(.tailDamaged))
    }
  }
}

extension Judgement.Tail {
  fileprivate var isDamage: Bool {
    if case .damage = self { return true }
    return false
  }
}
