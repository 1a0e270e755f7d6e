import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Files that are damaged where an opening by the index looks, and files that change while they are read.
@Suite struct OpeningDamageTests {
  private static func trace(checkpoints: Int) throws -> Trace {
    let trace = try Trace(MaintenanceTests.Kind.indexed.batches, seed: 111)
    let vault = try Vault.open(.simulated(trace.disk, seed: 112), credential: key())
    for number in 0..<checkpoints { try vault.addKey(key(UInt8(40 + number))) }
    return trace
  }

  private static func frames(of disk: SimulatedDisk) throws -> [FrameHeader] {
    var window = try FileWindow(SimulatedStorage(disk: disk).open(writable: false))
    let generation = try window.generation()
    var frames: [FrameHeader] = []
    _ = try Walk(&window, from: Chain(startOf: generation), in: generation) { frames.append($0) }
    return frames
  }

  private static func disk(_ bytes: [UInt8]) -> SimulatedDisk {
    var image = DiskImage()
    image.apply(.create(file: 1, name: SimulatedStorage.name))
    image.files[1] = bytes
    return SimulatedDisk(image)
  }

  private static func open(_ bytes: [UInt8]) throws -> Contents {
    try Vault.open(.simulated(disk(bytes), seed: 113), credential: key(), options: .reading).contents()
  }

  // Defends: a genesis that does not open is damage, named by its place, also for who opens by the index and replays nothing else
  // of the beginning.
  @Test func aForgedGenesis() throws {
    let trace = try Self.trace(checkpoints: 0)
    let genesis = try #require(try Self.frames(of: trace.disk).first { $0.type == .genesis })
    let vault = try #require(trace.disk.cache[SimulatedStorage.name])
    let forged = try ForgedVault.changing(vault) { $0[Int(genesis.offset) + FrameHeader.length + 30] ^= 1 }
    do {
      _ = try Self.open(forged)
      Issue.record("it opened")
    } catch let error as VaultError {
      #expect(error.code == .frameDamaged && error.offset == genesis.offset && error.sequence == genesis.sequence)
    }
  }

  // Defends: however many of the newest checkpoints are damaged, that is found and named, and never read as an older state.
  @Test(arguments: 1...6) func newestCheckpointsAreDamaged(count: Int) throws {
    let trace = try Self.trace(checkpoints: 6)
    var bytes = try #require(trace.disk.cache[SimulatedStorage.name])
    let anchors = try Self.frames(of: trace.disk).filter { $0.type == .anchor }
    for anchor in anchors.suffix(count) { bytes[Int(anchor.offset) + FrameHeader.length + 20] ^= 1 }
    #expect(try code { _ = try Self.open(bytes) }?.isDamage == true)
    var image = bytes
    image.removeLast(40)
    #expect(try code { _ = try Self.open(image) }?.isDamage == true)
  }

  // Defends: a large record that was torn off is no damage, though the last frame begins far before the end.
  @Test func aLargeTornRecord() throws {
    let trace = try Self.trace(checkpoints: 1)
    let expected = trace.acknowledged[trace.acknowledged.count - 1].contents
    let vault = try Vault.open(.simulated(trace.disk, seed: 114), credential: key())
    try vault.commit([.put("large", [UInt8](repeating: 0x55, count: 600_000))])
    let bytes = try #require(trace.disk.cache[SimulatedStorage.name])
    #expect(try Self.open(Array(bytes.dropLast(100))) == expected)
  }

  // Defends: what is read of a slot when keys are changed is checked once more: damage since the opening is named, and nothing is
  // written behind it.
  @Test func aSlotThatIsDamagedMeanwhile() throws {
    let trace = try Self.trace(checkpoints: 1)
    let vault = try Vault.open(.simulated(trace.disk, seed: 115), credential: key())
    let slot = try #require(try Self.frames(of: trace.disk).last { $0.type == .keySlot })
    let file = try #require(trace.disk.cache.names[SimulatedStorage.name])
    let place = Int(slot.offset) + slot.frameLength - 30
    let bytes = try #require(trace.disk.cache[SimulatedStorage.name])
    trace.disk.perform(.write(file: file, offset: place, bytes: [bytes[place] ^ 1]))
    let before = trace.disk.cache[SimulatedStorage.name]
    #expect(try code { try vault.addKey(key(60)) }?.isDamage == true)
    #expect(trace.disk.cache[SimulatedStorage.name] == before)
  }

  // Defends: before a writer builds on the last batch of another, which may not be on the disk yet, it reads it once more: what is
  // another batch by then, however well it is made, is not written on.
  @Test func theLastBatchIsAnotherMeanwhile() throws {
    let trace = try Trace(Trace.ordinary, seed: 116)
    let vault = try Vault.open(.simulated(trace.disk, seed: 117), credential: key())
    let bytes = try #require(trace.disk.cache[SimulatedStorage.name])
    let last = try #require(try Self.frames(of: trace.disk).last)
    // The end of the frame stays as it is: by that a writer knows the file again.
    let forged = try ForgedVault.changing(bytes) { $0[Int(last.offset) + FrameHeader.length + 26] ^= 1 }
    let file = try #require(trace.disk.cache.names[SimulatedStorage.name])
    trace.disk.perform(.write(file: file, offset: 0, bytes: forged))
    let found = try code { try vault.commit([.put("next", [1])]) }
    #expect(found?.isDamage == true, "\(String(describing: found))")
    #expect(trace.disk.cache[SimulatedStorage.name] == forged)
  }

  // Defends: nor when that other batch follows the same one as the true batch does, and is whole to the last byte: one of a fork.
  @Test func theLastBatchIsOfAForkMeanwhile() throws {
    let common = try SampleMaker(seed: 118)
    try common.commit([.put("alice", [1])])
    let forks = try [UInt8(1), 2].map { (number) in
      let maker = try SampleMaker(copying: common, seed: 118 + UInt64(number))
      try maker.commit([.put("bob", [number])])
      return maker.sample("fork").bytes
    }
    let place = common.sample("common").end
    try #require(forks[0].count == forks[1].count)
    let disk = Self.disk(forks[0])
    var environment = Environment.simulated(disk, seed: 119)
    environment.storage = WrappedStorage(environment.storage) { (file, _) in
      ExchangedFile(file, at: place, Array(forks[1][place...]))
    }
    let vault = try Vault.open(environment, credential: key())
    #expect(try code { try vault.commit([.put("next", [1])]) } == .chainBroken)
    #expect(disk.cache[SimulatedStorage.name] == forks[0])
  }
}

/// A file that gives other bytes to whoever asks for just those of one place.
private final class ExchangedFile: StorageFile {
  private let file: any StorageFile
  private let place: Int
  private let bytes: [UInt8]

  init(_ file: any StorageFile, at place: Int, _ bytes: [UInt8]) {
    (self.file, self.place, self.bytes) = (file, place, bytes)
  }

  var identity: FileIdentity { file.identity }

  func length() throws(VaultError) -> UInt64 { try file.length() }

  func stamp() throws(VaultError) -> FileStamp? { try file.stamp() }

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    guard offset == UInt64(place), output.freeCapacity == bytes.count else {
      return try file.read(at: offset, into: &output)
    }
    let bytes = bytes
    output.append(contentsOf: bytes.span)
  }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { try file.write(bytes, at: offset) }

  func resize(to length: UInt64) throws(VaultError) { try file.resize(to: length) }

  func sync() throws(VaultError) { try file.sync() }
}
