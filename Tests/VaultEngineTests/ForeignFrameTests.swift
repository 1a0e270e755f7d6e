import Testing
import VaultEngine
import VaultLaboratory

/// Frames that do not belong where they stand, with every checksum and link around them right: what somebody without a key can
/// do who may write the file.
@Suite struct ForeignFrameTests {
  /// What the reading gave instead of a value.
  private func code<Value>(_ result: Result<Value, VaultError>) -> VaultError.Code? {
    if case .failure(let error) = result { error.code } else { nil }
  }

  // Defends: a verification of a damaged vault says that, and not that the key is wrong, though what is left of its newest
  // checkpoint looks whole and holds only slots of others; so does an opening that goes over the whole file.
  @Test func damageIsNotAWrongKey() throws {
    let sample = try VaultSample.indexed(seed: 41)
    let first = try #require(sample.frames.firstIndex { $0.offset == sample.newest.checkpoint })
    var frames = sample.frames.map { sample.bytes[$0.range] }
    // The genesis ends a batch, and so parts the first slot, which is this key's, from the others.
    frames.insert(frames[2], at: first + 1)
    let file = try FrameFit.file(header: Array(sample.bytes[..<128]), frames)
    let reading = VaultReading.engine
    #expect(try reading.verify(file, nil).isDamaged)
    #expect(try reading.verify(file, 7).isDamaged)
    #expect(reading.code(of: file, key: 7, pin: sample.newest.pin)?.isDamage == true)
  }

  // Defends: a slot that its owner's key fits and that does not open is a finding of a verification; nothing is thrown.
  @Test func aSlotThatDoesNotOpenIsAFinding() throws {
    let sample = try VaultSample.fresh(seed: 42)
    var frames = sample.frames.map { Array(sample.bytes[$0.range]) }
    frames[0][88 + 80 + 24] ^= 1
    let file = try FrameFit.file(header: Array(sample.bytes[..<128]), frames.map { $0[...] })
    #expect(try VaultReading.engine.verify(file, nil).isDamaged == false)
    #expect(try VaultReading.engine.verify(file, 7).findings == [.slotDamaged])
  }

  // Defends: a record of a fork in the place of the one that the index means is damage, by name and in a list, and is not put
  // down to the index, whose damage harms nobody.
  @Test func aRecordOfAForkIsDamage() throws {
    let common = try SampleMaker(seed: 43)
    try common.commit([.put("alice", [1])])
    let files = try [UInt8(1), 2].map { (number) in
      let maker = try SampleMaker(copying: common, seed: 50 + UInt64(number))
      try maker.commit([.put("bob", [number])])
      try maker.addKey(8)
      return maker.sample("fork \(number)")
    }
    let frame = files[0].frames[4]
    var file = files[0].bytes
    file.replaceSubrange(frame.range, with: files[1].bytes[frame.range])
    let found = try VaultReading.engine.open(file, 7, ["alice", "bob"])
    #expect(try found.values["alice"]?.get() == [1])
    for code in [code(try #require(found.values["bob"])), code(found.contents)] {
      #expect(code?.isDamage == true && code != .indexDamaged)
    }
  }
}
