import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Files that somebody with the keys has made: every checksum, link and seal is right, and what is sealed breaks a rule.
@Suite struct ForgedFrameTests {
  /// A vault with two checkpoints, taken apart.
  private struct Sample {
    let sample: VaultSample
    let forge: Forge
    let vault: FixedBytes<16>

    init(_ sample: VaultSample? = nil) throws {
      let sample = try sample ?? VaultSample.indexed(seed: 151)
      let bytes = sample.bytes
      vault = FixedBytes(bytes.span.extracting(24..<40))
      forge = try Forge(bytes, key: 7)
      self.sample = sample
    }

    /// Numbers of the frames of a type.
    func places(_ type: UInt8) -> [Int] { forge.frames.indices.filter { forge.frames[$0].type == type } }

    /// The data-key frame of a new key.
    func dataKey(term: UInt32, seed: UInt64) throws -> ForgedFrame {
      var random = SeededRandom(seed: seed)
      let plaintext = try DataKey(term: term, created: 0, from: &random).plaintext(for: vault)
      var frame = forge.frames[places(3)[0]]
      frame.content = Array(plaintext.span)
      frame.nonce = random.array(24)
      return frame
    }
  }

  private static func disk(_ file: [UInt8]) -> SimulatedDisk {
    SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: file]))
  }

  /// What comes of replaying all of a file, which a verification must tell as well.
  private static func replayed(_ file: [UInt8]) throws -> VaultError.Code? {
    let found = try code { _ = try Opening.view(of: BytesFile(file), with: key(), readsWhole: true) }
    let verified = try VaultReading.engine.verify(file, 7)
    #expect(verified.findings.first == found && verified.isDamaged)
    return found
  }

  // Defends: a checkpoint may bring a second data key, and all behind it is sealed under that; the checkpoint that forgets the first,
  // gives one twice, or gives another key of a term that is there, and the frame that goes on under the first, are refused.
  @Test func twoTerms() throws {
    // No record points to one behind the first checkpoint, which becomes longer.
    let maker = try SampleMaker(seed: 154)
    try maker.commit([.put("alice", [1]), .put("bob", [2])])
    try maker.addKey(8)
    try maker.commit([.put("carol", [3]), .put("dora", [4])])
    try maker.addKey(9)
    try maker.commit([.put("erin", [5])])
    let sample = try Sample(maker.sample("two checkpoints"))
    var frames = sample.forge.frames
    let first = sample.places(3)[1]
    frames.insert(try sample.dataKey(term: 2, seed: 1), at: first + 1)
    // The root of that checkpoint is still under term 1.
    let behindTheOld = try sample.forge.file(frames)
    #expect(try Self.replayed(behindTheOld) == .chainBroken)
    // A forge that has met both keys.
    let forge = try Forge(behindTheOld, key: 7)
    for number in frames.indices where number > first && [1, 5, 6].contains(frames[number].type) {
      frames[number].term = 2
    }
    let last = try #require(frames.lastIndex { $0.type == 3 })
    #expect(try Self.replayed(forge.file(frames)) == .chainBroken, "the second checkpoint lacks term 2")
    frames.insert(frames[first + 1], at: last + 1)
    let sound = try forge.file(frames)
    let vault = try Vault.open(.simulated(Self.disk(sound), seed: 1), credential: key(), options: .reading)
    #expect(try vault.contents() == sample.sample.newest.contents)
    #expect(try vault.snapshot().space().terms == 2)
    var twice = frames
    twice.insert(frames[last], at: last + 1)
    #expect(try Self.replayed(forge.file(twice)) == .chainBroken)
    var other = frames
    other[last] = try sample.dataKey(term: 1, seed: 2)
    #expect(try Self.replayed(forge.file(other)) == .commitmentMismatch)
    // Whoever takes out what opens takes the first key of a term, and all that it opens.
    let report = try Vault.salvage(BytesStorage(forge.file(other)), credential: key(), to: nil)
    #expect(report.records == sample.sample.newest.records.count)
  }

  // Defends: a record whose version does not ascend, or that points to another record than the newest of its name, is refused by a
  // replay; what is taken out of such a file has no version twice.
  @Test(arguments: [16, 24]) func aRecordOutOfOrder(field: Int) throws {
    let sample = try Sample()
    var frames = sample.forge.frames
    let records = sample.places(1)
    let last = try #require(records.last)
    // The version of the record before it, or the place of the very first.
    let offsets = SampleFrame.all(in: sample.sample.bytes).map { UInt64($0.offset) }
    let before = frames[records[records.count - 2]].content.number(at: 16, 8)
    frames[last].content.setNumber(field == 16 ? before : offsets[records[0]], at: field, 8)
    let file = try sample.forge.file(frames)
    #expect(try Self.replayed(file) == .chainBroken)
    let report = try Vault.salvage(BytesStorage(file), credential: key(), to: nil)
    #expect(report.records == records.count - (field == 16 ? 1 : 0))
    #expect(report.gaps.count == (field == 16 ? 1 : 0))
  }

  // Defends: an event that does not point to the event before it is refused by a replay.
  @Test func anEventOutOfOrder() throws {
    let maker = try SampleMaker(seed: 155)
    try maker.commit([.put("alice", [1]), .event("alice", [2]), .event("bob", [3])])
    let sample = try Sample(maker.sample("events"))
    var frames = sample.forge.frames
    let event = try #require(sample.places(1).last)
    let offset = UInt64(SampleFrame.all(in: sample.sample.bytes)[event].offset)
    let before = frames[event].content.number(at: 24, 8)
    #expect(before > 0)
    frames[event].content.setNumber(before + 16, at: 24, 8)
    let file = try sample.forge.file(frames)
    #expect(try Self.replayed(file) == .chainBroken)
    let error = #expect(throws: VaultError.self) {
      _ = try Opening.view(of: BytesFile(file), with: key(), readsWhole: true)
    }
    #expect(error?.offset == offset)
  }

  // Defends: an anchor tells of earlier generations alone, and has the header of its own file.
  @Test func anAnchorOfAnotherFile() throws {
    let sample = try Sample()
    let place = try #require(sample.places(7).last)
    var frames = sample.forge.frames
    let content = frames[place].content
    let anchor = try Anchor(parsing: content.span)
    let later = Anchor.Ancestor(
      generation: 1, fileID: FixedBytes(), lastSequence: 3, lastVersion: 0, head: Link(), time: 0,
      madeBy: .initialization)
    frames[place].content = Anchor(genesis: anchor.genesis, history: [later]).plaintext()
    #expect(try Self.replayed(sample.forge.file(frames)) == .frameDamaged)
    frames = sample.forge.frames
    frames[place].clear[100] ^= 1
    #expect(try Self.replayed(sample.forge.file(frames))?.isDamage == true)
  }

  // Defends: a generation behind the first whose anchor does not tell of the one before is not complete, however many checkpoints it
  // has.
  @Test func anAnchorWithoutHistory() throws {
    let rotated = try VaultSample.rotated(seed: 152)
    let forge = try Forge(rotated.bytes, key: 7)
    var frames = forge.frames
    for place in frames.indices where frames[place].type == 7 {
      let content = frames[place].content
      frames[place].content = try Anchor(genesis: Anchor(parsing: content.span).genesis, history: []).plaintext()
    }
    let file = try forge.file(frames)
    #expect(try code { _ = try Opening.view(of: BytesFile(file), with: key()) }?.isDamage == true)
    #expect(try Self.replayed(file)?.isDamage == true)
  }

  // Defends: a root that can't be right where it stands is not opened by: the records are replayed, and are all there.
  @Test func aRootOfAnotherPlace() throws {
    let sample = try Sample()
    let place = try #require(sample.places(6).last)
    var frames = sample.forge.frames
    frames[place].content.setNumber(frames[place].content.number(at: 0, 8) - 1, at: 0, 8)
    // Its runs adjoin what it says.
    frames[place].content.setNumber(frames[place].content.number(at: 0, 8), at: 32 + 32, 8)
    let file = try sample.forge.file(frames)
    let view = try Opening.view(of: BytesFile(file), with: key())
    #expect(view.isWhole)
    #expect(try VaultSnapshot(view).contents() == sample.sample.newest.contents)
    #expect(try VaultReading.engine.verify(file, 7).findings == [.indexDamaged])
  }

  // Defends: who follows a vault by its index does not take a root for true that contradicts the records that he has seen, and is left
  // as he was.
  @Test(arguments: [8, 16]) func aRootThatContradicts(field: Int) throws {
    let sample = try Sample()
    let roots = sample.places(6)
    var frames = sample.forge.frames
    frames[roots[1]].content.setNumber(field == 8 ? 1000 : 128, at: field, 8)
    let file = try sample.forge.file(frames)
    let places = SampleFrame.all(in: file)
    let end = places[roots[0]].range.upperBound
    var view = try Opening.view(of: BytesFile(Array(file[..<end])), with: key())
    #expect(!view.isWhole)
    let (chain, version) = (view.chain, view.lastVersion)
    var window = try FileWindow(BytesFile(file))
    let walk = try Walk(&window, from: chain, in: view.generation)
    #expect(try code { try view.replay(walk, &window) } == .indexDamaged)
    #expect(view.chain == chain && view.lastVersion == version)
    #expect(try VaultReading.engine.verify(file, 7).findings == [.indexDamaged])
  }

  // Defends: a page that is bad is excused by a true root alone: one that was made after another history, or that does not open, or
  // breaks the rules, excuses nothing, and what is damaged is told.
  @Test func whoExcusesABadPage() throws {
    let sample = try VaultSample.pagesApart(seed: 153)
    let forge = try Forge(sample.bytes, key: 7)
    let page = try #require(forge.frames.firstIndex { $0.type == 5 })
    let root = try #require(forge.frames.lastIndex { $0.type == 6 })
    func damaged(_ change: (inout [ForgedFrame]) -> Void) throws -> [UInt8] {
      var frames = forge.frames
      change(&frames)
      var file = try forge.file(frames)
      file[SampleFrame.all(in: file)[page].offset + 300] ^= 1
      return file
    }
    let excused = try damaged { _ in }
    #expect(try VaultReading.engine.verify(excused, 7).findings == [.indexDamaged])
    let view = try Opening.view(of: BytesFile(excused), with: key(), readsWhole: true)
    #expect(try VaultSnapshot(view).contents() == sample.newest.contents)
    // The link before the page's segment, behind the root's 32 bytes, the run's 40 and the segment's 12.
    #expect(try Self.replayed(damaged { $0[root].content[32 + 40 + 12] ^= 1 }) == .chainBroken)
    // Reserved bytes of the root.
    #expect(try Self.replayed(damaged { $0[root].content[29] = 1 }) == .frameDamaged)
    // A root whose seal is not its own.
    let place = SampleFrame.all(in: sample.bytes)[root].offset + 88 + 30
    var foreign = try ForgedVault.changing(sample.bytes) { $0[place] ^= 1 }
    foreign[SampleFrame.all(in: foreign)[page].offset + 300] ^= 1
    #expect(try Self.replayed(foreign) == .frameDamaged)
  }

  // Defends: of a damaged vault with checkpoints, what a verification with a key names is the first damage that the index does not
  // excuse, once, with its place.
  @Test func damageBeforeACheckpoint() throws {
    let sample = try Sample()
    let frame = SampleFrame.all(in: sample.sample.bytes)[sample.places(1)[0]]
    var file = sample.sample.bytes
    file[frame.offset + 140] ^= 1
    let report = try Vault.verify(BytesFile(file), lockedBy: nil, credential: key(), pin: nil, progress: nil)
    #expect(report.findings.map(\.code) == [.frameDamaged])
    #expect(report.findings.first?.offset == UInt64(frame.offset))
  }
}
