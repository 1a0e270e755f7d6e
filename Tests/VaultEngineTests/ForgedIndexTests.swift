import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Indexes that somebody with the keys has made, sealed and linked as they should be, which don't tell the truth.
@Suite struct ForgedIndexTests {
  /// A vault with some names, a deletion and an event before a checkpoint, taken apart.
  private struct Sample {
    let forge: Forge
    let contents: Contents
    /// Number of the one page among the frames.
    let page: Int
    /// Where a deletion stands, and the beginning of its frame's tag.
    let deletion: (offset: UInt64, tag: FixedBytes<6>)

    init() throws {
      let maker = try SampleMaker(seed: 141)
      try maker.commit(VaultSample.mixedCommits)
      try maker.commit([.put("dora", [7]), .put("erin", [8]), .delete("dora")])
      try maker.addKey(8)
      let sample = maker.sample("indexed")
      contents = sample.newest.contents
      forge = try Forge(sample.bytes, key: 7)
      page = try #require(forge.frames.lastIndex { $0.type == 5 })
      // The last record of the last commit.
      let record = try #require(sample.frames.last { $0.type == 1 })
      let tag = record.offset + FrameHeader.length + 24
      deletion = (UInt64(record.offset), FixedBytes(sample.bytes.span.extracting(tag..<tag + 6)))
    }

    /// The vault with other entries on its page.
    func file(_ change: ([IndexEntry]) -> [IndexEntry]) throws -> [UInt8] {
      var frames = forge.frames
      let content = frames[page].content
      let old = try IndexPage(parsing: content.span)
      frames[page].content =
        IndexPage(run: old.run, number: old.number, entries: change(old.entries)).plaintext()
      return try forge.file(frames)
    }
  }

  private static func moved(_ entry: IndexEntry, to other: (offset: UInt64, tag: FixedBytes<6>)) -> IndexEntry {
    IndexEntry(tag: entry.tag, offset: other.offset, isDeletion: false, authTagPrefix: other.tag)
  }

  /// Reads each name by the index alone, and then as everybody does.
  private static func check(_ sample: Sample, _ file: [UInt8], lies: Int) throws {
    let view = try Opening.view(of: BytesFile(file), with: key())
    #expect(!view.isWhole)
    var found = 0
    for (name, value) in sample.contents {
      do throws(VaultError) {
        guard let entry = try view.entry(named: name.bytes.span) else {
          Issue.record("\(name) is not found")
          continue
        }
        let read = Array(entry.value)
        #expect(read == value)
      } catch {
        #expect(error.code == .indexDamaged)
        found += 1
      }
    }
    #expect(found == lies)
    let vault = try Vault.open(
      Environment.simulated(SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: file])), seed: 1),
      credential: key(), options: .reading)
    for (name, value) in sample.contents { #expect(try vault.value(of: name) == value) }
    #expect(try VaultReading.engine.verify(file, 7).findings == [.indexDamaged])
  }

  // Defends: an index that gives one name the record of another is not believed: neither gets the other's value, and both are found
  // by a replay.
  @Test func namesAreExchanged() throws {
    let sample = try Sample()
    let file = try sample.file { (entries) in
      let places = entries.map { ($0.offset, $0.authTagPrefix) }
      return [Self.moved(entries[0], to: places[1]), Self.moved(entries[1], to: places[0])] + entries[2...]
    }
    try Self.check(sample, file, lies: 2)
  }

  // Defends: nor is one that gives a name the deletion of another for its newest put.
  @Test func aDeletionForAPut() throws {
    let sample = try Sample()
    let file = try sample.file { (entries) in
      [Self.moved(entries[0], to: sample.deletion)] + entries[1...]
    }
    try Self.check(sample, file, lies: 1)
  }

  // Defends: nor is a page that says that it is another one, of the run or of another run.
  @Test(arguments: [0, 11]) func aPageOfAnotherPlace(byte: Int) throws {
    let sample = try Sample()
    var frames = sample.forge.frames
    frames[sample.page].content[byte] ^= 1
    try Self.check(sample, sample.forge.file(frames), lies: sample.contents.count)
  }

  // Defends: an index that says less or more entries of a run than its pages have is bad, wherever all of them are asked for.
  @Test func anEntryIsMissing() throws {
    let sample = try Sample()
    let file = try sample.file { Array($0.dropLast()) }
    let view = try Opening.view(of: BytesFile(file), with: key())
    let root = try #require(view.index.root)
    #expect(try code { _ = try view.entriesInRuns(of: root) } == .indexDamaged)
    #expect(try VaultReading.engine.verify(file, 7).findings == [.indexDamaged])
    let disk = SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: file]))
    #expect(try Vault.open(.simulated(disk, seed: 1), credential: key()).contents() == sample.contents)
    for verb in Verb.allCases {
      let disk = SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: file]))
      try verb.run(on: .simulated(disk, seed: 2))
      #expect(try Recovery.contents(of: disk.cache) == sample.contents)
      _ = try disk.verify()
    }
  }
}
