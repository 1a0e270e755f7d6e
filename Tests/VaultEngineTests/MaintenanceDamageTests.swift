import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// New generations of vaults that are damaged, or that change while they are made.
@Suite struct MaintenanceDamageTests {
  /// A vault with a checkpoint behind most of its records, and what is in it.
  private struct Sample {
    let bytes: [UInt8]
    let contents: Contents
    /// Record frames that stand before the newest root.
    let records: [FrameHeader]

    init() throws {
      let trace = try Trace(MaintenanceTests.Kind.indexed.batches, seed: 91)
      bytes = try #require(trace.disk.cache[SimulatedStorage.name])
      contents = trace.acknowledged[trace.acknowledged.count - 1].contents
      var window = try FileWindow(SimulatedStorage(disk: trace.disk).open(writable: false))
      let generation = try window.generation()
      var frames: [FrameHeader] = []
      let walk = try Walk(&window, from: Chain(startOf: generation), in: generation) { frames.append($0) }
      let root = try #require(walk.newestCheckpoint)
      records = frames.filter { $0.type == .record && $0.offset < root }
      try #require(records.count > 100)
    }

    func disk(_ change: (inout [UInt8]) -> Void) -> SimulatedDisk {
      var image = DiskImage()
      image.apply(.create(file: 1, name: SimulatedStorage.name))
      var changed = bytes
      change(&changed)
      image.files[1] = changed
      return SimulatedDisk(image)
    }
  }

  private static let leavingOut = {
    var options = MaintenanceOptions.impatient
    options.skipsDamaged = true
    return options
  }()

  // Defends: a record whose header is damaged ends a compaction, which changes nothing; one that leaves out what is damaged passes
  // over that frame alone, names its place, and keeps every name whose record is whole, with its value.
  @Test(arguments: [0, 7, 60]) func aDamagedHeader(number: Int) throws {
    let sample = try Sample()
    let frame = sample.records[number]
    let disk = sample.disk { $0[Int(frame.offset) + 20] ^= 1 }
    let before = disk.cache[SimulatedStorage.name]
    #expect(try code { _ = try Verb.compact.run(on: .simulated(disk, seed: 2)) } == .frameDamaged)
    #expect(disk.cache[SimulatedStorage.name] == before)
    let report = try Verb.compact.run(on: .simulated(disk, seed: 3), options: Self.leavingOut)
    #expect(report.damaged.map(\.offset) == [frame.offset])
    let left = try Recovery.contents(of: disk.cache)
    #expect(left.allSatisfy { sample.contents[$0.key] == $0.value })
    #expect(left.count >= sample.contents.count - 1 && left.count == report.names)
    _ = try disk.verify()
  }

  // Defends: a frame that is whole and stands in another one's place is damage, not a record.
  @Test func aFrameInAnothersPlace() throws {
    let sample = try Sample()
    let pair = try #require(
      zip(sample.records, sample.records.dropFirst()).first { $0.frameLength == $1.frameLength })
    let length = pair.0.frameLength
    let (first, second) = (Int(pair.0.offset), Int(pair.1.offset))
    let disk = sample.disk { (bytes) in
      let (one, other) = (Array(bytes[first..<first + length]), Array(bytes[second..<second + length]))
      bytes.replaceSubrange(first..<first + length, with: other)
      bytes.replaceSubrange(second..<second + length, with: one)
    }
    let failed = try code { _ = try Verb.compact.run(on: .simulated(disk, seed: 2)) }
    #expect(failed?.isDamage == true)
    let report = try Verb.compact.run(on: .simulated(disk, seed: 3), options: Self.leavingOut)
    #expect(!report.damaged.isEmpty)
    #expect(try Recovery.contents(of: disk.cache).allSatisfy { sample.contents[$0.key] == $0.value })
    _ = try disk.verify()
  }

  // Defends: a frame that says of itself that it is a later one, under a checksum that fits, does not follow the one before it.
  @Test func aHeaderOfAnotherSequence() throws {
    let sample = try Sample()
    let frame = sample.records[20]
    let zeroLink = try Generation(header: FileHeader(parsing: sample.bytes.span.extracting(first: 128))).zeroLink
    let disk = sample.disk { (bytes) in
      bytes.setNumber(frame.sequence + 40, at: Int(frame.offset) + 8, 8)
      FrameFit.setChecksum(of: &bytes, zeroLink, at: Int(frame.offset))
    }
    #expect(try code { _ = try Verb.compact.run(on: .simulated(disk, seed: 2)) } == .chainBroken)
    let report = try Verb.compact.run(on: .simulated(disk, seed: 3), options: Self.leavingOut)
    #expect(report.damaged.map(\.offset) == [frame.offset])
    #expect(try Recovery.contents(of: disk.cache).allSatisfy { sample.contents[$0.key] == $0.value })
    _ = try disk.verify()
  }

  // Defends: a compaction that is only tried changes nothing, and says what the one that is done then does.
  @Test func aTrialTellsTheTruth() throws {
    let sample = try Sample()
    let directory = try TemporaryDirectory()
    try directory.write(sample.bytes, to: "vault")
    let path = directory.path("vault")
    var steps: [UInt64] = []
    let trial = try Vault.tryCompaction(at: path, credential: key()) { steps.append($0.done) }
    #expect(try directory.read("vault") == sample.bytes && !steps.isEmpty)
    let done = try Vault.compact(at: path, credential: key())
    #expect(trial.generation == done.generation && trial.names == done.names)
    #expect(trial.bytesBefore == done.bytesBefore && trial.damaged.isEmpty)
    #expect(abs(Int(trial.bytesAfter) - Int(done.bytesAfter)) < Int(done.bytesAfter) / 5)
    let vault = try Vault.open(at: path, credential: key())
    #expect(try vault.contents() == sample.contents)
    // Of an empty vault too.
    let empty = try Vault.create(at: directory.path("empty"), credential: key())
    try empty.close()
    #expect(try Vault.tryCompaction(at: directory.path("empty"), credential: key()).names == 0)
  }

  // Defends: a key that is added while a new generation is made is not lost: the attempt fails, and the vault stays.
  @Test(arguments: Verb.allCases) func keysThatChangeMeanwhile(_ verb: Verb) throws {
    let trace = try Trace(Trace.ordinary, seed: 93)
    let vault = try Vault.open(.simulated(trace.disk, seed: 94), credential: key())
    let failed = try code {
      _ = try verb.run(on: .simulated(trace.disk, seed: 95), options: .doing { try vault.addKey(key(8)) })
    }
    #expect(failed == .conflict)
    let again = try Vault.open(.simulated(trace.disk, seed: 96), credential: key(8))
    #expect(try again.contents() == trace.acknowledged[trace.acknowledged.count - 1].contents)
    #expect(try again.snapshot().generation == 1)
  }

  // Defends: more than what is copied under the lock may be written meanwhile: it is copied without, and all of it is there.
  @Test func muchWrittenMeanwhile() throws {
    let trace = try Trace(Trace.ordinary, seed: 97)
    let vault = try Vault.open(.simulated(trace.disk, seed: 98), credential: key())
    let large = [UInt8](repeating: 5, count: 300_000)
    try Verb.rotate.run(
      on: .simulated(trace.disk, seed: 99),
      options: .doing {
        try vault.commit([.put("large", large)])
        try vault.commit([.put("small", [1])])
      })
    let contents = try Recovery.contents(of: trace.disk.cache)
    #expect(contents["large"] == large && contents["small"] == [1])
    _ = try trace.disk.verify()
  }

  // Defends: a vault that has used up its generations says so, and stays.
  @Test(arguments: Verb.allCases) func generationsUsedUp(_ verb: Verb) throws {
    let bytes = try HandMadeVault(generation: Limits.counter - 1).bytes()
    var image = DiskImage()
    image.apply(.create(file: 1, name: SimulatedStorage.name))
    image.files[1] = bytes
    let disk = SimulatedDisk(image)
    #expect(try code { _ = try verb.run(on: .simulated(disk, seed: 1)) } == .limitExceeded)
    #expect(disk.cache[SimulatedStorage.name] == bytes)
  }

  // Defends: what a writer died of shows a checkpoint's older root to whoever adds a key: damage there is named, and nothing is
  // written on top of it.
  @Test(arguments: 0..<3) func anOlderRootIsDamaged(part: Int) throws {
    let trace = try Trace(Trace.ordinary, seed: 101)
    let vault = try Vault.open(.simulated(trace.disk, seed: 102), credential: key())
    for byte in UInt8(20)..<22 { try vault.addKey(key(byte)) }
    var bytes = try #require(trace.disk.cache[SimulatedStorage.name])
    var window = try FileWindow(SimulatedStorage(disk: trace.disk).open(writable: false))
    let generation = try window.generation()
    var roots: [FrameHeader] = []
    _ = try Walk(&window, from: Chain(startOf: generation), in: generation) { (header) in
      if header.type == .indexRoot { roots.append(header) }
    }
    let older = roots[roots.count - 2]
    switch part {
    case 0: bytes[Int(older.offset) + 30] ^= 1
    case 1: bytes[Int(older.offset) + older.frameLength - 12] ^= 1
    default:
      // Another type, under a checksum that fits.
      bytes[Int(older.offset) + 4] = FrameType.anchor.rawValue
      FrameFit.setChecksum(of: &bytes, generation.zeroLink, at: Int(older.offset))
    }
    var image = DiskImage()
    image.apply(.create(file: 1, name: SimulatedStorage.name))
    image.files[1] = bytes
    let disk = SimulatedDisk(image)
    let damaged = try Vault.open(.simulated(disk, seed: 103), credential: key())
    let failed = try code { try damaged.addKey(key(23)) }
    #expect(failed?.isDamage == true, "\(String(describing: failed))")
    #expect(disk.cache[SimulatedStorage.name] == bytes)
  }
}
