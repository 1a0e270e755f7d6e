import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// The table in memory against a dictionary.
@Suite struct TagTableTests {
  private func tag(_ random: inout SeededRandom) -> LookupTag { FixedBytes(random.array(12).span) }

  private func entry(_ tag: LookupTag, _ random: inout SeededRandom) -> IndexEntry {
    IndexEntry(
      tag: tag, offset: (random.next() >> 16) & ~15, isDeletion: random.next() & 1 == 0,
      authTagPrefix: FixedBytes(random.array(6).span))
  }

  // Defends: entries are found, replaced, removed and listed in order whatever the number of leaves, and every bit of an
  // entry comes back.
  @Test(arguments: [0, 1, 300, 20_000])
  func answersAsADictionary(count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    var table = TagTable()
    var model: [LookupTag: IndexEntry] = [:]
    for _ in 0..<count {
      let isKnown = random.next() % 4 == 0
      let tag = isKnown ? model.keys.first ?? tag(&random) : tag(&random)
      if random.next() % 5 == 0 {
        table.remove(tag)
        model[tag] = nil
      } else {
        let entry = entry(tag, &random)
        table.insert(entry)
        model[tag] = entry
      }
    }
    #expect(table.count == model.count)
    for (tag, entry) in model where table[tag] != entry { Issue.record("\(tag)") }
    #expect(table[tag(&random)] == nil)
    var listed: [IndexEntry] = []
    table.forEach { listed.append($0) }
    #expect(listed == model.values.sorted { $0.tag.precedes($1.tag) })
  }

  // Defends: many entries at once do what they do one by one, whether a leaf gets one of them or many: each replaces what has its
  // tag, or removes it, and a copy from before stays as it was.
  @Test(arguments: [1, 20, 3000], [true, false])
  func manyAtOnce(count: Int, removing: Bool) {
    var random = SeededRandom(seed: UInt64(count))
    var table = TagTable()
    var model: [LookupTag: IndexEntry] = [:]
    var known: [LookupTag] = []
    for round in 0..<12 {
      var batch: [LookupTag: IndexEntry] = [:]
      for _ in 0..<(round % 3 == 2 ? count / 20 + 1 : count) {
        let isKnown = random.next() % 3 == 0 && !known.isEmpty
        let tag = isKnown ? known[Int(random.next() % UInt64(known.count))] : tag(&random)
        batch[tag] = entry(tag, &random)
      }
      let (before, modelBefore) = (table, model)
      let sorted = batch.values.sorted { $0.tag.precedes($1.tag) }
      var visited: [IndexEntry?] = []
      var numbers: [Int] = []
      table.merge(sorted, removingDeletions: removing) { (number, before) in
        numbers.append(number)
        visited.append(before)
      }
      #expect(numbers == Array(sorted.indices) && visited == sorted.map { model[$0.tag] })
      for (tag, entry) in batch { model[tag] = removing && entry.isDeletion ? nil : entry }
      known += batch.keys.sorted { $0.precedes($1) }
      #expect(table.count == model.count)
      #expect(table.entries == model.values.sorted { $0.tag.precedes($1.tag) })
      #expect(before.entries == modelBefore.values.sorted { $0.tag.precedes($1.tag) })
      for (tag, entry) in model where table[tag] != entry { Issue.record("\(tag)") }
    }
  }

  // Defends: entries come in the order of their tags, those of one tag in the order in which they were written, whether tags are
  // many or few, spread evenly or alike in their first bytes; and a run has of each the last.
  @Test(arguments: [0, 1, 2, 3, 17, 600, 4096, 5000])
  func orderOfTags(count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    for alike in count < 1000 ? [0, 8, 11] : [0] {
      let tags = (0..<count / 2 + 1).map { _ -> LookupTag in
        FixedBytes((Array(repeating: 0x80, count: alike) + random.array(12 - alike)).span)
      }
      let entries = (0..<count).map { _ in entry(tags[Int(random.next() % UInt64(tags.count))], &random) }
      let expected = entries.indices.sorted {
        entries[$0].tag == entries[$1].tag ? $0 < $1 : entries[$0].tag.precedes(entries[$1].tag)
      }
      #expect(RunMerge.order(of: entries) == expected)
      var newest: [LookupTag: IndexEntry] = [:]
      for entry in entries { newest[entry.tag] = entry }
      let run = newest.values.sorted { $0.tag.precedes($1.tag) }
      #expect(RunMerge.run(of: entries) == run)
      #expect(RunMerge.run(of: run) == run)
    }
  }

  // Defends: tags that share their first bytes, as somebody who chooses names can't make them but chance may, are told apart.
  @Test func tagsWithTheSameBeginning() {
    var random = SeededRandom(seed: 3)
    var table = TagTable(expecting: 5000)
    let tags = (0..<600).map { (number) in
      FixedBytes<12>(
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, UInt8(number >> 8), UInt8(number & 255)].span)
    }
    let entries = tags.map { entry($0, &random) }
    for entry in entries.shuffled(using: &random) { table.insert(entry) }
    #expect(tags.map { table[$0] } == entries)
  }

  // Defends: a copy does not change with the original, on which snapshots rest.
  @Test func aCopyStays() {
    var random = SeededRandom(seed: 5)
    var table = TagTable()
    var copies: [(table: TagTable, count: Int, newest: IndexEntry)] = []
    for _ in 0..<2000 {
      let entry = entry(tag(&random), &random)
      table.insert(entry)
      if random.next() % 100 == 0 { copies.append((table, table.count, entry)) }
    }
    for (copy, count, newest) in copies {
      var found = 0
      copy.forEach { _ in found += 1 }
      #expect(copy.count == count && found == count && copy[newest.tag] == newest)
    }
  }
}
