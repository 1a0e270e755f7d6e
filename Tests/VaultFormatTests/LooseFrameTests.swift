import Testing
import VaultCrypto
import VaultFormat

/// Frames of a batch that are sealed apart from each other.
@Suite struct LooseFrameTests {
  private let vault: SmallVault

  init() throws { vault = try SmallVault(seed: 11) }

  private func plaintexts() throws -> [[UInt8]] {
    try (1...9).map { (number) in
      let value = [UInt8](repeating: UInt8(number), count: number * 20)
      let record = Record(
        .put, time: 5, version: UInt64(number), previous: 0, nameLength: 4, valueLength: value.count)
      let plaintext = try record.plaintext(name: Array("name".utf8).span, value: value.span, padding: 32)
      return plaintext.span.array
    }
  }

  // Defends: frames that are sealed in pieces and linked afterwards are, to the byte, those that are sealed one after the other.
  @Test(arguments: [[8], [1, 7], [3, 1, 4], []])
  func theSameBytes(pieces: [Int]) throws {
    let plaintexts = try plaintexts()
    var key = try vault.dataKey.cipher()
    var random = SplitMix64(seed: 12)
    var whole = try BatchEncoder(after: vault.chain, in: vault.generation)
    var expected: [FixedBytes<16>] = []
    for (number, plaintext) in plaintexts.enumerated() {
      let last = number == plaintexts.count - 1
      expected.append(
        try whole.append(.record, term: 1, plaintext: plaintext.span, key: &key, random: &random, last: last))
    }

    random = SplitMix64(seed: 12)
    var encoder = try BatchEncoder(after: vault.chain, in: vault.generation)
    var place = encoder.place
    var tags: [FixedBytes<16>] = []
    var next = 0
    var all: [LooseFrames] = []
    for count in pieces {
      var frames = LooseFrames(at: place, term: 1, in: vault.generation, capacity: 0)
      for plaintext in plaintexts[next..<next + count] {
        let nonce = random.array(LooseFrames.nonceLength)
        try frames.append(plaintext.span, key: &key, nonce: nonce.span)
        place.advance(over: Frame.overhead + plaintext.count)
      }
      all.append(frames)
      next += count
    }
    for frames in all { tags += try encoder.append(frames) }
    for (number, plaintext) in plaintexts.enumerated().dropFirst(next) {
      let last = number == plaintexts.count - 1
      tags.append(
        try encoder.append(.record, term: 1, plaintext: plaintext.span, key: &key, random: &random, last: last))
    }
    #expect(encoder.bytes == whole.bytes)
    #expect(tags == expected)
    let end = try encoder.end()
    #expect(try SmallVault.accept(encoder.bytes, after: vault.chain, in: vault.generation) == end)
  }

  // Defends: a batch whose frames a reader would refuse has no end.
  @Test func aBatchOutOfOrder() throws {
    var key = try vault.dataKey.cipher()
    var random = SplitMix64(seed: 13)
    var batch = try BatchEncoder(after: vault.chain, in: vault.generation)
    let plaintext = try plaintexts()[0]
    try batch.append(.record, term: 1, plaintext: plaintext.span, key: &key, random: &random, last: false)
    let genesis = Samples.genesis.plaintext()
    try batch.append(.genesis, plaintext: genesis.span, key: &key, random: &random, last: false)
    try batch.append(.record, term: 1, plaintext: plaintext.span, key: &key, random: &random, last: true)
    var refused: FormatError?
    do {
      _ = try batch.end()
    } catch {
      refused = error
    }
    #expect(refused?.code == .chainBroken && refused?.sequence == vault.chain.sequence + 2)
  }
}
