import Testing
import VaultCrypto
import VaultFormat

@Suite struct IndexPageTests {
  private let canonical = Canonical(
    codes: [.indexDamaged], parse: { try IndexPage(parsing: $0) }, serialize: { $0.plaintext() })

  @Test(arguments: [0, 1, 3, 164]) func aPageHasOneForm(count: Int) throws {
    // Defends: round trip of empty and full pages, 3952 bytes each.
    let page = Samples.page(entries: count)
    let bytes = page.plaintext()
    #expect(bytes.count == 3952)
    #expect(try IndexPage(parsing: bytes.span) == page)
  }

  @Test func everyFlippedBitIsRefusedOrMeansItself() {
    // Defends: there is one way to write a page, and every other byte string is index-damaged.
    let bytes = Samples.page(entries: 3).plaintext()
    for bit in 0..<bytes.count * 8 { canonical.refuses(bytes.flipping(bit: bit), "bit \(bit)") }
    for count in stride(from: 0, to: bytes.count, by: 7) { canonical.refuses(Array(bytes.prefix(count)), "\(count)") }
    #expect(canonical.refuses(bytes + [UInt8](repeating: 0, count: 16), "too long"))
    var random = SplitMix64(seed: 3)
    for round in 0..<50 { canonical.refuses(random.array(3952), "noise, seed 3, round \(round)") }
  }

  @Test func entriesKeepToTheirBounds() {
    // Defends: at most 164 entries, tags strictly ascending, offsets of frames.
    func refused(_ number: UInt64, count: Int, at place: Int) -> Bool {
      var bytes = Samples.page(entries: 164).plaintext()
      bytes.put(number, count: count, at: place)
      return canonical.refuses(bytes, "\(number) at \(place)")
    }
    for count: UInt64 in [165, 163, 0, 0xFFFF] { #expect(refused(count, count: 2, at: 12)) }
    #expect(refused(1, count: 2, at: 14))
    #expect(refused(0, count: 4, at: 16 + 24), "the tag of the entry before")
    #expect(refused(0xFFFF_FFFF, count: 4, at: 16), "a tag above the next")
    for offset: UInt64 in [0, 1, 112, 130, 136] { #expect(refused(offset, count: 6, at: 28), "offset \(offset)") }
    for offset: UInt64 in [128, 129, 0xFFFF_FFFF_FFF0, 0xFFFF_FFFF_FFF1] { #expect(!refused(offset, count: 6, at: 28)) }
  }

  @Test func theTagSaysThePage() {
    // Defends: floor(first 32 bits * P / 2^32), at both ends and between, for small and the largest P.
    func page(_ tag: UInt64, _ pages: UInt32) -> UInt32 {
      var bytes = [UInt8](repeating: 0xFF, count: 12)
      bytes.put(tag, count: 4, at: 0)
      return IndexPage.number(of: FixedBytes(bytes.span), pages: pages)
    }
    for pages: UInt32 in [1, 2, 3, 1000, 1 << 31, .max] {
      #expect(page(0, pages) == 0)
      #expect(page(0xFFFF_FFFF, pages) == pages - 1)
    }
    #expect(page(0x7FFF_FFFF, 2) == 0 && page(0x8000_0000, 2) == 1)
    #expect(page(0x5555_5555, 3) == 0 && page(0x5555_5556, 3) == 1 && page(0xAAAA_AAAB, 3) == 2)
    #expect(page(0x8000_0000, 1000) == 500 && page(0x8000_0000, .max) == 0x7FFF_FFFF)
  }

  // A spread of 2^32 is what tags have; a narrower one crowds most of them onto few pages.
  @Test(arguments: [1, 164, 165, 700, 5000], [UInt64(1) << 32, 1 << 26])
  func aRunHasNoMorePagesThanItNeeds(count: Int, spread: UInt64) {
    // Defends: the smallest number of pages on which none has more than 164 entries, as counting them for each number says.
    var random = SplitMix64(seed: UInt64(count))
    let heads = (0..<count).map { _ in UInt32(random.next() % spread) }.sorted()
    let entries = heads.enumerated().map { (number, head) in
      var bytes = [UInt8](repeating: 0, count: 12)
      bytes.put(UInt64(head), count: 4, at: 0)
      bytes.put(UInt64(number), count: 8, at: 4)
      return IndexEntry(tag: FixedBytes(bytes.span), offset: 128, isDeletion: false, authTagPrefix: FixedBytes())
    }
    let pages = IndexPage.count(for: entries)
    func most(on pages: UInt32) -> Int {
      var counts: [UInt64: Int] = [:]
      for head in heads { counts[(UInt64(head) * UInt64(pages)) >> 32, default: 0] += 1 }
      return counts.values.max() ?? 0
    }
    #expect(most(on: pages) <= 164)
    let least = UInt32((count + 163) / 164)
    #expect(pages >= least)
    for fewer in max(least, pages - min(pages, 300))..<pages where most(on: fewer) <= 164 { Issue.record("\(fewer)") }
  }
}
