import Synchronization
import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// New files on a disk that does not give back what was written to it.
@Suite struct ReadBackTests {
  /// What makes a new file.
  enum Maker: CaseIterable, Sendable {
    case create, compact, rotate, rekey, restore, copy, salvage

    func run(on storage: any Storage, from disk: SimulatedDisk) throws {
      var environment = Environment.simulated(disk, seed: 9)
      environment.storage = storage
      switch self {
      case .create: _ = try Vault.create(environment, credential: key())
      case .compact: try Verb.compact.run(on: environment)
      case .rotate: try Verb.rotate.run(on: environment)
      case .rekey: try Verb.rekey.run(on: environment)
      case .restore, .copy:
        var options = RestoreOptions()
        options.acceptsRollback = true
        let backup = SimulatedStorage(disk: disk, path: "backup")
        _ = try Vault.restore(backup, credential: key(), to: environment, options: options)
      case .salvage:
        _ = try Vault.salvage(
          SimulatedStorage(disk: disk, path: "backup"), credential: key(),
          to: (environment, SimulatedStorage(disk: disk, path: "rest")))
      }
    }

    /// Whether there is a vault already, whose place the new file takes.
    var replaces: Bool { [.compact, .rotate, .rekey, .restore].contains(self) }

    /// A disk with a backup, and a vault if there is to be one.
    func disk() throws -> SimulatedDisk {
      let disk = try Trace(Array(Trace.ordinary.prefix(4)), seed: 5).disk
      _ = try Vault.backup(
        SimulatedStorage(disk: disk), credential: nil, to: SimulatedStorage(disk: disk, path: "backup"),
        replacing: false)
      if !replaces { disk.perform(.remove(name: "vault")) }
      return SimulatedDisk(disk.cache)
    }
  }

  // Defends: whichever batch is not read back as it was written, the new file is refused before it has the vault's name, and the
  // vault is as it was; another wrong byte is either noticed too, or was of no account.
  @Test(arguments: Maker.allCases) func oneWrongByte(maker: Maker) throws {
    let model = try maker.disk()
    let honest = Lie(.flip, at: .max)
    try maker.run(on: lyingStorage(model, honest), from: model)
    let whole = try #require(model.cache["vault"])
    var (tried, readBack) = (0, 0)
    while true {
      let disk = try maker.disk()
      let (before, lie) = (disk.cache["vault"], Lie(.flip, at: tried))
      let failed = try code { try maker.run(on: lyingStorage(disk, lie), from: disk) }
      guard lie.wasTold else { break }
      let isRight = failed == nil ? disk.cache["vault"] == whole : disk.cache["vault"] == before
      #expect(isRight && !(failed == nil && lie.wasOfReadBack), "read \(tried) of \(maker)")
      tried += 1
      if lie.wasOfReadBack { readBack += 1 }
      #expect(!disk.cache.names.keys.contains { $0.hasPrefix("vault.tmp-") })
    }
    #expect(tried > 0 && (readBack >= honest.writes || maker == .copy), "\(readBack) of \(honest.writes) are read back")
  }

  // Defends: nor is a file taken that has become shorter, though it ends with a whole batch.
  @Test(arguments: Maker.allCases) func aShorterFile(maker: Maker) throws {
    let model = try maker.disk()
    try maker.run(on: SimulatedStorage(disk: model), from: model)
    let bytes = try #require(model.cache["vault"])
    for end in try Self.ends(of: bytes).dropLast().suffix(2) {
      var tried = 0
      while true {
        let disk = try maker.disk()
        let (before, lie) = (disk.cache["vault"], Lie(.shorten(to: end), at: tried))
        let failed = try code { try maker.run(on: lyingStorage(disk, lie), from: disk) }
        guard lie.wasTold else { break }
        let isWhole = disk.cache["vault"]?.count == bytes.count
        #expect(failed == nil ? isWhole : disk.cache["vault"] == before, "look \(tried) of \(maker)")
        if !lie.wasBelieved { #expect(failed == nil) }
        tried += 1
      }
      // The last look is a reader's, who must not be shown less than there is.
      let disk = try maker.disk()
      let lie = Lie(.shorten(to: end), at: tried - 1)
      let failed = try code { try maker.run(on: lyingStorage(disk, lie), from: disk) }
      #expect(failed != nil, "the last look of \(maker), to byte \(end)")
    }
  }

  /// Where batches end.
  private static func ends(of bytes: [UInt8]) throws -> [Int] {
    let disk = SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: bytes]))
    var window = try FileWindow(SimulatedStorage(disk: disk).open(writable: false))
    let generation = try window.generation()
    var ends: [Int] = []
    _ = try Walk(&window, from: Chain(startOf: generation), in: generation) { (header) in
      if header.endsBatch { ends.append(Int(header.offset) + header.frameLength) }
    }
    return ends
  }

  // Defends: a new generation that lacks a name does not take the vault's place, whatever it was that lost it.
  @Test func aLostName() throws {
    let disk = try Trace(Array(Trace.ordinary.prefix(3)), seed: 5).disk
    let early = try MaintenanceTests.view(of: disk)
    try Vault.open(.simulated(disk, seed: 6), credential: key()).commit([.put("late", [1]), .put("alice", [2])])
    let (environment, before) = (Environment.simulated(disk, seed: 7), disk.cache["vault"])
    let old = try Opening.view(
      of: SimulatedStorage(disk: disk).open(writable: false), with: key(), readsWhole: true)
    // What was chosen by an earlier state lacks what was written since.
    let wrong = try RecordSelection(of: early, keeping: Retention())
    let copy = try GenerationCopy.begin(environment, .impatient, nil, from: old, selecting: wrong) {
      (random) throws(VaultError) in
      try .next(after: old, changesDataKey: false, madeBy: .compaction, at: 0, random: &random)
    }
    do {
      _ = try copy.run()
      Issue.record("it took the vault's place")
    } catch {
      #expect(error.code == .io)
    }
    #expect(disk.cache["vault"] == before)
  }
}

/// One thing that a disk says and that is not so.
private final class Lie: Sendable {
  enum Kind: Sendable {
    /// The first byte of a read is another.
    case flip
    /// A file ends earlier.
    case shorten(to: Int)
  }

  let kind: Kind
  private let left: Mutex<Int>
  private let told = Mutex((was: false, wasBelieved: false, wasOfReadBack: false))

  /// - Parameter number: of the question that is answered wrong, from 0.
  init(_ kind: Kind, at number: Int) {
    self.kind = kind
    left = Mutex(number)
  }

  var wasTold: Bool { told.withLock { $0.was } }
  /// Whether it made a difference.
  var wasBelieved: Bool { told.withLock { $0.wasBelieved } }

  /// Whether it was about bytes that were read as they had been written.
  var wasOfReadBack: Bool { told.withLock { $0.wasOfReadBack } }

  func isNow() -> Bool {
    let isNow = left.withLock { (left) in
      left -= 1
      return left == -1
    }
    if isNow { told.withLock { $0.was = true } }
    return isNow
  }

  func noteBelieved() { told.withLock { $0.wasBelieved = true } }
  private let written = Mutex(0)

  /// Writes that files in the making got.
  var writes: Int { written.withLock { $0 } }
  func noteWrite() { written.withLock { $0 += 1 } }
  func noteReadBack() { told.withLock { $0.wasOfReadBack = true } }
}

/// A storage that lies about files in the making.
private func lyingStorage(_ disk: SimulatedDisk, _ lie: Lie) -> WrappedStorage {
  WrappedStorage(SimulatedStorage(disk: disk)) { (file, isTemporary) in isTemporary ? LyingFile(file, lie) : file }
}

private final class LyingFile: StorageFile {
  private let sound: any StorageFile
  private let lie: Lie
  /// Bytes of each write, by its offset.
  private let written = Mutex<[UInt64: Int]>([:])

  init(_ sound: any StorageFile, _ lie: Lie) { (self.sound, self.lie) = (sound, lie) }

  var identity: FileIdentity { sound.identity }
  func stamp() throws(VaultError) -> FileStamp? { try sound.stamp() }
  func resize(to length: UInt64) throws(VaultError) { try sound.resize(to: length) }
  func sync() throws(VaultError) { try sound.sync() }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) {
    written.withLock { $0[offset] = bytes.count }
    lie.noteWrite()
    try sound.write(bytes, at: offset)
  }

  func length() throws(VaultError) -> UInt64 {
    let length = try sound.length()
    guard case .shorten(let end) = lie.kind, lie.isNow(), UInt64(end) < length else { return length }
    lie.noteBelieved()
    return UInt64(end)
  }

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    let (first, wanted) = (output.count, output.freeCapacity)
    try sound.read(at: offset, into: &output)
    guard case .flip = lie.kind, output.count > first, lie.isNow() else { return }
    var bytes = output.mutableSpan
    bytes[first] ^= 1
    // One byte more is asked for where nothing may follow.
    if let count = written.withLock({ $0[offset] }), wanted == count || wanted == count + 1 { lie.noteReadBack() }
  }
}
