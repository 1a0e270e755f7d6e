import Glibc
import Testing
import VaultCrypto
import VaultFormat

/// The crash contract: each aligned sector of the last append holds its new content or its old, and the file may be shorter.
@Suite struct TailCrashTests {
  private typealias Piece = SmallVault.Piece

  /// Judges every crash image of `pieces` appended behind byte `remainder` of a sector.
  private func crash(_ pieces: [Piece], at remainder: Int, keys: SmallVault.Keys, ahead: Int) throws {
    let vault = try SmallVault(seed: UInt64(remainder) + 5)
    try vault.align(to: remainder)
    let batch = try vault.seal(pieces)
    let end = vault.bytes.count
    let first = end / 512
    let sectors = (end + batch.count - 1) / 512 - first + 1
    var random = SplitMix64(seed: UInt64(remainder))
    for subset in 0..<1 << min(sectors, 10) {
      var tail = batch + [UInt8](repeating: 0, count: ahead)
      for index in batch.indices {
        let sector = (end + index) / 512 - first
        if subset >> min(sector, 9) & 1 == 0 { tail[index] = 0 }
      }
      try expect(vault, tail, batch, keys, "subset \(subset) at \(remainder)")
      let cut = Array(tail.prefix(random.below(tail.count)))
      try expect(vault, cut, batch, keys, "subset \(subset) at \(remainder), cut to \(cut.count)")
    }
  }

  private func expect(
    _ vault: SmallVault, _ tail: [UInt8], _ batch: [UInt8], _ keys: SmallVault.Keys, _ comment: Comment
  ) throws {
    let isWhole = tail.count >= batch.count && Array(tail.prefix(batch.count)) == batch
    let end = vault.bytes.count + (isWhole ? batch.count : 0)
    let isClean = isWhole || tail.allSatisfy { $0 == 0 }
    #expect(
      try vault.judge(vault.bytes + tail, keys: keys) == Judgement(end: end, tail: isClean ? .clean : .torn), comment)
  }

  @Test(arguments: (0..<32).map { $0 * 16 }) func everySubsetOfSectorsIsTorn(remainder: Int) throws {
    // Defends: whatever sectors of an append a crash keeps, the vault opens, at every place in a sector.
    try crash([.put(200), .put(90), .put(1000), .put(20)], at: remainder, keys: .all, ahead: 0)
    try crash([.put(1)], at: remainder, keys: .none, ahead: 700)
    try crash([.put(1), .other(0x80), .put(1), .put(1), .put(1)], at: remainder, keys: .none, ahead: 1000)
  }

  @Test(arguments: [0, 16, 432, 496]) func everySubsetOfACheckpointIsTorn(remainder: Int) throws {
    // Defends: the same of checkpoints, with slots and data keys, and of pages longer than a sector.
    try crash([.slot, .dataKey, .anchor, .root], at: remainder, keys: .all, ahead: 0)
    try crash([.slot, .slot, .dataKey, .anchor, .page, .root], at: remainder, keys: .all, ahead: 512)
    try crash([.page, .page], at: remainder, keys: .none, ahead: 100)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>) func otherContentIsNeverTakenForRight(seed: UInt64) throws {
    // Defends: noise in place of sectors gives damage or a torn tail, and never a batch that was not written.
    var random = SplitMix64(seed: seed)
    for round in 0..<60 {
      let vault = try SmallVault(seed: random.next())
      try vault.align(to: random.below(32) * 16)
      let batch = try vault.seal([.put(random.below(900) + 1), .put(90), .put(random.below(900) + 1)])
      let end = vault.bytes.count
      for _ in 0..<5 {
        var tail = batch
        for sector in end / 512...(end + batch.count - 1) / 512 where random.below(2) == 0 {
          let noise = random.array(512)
          for index in max(0, sector * 512 - end)..<min(batch.count, sector * 512 + 512 - end) {
            tail[index] = noise[(end + index) % 512]
          }
        }
        let judgement = try vault.judge(vault.bytes + tail)
        #expect(judgement.end == (tail == batch ? end + batch.count : end), "seed \(seed), round \(round)")
      }
    }
  }

  @Test(arguments: 1...16 as ClosedRange<UInt64>) func noChangeIsEverTakenForRight(seed: UInt64) throws {
    // Defends: after any mixture of changes, what is read is a prefix of what was written, byte for byte; nothing traps.
    var random = SplitMix64(seed: seed)
    let vault = try SmallVault(seed: seed)
    try vault.add([.put(300), .put(2)])
    try vault.add(SmallVault.checkpoint)
    try vault.add([.put(77)])
    try vault.add([.put(5), .other(0xC0), .put(1200)])
    let ends = vault.starts.map { Int($0.offset) }
    let frames = vault.frames(from: vault.starts[0], to: vault.chain)
    for round in 0..<150 {
      var file = vault.bytes
      for _ in 0...random.below(3) { mutate(&file, frames, vault, &random) }
      for keys in [SmallVault.Keys.all, .noRecords] {
        let judgement = try vault.judge(file, keys: keys)
        guard judgement.end > 128 || judgement.isDamage else {
          Issue.record("seed \(seed), round \(round): \(judgement)")
          continue
        }
        // Without the records' key the frames of a batch are taken unopened.
        if keys == .all {
          #expect(ends.contains(judgement.end), "seed \(seed), round \(round)")
          #expect(file.prefix(judgement.end) == vault.bytes.prefix(judgement.end), "seed \(seed), round \(round)")
        }
      }
    }
  }

  @Test(arguments: [0, 1024]) func aHostileTailTakesLinearTime(hole: Int) throws {
    // Defends: headers at every place where they fit, valid or nearly, in a tail of 2 MiB: were any rule quadratic, this would
    // take hours. It takes a third of a second; what it waits for other tests does not count.
    let start = Self.processorSeconds
    let vault = try SmallVault()
    let base = vault.bytes.count
    var syncs = [UInt8](repeating: 0xF5, count: 2 << 20)
    for place in stride(from: 0, to: syncs.count, by: 16) {
      syncs.replaceSubrange(place..<place + 4, with: FrameHeader.sync)
    }
    for place in stride(from: 0, to: syncs.count - 32, by: 32) {
      syncs.put(UInt64(base + place), count: 8, at: place + 16)
    }
    var headers = [UInt8](repeating: 0x55, count: 2 << 20)
    let template = try vault.seal([.put(1), .put(1)]).prefix(FrameHeader.length)
    for (position, place) in stride(from: hole, to: headers.count - 96, by: 96).enumerated() where position < 65_536 {
      headers.replaceSubrange(place..<place + template.count, with: template)
      headers.put(vault.chain.sequence + 1 + UInt64(position), count: 8, at: place + 8)
      headers.put(UInt64(base + place), count: 8, at: place + 16)
      headers.put(UInt64(position), count: 4, at: place + 24)
      vault.repairHeader(&headers, at: place)
    }
    for (tail, isTorn) in [(syncs, hole > 0), (headers, false)] {
      let zeroed = [UInt8](repeating: 0, count: hole) + tail.dropFirst(hole)
      let judgement = try vault.judge(vault.bytes + zeroed, keys: .none)
      #expect(judgement.tail == (isTorn ? .torn : .damage(.tailDamaged)))
    }
    #expect(Self.processorSeconds - start < 60)
  }

  /// What this thread has had of a processor.
  private static var processorSeconds: Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec
  }

  /// Changes `file` somewhere behind its header, and at times makes the checksums of a frame right.
  private func mutate(_ file: inout [UInt8], _ frames: [Int], _ vault: SmallVault, _ random: inout SplitMix64) {
    guard file.count > 400 else { return }
    let place = 128 + random.below(file.count - 128)
    let count = min(file.count - place, [1, 16, 88, 512, 4096][random.below(5)])
    switch random.below(9) {
    case 0: file[place] ^= 1 << UInt8(random.below(8))
    case 1: file.removeLast(file.count - place)
    case 2: for index in place..<place + count { file[index] = 0 }
    case 3: file.replaceSubrange(place..<place + count, with: random.array(count))
    case 4: file.insert(contentsOf: [UInt8](repeating: 0, count: count), at: place)
    case 5: file.removeSubrange(place..<place + count)
    case 6:
      // A frame, or several, over or between others.
      let source = frames[random.below(frames.count)]
      let copy = Array(vault.bytes[source..<min(source + count, vault.bytes.count)])
      let target = min(frames[random.below(frames.count)], file.count)
      file.replaceSubrange(target..<min(target + copy.count * random.below(2), file.count), with: copy)
    case 7: file += [UInt8](repeating: 0, count: count)
    default:
      let frame = frames[random.below(frames.count)]
      guard frame + 88 <= file.count else { return }
      let field = [4, 5, 6, 8, 16, 24, 28, 32, 36, 40, 72, 80][random.below(12)]
      file[frame + field + random.below(4)] ^= UInt8(random.below(256))
      vault.repair(&file, frameAt: frame)
    }
  }
}
