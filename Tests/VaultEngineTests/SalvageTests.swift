import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Taking out of damaged vaults what opens.
@Suite struct SalvageTests {
  /// A record as it was written.
  private struct Written: Hashable {
    let version: UInt64
    let name: [UInt8]
    let value: [UInt8]
    let isDeletion: Bool
  }

  /// A vault with a checkpoint in its midst, and all that was written to it.
  private struct Sample {
    let bytes: [UInt8]
    let records: [Written]
    let frames: [FrameHeader]

    init(_ batches: [[Write]] = Trace.ordinary, addingKey: Bool = true) throws {
      let trace = try Trace(batches, seed: 21)
      let vault = try Vault.open(.simulated(trace.disk, seed: 22), credential: key())
      if addingKey {
        try vault.addKey(key(8))
        try vault.commit([.put("last", [1, 2, 3]), .put("alice", [8])])
      }
      bytes = try #require(trace.disk.cache["vault"])
      records = try SalvageTests.records(of: bytes)
      let file = try SimulatedStorage(disk: trace.disk).open(writable: false)
      var window = try FileWindow(file)
      let generation = try window.generation()
      var frames: [FrameHeader] = []
      _ = try Walk(&window, from: Chain(startOf: generation), in: generation) { frames.append($0) }
      self.frames = frames
    }
  }

  private static func records(of bytes: [UInt8]) throws -> [Written] {
    var image = DiskImage()
    image.apply(.create(file: 1, name: "vault"))
    image.files[1] = bytes
    let vault = try Vault.open(.simulated(SimulatedDisk(image), seed: 1), credential: key(), options: .reading)
    var records: [Written] = []
    try vault.snapshot().forEachRecord { (entry) throws(VaultError) in
      records.append(
        Written(
          version: entry.version, name: Array(entry.name), value: Array(entry.value),
          isDeletion: entry.operation == .delete))
    }
    return records
  }

  private func salvage(
    _ bytes: [UInt8], with credential: borrowing Credential
  ) throws -> (report: SalvageReport, image: DiskImage) {
    var image = DiskImage()
    image.apply(.create(file: 1, name: "vault"))
    image.files[1] = bytes
    let disk = SimulatedDisk(image)
    var environment = Environment.simulated(disk, seed: 31)
    environment.storage = SimulatedStorage(disk: disk, path: "saved")
    let report = try Vault.salvage(
      SimulatedStorage(disk: disk), credential: credential,
      to: (environment, SimulatedStorage(disk: disk, path: "rest")), passphraseCost: .scrypt(logN: 14, r: 8, p: 1))
    #expect(disk.cache["vault"] == bytes, "the damaged vault was changed")
    return (report, disk.cache)
  }

  /// Salvages a damaged copy of a sample, and checks what can be said of every salvage.
  ///
  /// - Parameter intact: versions of the records that must be there.
  @discardableResult
  private func check(
    _ sample: Sample, _ damaged: [UInt8], intact: Set<UInt64>, _ place: Comment
  ) throws -> SalvageReport {
    let (report, image) = try salvage(damaged, with: key())
    let saved = try Self.records(of: try #require(image["saved"]))
    let isWritten = Set(saved).isSubset(of: Set(sample.records))
    #expect(isWritten, "a record was saved that was never written: \(place)")
    // A deletion whose put is lost has nothing to delete.
    let missing = sample.records.filter { intact.contains($0.version) && !saved.contains($0) && !$0.isDeletion }
    #expect(missing.isEmpty, "records of intact frames are missing: \(place)")
    let lost = sample.records.filter { !saved.contains($0) && !($0.isDeletion && intact.contains($0.version)) }
    for record in lost {
      let followed = saved.filter { $0.version < record.version }.map(\.version)
      #expect(followed.allSatisfy { $0 <= report.staleThrough }, "\(place): \(record.version) is lost")
    }
    let rest = image["rest"] ?? []
    #expect(rest == report.gaps.flatMap { Array(damaged[Int($0.bytes.lowerBound)..<Int($0.bytes.upperBound)]) })
    return report
  }

  /// Versions of the records whose frames lie outside of all damaged bytes.
  private func versions(_ sample: Sample, outside damage: Range<Int>) -> Set<UInt64> {
    var versions: Set<UInt64> = []
    let frames = sample.frames.filter { $0.type == .record }
    for (frame, record) in zip(frames, sample.records) {
      let range = Int(frame.offset)..<Int(frame.offset) + frame.frameLength
      if !range.overlaps(damage) { versions.insert(record.version) }
    }
    return versions
  }

  // Defends: a whole vault is salvaged whole, without gaps or doubts: empty, one record, all deleted, ordinary.
  @Test(arguments: [[], [[.put("alice", [1])]], [[.put("alice", [1])], [.delete("alice")]], Trace.ordinary])
  func wholeVaults(batches: [[Write]]) throws {
    let sample = try Sample(batches, addingKey: false)
    let report = try check(
      sample, sample.bytes, intact: Set(sample.records.map(\.version)), "\(batches.count) batches")
    #expect(report.gaps.isEmpty && report.staleThrough == 0 && report.records == sample.records.count)
  }

  // Defends: a flipped bit in any frame of any type, and in any part of it, costs that frame and no other.
  @Test func aFlippedBitInEveryFrame() throws {
    let sample = try Sample()
    var random = SeededRandom(seed: 5)
    #expect(Set(sample.frames.map(\.type)).count == 7)
    for frame in sample.frames {
      for part in 0..<4 {
        let length = frame.frameLength
        let within = [0, 60, FrameHeader.length + 20, length - 20][part] + Int(random.next() % 16)
        let place = Int(frame.offset) + within
        var damaged = sample.bytes
        damaged[place] ^= 1 << UInt8(random.next() % 8)
        try check(
          sample, damaged, intact: versions(sample, outside: place..<place + 1),
          "frame \(frame.sequence) of type \(frame.type.rawValue), byte \(within)")
      }
    }
  }

  // Defends: the same for sectors of zeros and of noise, anywhere.
  @Test(arguments: [false, true]) func lostSectors(isNoise: Bool) throws {
    let sample = try Sample()
    var random = SeededRandom(seed: 6)
    for sector in 1..<sample.bytes.count / 512 {
      let range = sector * 512..<min((sector + 2) * 512, sample.bytes.count)
      var damaged = sample.bytes
      damaged.replaceSubrange(
        range, with: isNoise ? random.array(range.count) : [UInt8](repeating: 0, count: range.count))
      try check(sample, damaged, intact: versions(sample, outside: range), "sector \(sector)")
    }
  }

  // Defends: a file cut anywhere behind its first checkpointed keys gives what was before the cut, and says that all of it may
  // be stale, unless the cut falls between two batches, which nothing tells.
  @Test func everyTruncation() throws {
    let sample = try Sample(addingKey: false)
    let borders = Set(sample.frames.filter(\.endsBatch).map { Int($0.offset) + $0.frameLength })
    let founding = Int(sample.frames[3].offset)
    for length in stride(from: founding, to: sample.bytes.count, by: 24) {
      let (report, image) = try salvage(Array(sample.bytes[..<length]), with: key())
      let saved = try Self.records(of: try #require(image["saved"]))
      let expected = versions(sample, outside: length..<sample.bytes.count)
      #expect(Set(saved.map(\.version)) == expected, "cut at \(length)")
      let last = saved.map(\.version).max() ?? 0
      #expect(report.staleThrough == (borders.contains(length) ? 0 : last), "cut at \(length)")
    }
  }

  /// Two frames of one length that are not neighbours.
  private static func pair(of frames: [FrameHeader]) -> (earlier: FrameHeader, later: FrameHeader)? {
    for (index, earlier) in frames.enumerated() {
      let later = frames.dropFirst(index + 2).first { $0.frameLength == earlier.frameLength }
      if let later { return (earlier, later) }
    }
    return nil
  }

  // Defends: a frame that stands a second time, whole and well sealed, is not a second write: it is left in a gap.
  @Test func aFrameThatStandsTwice() throws {
    let sample = try Sample(addingKey: false)
    let records = sample.frames.filter { $0.type == .record }
    let (earlier, later) = try #require(Self.pair(of: records))
    var damaged = sample.bytes
    damaged.replaceSubrange(
      Int(later.offset)..<Int(later.offset) + later.frameLength,
      with: damaged[Int(earlier.offset)..<Int(earlier.offset) + earlier.frameLength])
    let range = Int(later.offset)..<Int(later.offset) + later.frameLength
    let report = try check(sample, damaged, intact: versions(sample, outside: range), "frame \(later.sequence)")
    #expect(report.gaps.count == 1)
  }

  // Defends: of several anchors those that agree are believed, and one whose copy of the header is damaged is none.
  @Test func severalAnchors() throws {
    let trace = try Trace(Trace.ordinary, seed: 23)
    let vault = try Vault.open(.simulated(trace.disk, seed: 24), credential: key())
    for byte in UInt8(30)..<33 { try vault.addKey(key(byte)) }
    let bytes = try #require(trace.disk.cache["vault"])
    var window = try FileWindow(SimulatedStorage(disk: trace.disk).open(writable: false))
    let generation = try window.generation()
    var anchors: [FrameHeader] = []
    _ = try Walk(&window, from: Chain(startOf: generation), in: generation) {
      if $0.type == .anchor { anchors.append($0) }
    }
    #expect(anchors.count > 2)
    var damaged = bytes
    damaged.replaceSubrange(0..<128, with: [UInt8](repeating: 0, count: 128))
    damaged[Int(anchors[0].offset) + FrameHeader.length + 50] ^= 1
    let (report, image) = try salvage(damaged, with: key())
    #expect(report.isHeaderLost && image["saved"] != nil)
    #expect(try Self.records(of: #require(image["saved"])) == Self.records(of: bytes))
  }

  // Defends: a lost header is found again in an anchor, also where the founding batch is lost with it.
  @Test func aLostHeader() throws {
    let sample = try Sample()
    for end in [128, 4, 700] {
      var damaged = sample.bytes
      damaged.replaceSubrange(0..<end, with: [UInt8](repeating: 0, count: end))
      let report = try check(sample, damaged, intact: versions(sample, outside: 0..<end), "\(end) bytes lost")
      #expect(report.isHeaderLost && report.gaps[0].bytes.lowerBound == 0)
    }
    let without = try Sample(addingKey: false)
    var damaged = without.bytes
    damaged[3] ^= 1
    #expect(try code { _ = try salvage(damaged, with: key()) } == .headerDamaged, "there is no anchor")
  }

  // Defends: a gap that is seen to have held no write puts nothing in doubt: an index page or a slot that is lost.
  @Test func harmlessGaps() throws {
    let sample = try Sample()
    for frame in sample.frames where frame.type == .anchor || frame.type == .indexPage {
      var damaged = sample.bytes
      damaged[Int(frame.offset) + 300] ^= 1
      let report = try check(sample, damaged, intact: Set(sample.records.map(\.version)), "\(frame.sequence)")
      #expect(report.gaps.count == 1 && !report.gaps[0].mayHoldWrites && report.staleThrough == 0)
      #expect(report.gaps[0].sequences == frame.sequence...frame.sequence)
    }
  }

  // Defends: any slot that is left will do; without one, or with another's key, the error says which it was.
  @Test func slotsAndKeys() throws {
    let sample = try Sample()
    var damaged = sample.bytes
    damaged[200] ^= 1
    #expect(try salvage(damaged, with: key()).report.records == sample.records.count)
    #expect(try salvage(damaged, with: key(8)).report.records == sample.records.count)
    #expect(try code { _ = try salvage(damaged, with: key(9)) } == .wrongKey)
    for frame in sample.frames where frame.type == .keySlot { damaged[Int(frame.offset) + 100] ^= 1 }
    #expect(try code { _ = try salvage(damaged, with: key()) } == .slotDamaged)
    damaged = sample.bytes
    for frame in sample.frames where frame.type == .dataKey { damaged[Int(frame.offset) + 150] ^= 1 }
    #expect(try code { _ = try salvage(damaged, with: key()) } == .frameDamaged)
  }

  // Defends: more records than are in memory at a time are saved in several portions, all of them, and it is told how far that has
  // come; also of records that are few and large.
  @Test(arguments: [(names: 8300, bytes: 1), (names: 13, bytes: 900_000)]) func severalPortions(
    names: Int, bytes: Int
  ) throws {
    let writes = (0..<names).map { (number) in
      Write.put(Name(bytes: Array("user-\(number)".utf8)), [UInt8](repeating: UInt8(number & 255), count: bytes))
    }
    let disk = try Trace([writes], seed: 25).disk
    var environment = Environment.simulated(disk, seed: 31)
    environment.storage = SimulatedStorage(disk: disk, path: "saved")
    var steps: [SalvageProgress] = []
    let report = try Vault.salvage(
      SimulatedStorage(disk: disk), credential: key(),
      to: (environment, SimulatedStorage(disk: disk, path: "rest"))
    ) { steps.append($0) }
    #expect(report.records == names && report.gaps.isEmpty && report.names == names)
    let step = try #require(steps.first)
    #expect(steps.count == 1 && step.records < names && (1..<step.total).contains(step.done))
    #expect(try Self.records(of: #require(disk.cache["saved"])) == Self.records(of: #require(disk.cache["vault"])))
  }

  // Defends: of two slots that one key fits, the one that does not open though its checksums fit costs nothing.
  @Test func aSlotThatDoesNotOpen() throws {
    let trace = try Trace(Trace.ordinary, seed: 26)
    let vault = try Vault.open(.simulated(trace.disk, seed: 27), credential: key())
    try vault.addKey(key())
    try vault.close()
    let bytes = try #require(trace.disk.cache["vault"])
    let slot = try #require(SampleFrame.all(in: bytes).last { $0.type == 2 })
    let tag = slot.offset + FrameHeader.length + KeySlot.clearLength + 24
    let forged = try ForgedVault.changing(bytes) { $0[tag] ^= 1 }
    let (report, image) = try salvage(forged, with: key())
    #expect(report.gaps.count == 1, "the root, whose seal vouches for the link before it")
    #expect(try Self.records(of: #require(image["saved"])) == Self.records(of: bytes))
  }

  // Defends: nothing that is there is overwritten, and a look changes nothing.
  @Test func nothingIsOverwritten() throws {
    let trace = try Trace(Trace.ordinary, seed: 3)
    let disk = trace.disk
    let before = disk.cache
    let report = try Vault.salvage(SimulatedStorage(disk: disk), credential: key(), to: nil)
    #expect(report.records > 0 && disk.cache == before)
    var environment = Environment.simulated(disk, seed: 1)
    for (vault, rest) in [("vault", "rest"), ("saved", "vault")] {
      environment.storage = SimulatedStorage(disk: disk, path: vault)
      let targets = (environment, SimulatedStorage(disk: disk, path: rest) as any Storage)
      #expect(
        try code { _ = try Vault.salvage(SimulatedStorage(disk: disk), credential: key(), to: targets) } == .conflict)
    }
    #expect(disk.cache == before)
  }

  // Defends: whichever call fails, the damaged vault is as it was, and the new one is whole or has no name.
  @Test func everyCallFails() throws {
    let sample = try Sample()
    var damaged = sample.bytes
    damaged[damaged.count - 300] ^= 1
    var image = DiskImage()
    image.apply(.create(file: 1, name: "vault"))
    image.files[1] = damaged
    var failures = 0
    for kind in 0..<2 {
      for number in 1...2000 {
        let disk = SimulatedDisk(image)
        var environment = Environment.simulated(disk, seed: 31)
        environment.storage = SimulatedStorage(disk: disk, path: "saved")
        disk.fail(FailurePlan(first: number, count: .max, isFull: kind == 1, writesHalf: true))
        let failed = try code {
          _ = try Vault.salvage(
            SimulatedStorage(disk: disk), credential: key(),
            to: (environment, SimulatedStorage(disk: disk, path: "rest")))
        }
        #expect(disk.cache["vault"] == damaged)
        if let saved = disk.cache["saved"] { _ = try Self.records(of: saved) } else { #expect(failed != nil) }
        if failed != nil { failures += 1 }
        if disk.calls < number { break }
      }
    }
    #expect(failures > 20)
  }
}
