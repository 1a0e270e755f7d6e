import Glibc
import Synchronization
import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Checks that stand between a rare meeting and a loss, one test each.
@Suite struct GuardTests {
  private func sample(_ value: UInt8 = 1) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).commit([.put("alice", [value])])
    return disk
  }

  /// Syncs of files that a new handle's commit takes.
  private func syncs(_ disk: SimulatedDisk) throws -> Int {
    let before = disk.syncs
    try Vault.open(.simulated(disk, seed: UInt64(before) + 77), credential: key()).commit([.put("bob", [2])])
    return disk.syncs - before
  }

  // Defends: the note of the synced end is of one file: of another with the very same bytes, nothing is known to be on the disk.
  @Test func aNoteOfAnotherFile() throws {
    let disk = try sample()
    let bytes = try #require(disk.cache["vault"])
    let file = disk.create { _ in "other" }
    disk.perform(.write(file: file, offset: 0, bytes: bytes))
    disk.perform(.rename(file: file, from: "other", to: "vault"))
    #expect(try syncs(disk) == 2)
  }

  // Defends: and of one history: an end at the same place of the same file may be another's.
  @Test func aNoteOfAnotherHistory() throws {
    let (disk, other) = (try sample(), try sample(2))
    let bytes = try #require(other.cache["vault"])
    #expect(bytes.count == disk.cache["vault"]?.count)
    disk.perform(.write(file: try #require(disk.cache.names["vault"]), offset: 0, bytes: bytes))
    #expect(try syncs(disk) == 2)
  }

  // Defends: a handle that gives back its space cuts off no batch of another's, though it has read that batch.
  @Test func othersBatchesStay() throws {
    let disk = try sample()
    let first = try Vault.open(.simulated(disk, seed: 2), credential: key())
    for number in 0..<6 { try first.commit([.put("alice", [UInt8(number)])]) }
    try Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put("bob", [2])])
    #expect(try first.contents() == ["alice": [5], "bob": [2]])
    try first.close()
    #expect(try disk.contents() == ["alice": [5], "bob": [2]])
  }

  // Defends: who changes keys or restores waits for the lock as every writer does; and no generation is made beside another.
  @Test func theLock() throws {
    let disk = try sample()
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key(), options: .impatient)
    let backup = SimulatedStorage(disk: disk, path: "backup")
    _ = try Vault.backup(SimulatedStorage(disk: disk), credential: nil, to: backup, replacing: false)
    var options = RestoreOptions()
    (options.acceptsRollback, options.lockTimeout) = (true, .zero)
    func restore() throws {
      _ = try Vault.restore(backup, credential: key(), to: .simulated(disk, seed: 3), options: options)
    }
    let before = disk.cache
    #expect(disk.takeLock(.exclusive))
    #expect(try code { try vault.addKey(key(8)) } == .locked)
    #expect(try code { try restore() } == .locked)
    disk.releaseLock(.exclusive)
    #expect(disk.cache == before)
    do {
      let temporary = try SimulatedStorage(disk: disk).createTemporary()
      #expect(try code { try restore() } == .locked)
      _ = temporary.identity
    }
    try restore()
    #expect(try vault.addKey(key(8)) == 2)
  }

  // Defends: a vault whose keys were changed since the backup is newer, though nothing else was written.
  @Test func keysThatWereChangedSince() throws {
    let disk = try sample()
    let backup = SimulatedStorage(disk: disk, path: "backup")
    _ = try Vault.backup(SimulatedStorage(disk: disk), credential: nil, to: backup, replacing: false)
    let vault = try Vault.open(.simulated(disk, seed: 2), credential: key())
    try vault.addKey(key(8))
    let refused = try code { _ = try Vault.restore(backup, credential: key(), to: .simulated(disk, seed: 3)) }
    #expect(refused == .rollback)
    #expect(try vault.keys().count == 2)
  }

  // Defends: no backup is made of records that do not open, when there is a key to tell.
  @Test func aForgedVaultIsNoBackup() throws {
    let bytes = try #require(try sample().cache["vault"])
    let forged = try ForgedVault.changing(bytes) { $0[bytes.count - 20] ^= 1 }
    let disk = SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: forged]))
    let refused = try code {
      _ = try Vault.backup(
        SimulatedStorage(disk: disk), credential: key(), to: SimulatedStorage(disk: disk, path: "copy"),
        replacing: false)
    }
    #expect(refused == .frameDamaged && Array(disk.cache.names.keys) == ["vault"])
  }

  // Defends: what was sealed in a new file is compared with what it was made of, byte by byte.
  @Test func anotherRecord() throws {
    let environment = Environment.simulated(SimulatedDisk(), seed: 4)
    var random = try environment.makeRandom()
    let keys = try GenerationKeys.first(for: key(), cost: .scrypt(logN: 14, r: 8, p: 1), at: 0, random: &random)
    let writer = try GenerationWriter.begin(environment, keys, random: random)
    let (view, end) = (writer.view, writer.view.chain.offset)
    let check = try GenerationCheck(founding: view.file.read(at: 0, count: Int(end)), in: view.file, keys)
    func block(_ value: [UInt8]) throws -> RecordBlock {
      let record = Record(.put, time: 0, version: 1, previous: 0, nameLength: 1, valueLength: value.count)
      let name: [UInt8] = [7]
      let plaintext = try record.plaintext(name: name.span, value: value.span, padding: 32)
      var builder = try RecordBlock.Builder(capacity: 64)
      try builder.append(record, plaintext.span, tag: view.keyring.tag(of: name.span))
      return builder.block()
    }
    let sealed = try #require(try CopySealer.seal([block([1])], after: view, random: &random))
    try check.compare([block([1])], with: sealed, from: end, of: view.generation)
    #expect(try code { try check.compare([block([2])], with: sealed, from: end, of: view.generation) } == .io)
  }

  // Defends: and the founding batch with what was written, before anything is written behind it.
  @Test func anotherFoundingBatch() throws {
    let environment = Environment.simulated(SimulatedDisk(), seed: 5)
    var random = try environment.makeRandom()
    let keys = try GenerationKeys.first(for: key(), cost: .scrypt(logN: 14, r: 8, p: 1), at: 0, random: &random)
    let view = try GenerationWriter.begin(environment, keys, random: random).view
    let bytes = try view.file.read(at: 0, count: Int(view.chain.offset))
    _ = try GenerationCheck(founding: bytes, in: view.file, keys)
    for change in [{ $0[300] ^= 1 }, { $0.append(0) }] as [(inout [UInt8]) -> Void] {
      var other = bytes
      change(&other)
      #expect(try code { _ = try GenerationCheck(founding: other, in: view.file, keys) } == .io)
    }
  }

  // Defends: a file in whose end there are more zeros than anybody allocates ahead is refused, though nothing else is wrong with it.
  @Test func moreZerosThanAnybodyAllocates() throws {
    let directory = try TemporaryDirectory()
    let bytes = try #require(try sample().cache["vault"])
    try directory.write(bytes, to: "vault")
    let descriptor = try directory.open("vault")
    defer { _ = Glibc.close(descriptor) }
    #expect(ftruncate(descriptor, off_t(bytes.count) + off_t(Limits.zeroTail) + 1) == 0)
    var window = try FileWindow(FileStorage(path: directory.path("vault")).open(writable: false))
    let generation = try window.generation()
    let walk = try Walk(&window, from: Chain(startOf: generation), in: generation)
    #expect(walk.committed.offset == UInt64(bytes.count))
    #expect(try code { _ = try Tail(&window, behind: walk, in: generation) } == .limitExceeded)
  }

  // Defends: a file that ends between two frames of its founding batch is damaged there, and that place is named.
  @Test func anEndInsideTheFoundingBatch() throws {
    let bytes = try #require(try sample().cache["vault"])
    var window = try FileWindow(SimulatedStorage(disk: sample()).open(writable: false))
    let generation = try window.generation()
    var ends: [UInt64] = []
    _ = try Walk(&window, from: Chain(startOf: generation), in: generation, batchLimit: 1) { (header) in
      if !header.endsBatch { ends.append(header.offset + UInt64(header.frameLength)) }
    }
    #expect(ends.count == 2)
    for end in ends {
      let disk = SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: Array(bytes.prefix(Int(end)))]))
      do {
        _ = try Vault.open(.simulated(disk, seed: 2), credential: key())
        Issue.record("it opened")
      } catch let error as VaultError {
        #expect(error.code == .frameDamaged && error.offset == end, "\(error)")
      }
    }
  }

  // Defends: a file that is made was not there before, be it a file or a link.
  @Test func onlyNewFiles() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "there")
    #expect(try code { _ = try SystemCall.create(directory.path("there")) } == .conflict)
    #expect(try directory.read("there") == [1])
  }

  // Defends: a new vault takes the place of nothing, though it came there while the vault was being made.
  @Test func nothingIsReplaced() throws {
    let directory = try TemporaryDirectory()
    let storage = FileStorage(path: directory.path("vault"))
    let temporary = try storage.createTemporary()
    try directory.write([1], to: "vault")
    #expect(try code { try storage.publish(temporary) } == .conflict)
    storage.discard(temporary)
    #expect(try directory.read("vault") == [1])
    #expect(try directory.names() == ["vault"])
  }

  // Defends: a file that was changed a moment ago has no stamp, since what comes next may get the same time.
  @Test func aStampInDoubt() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "vault")
    let path = directory.path("vault")
    let file = try OpenFile.adopt(SystemCall.open(path, O_RDWR), path)
    var attempts = 0
    for number in 0..<1000 {
      let start = ContinuousClock.now
      try file.write([UInt8(truncatingIfNeeded: number)].span, at: 0)
      let stamp = try file.stamp()
      // Only where the two lie together is it known what must come of it.
      guard ContinuousClock.now - start < .milliseconds(5) else { continue }
      #expect(stamp == nil)
      attempts += 1
      if attempts == 10 { break }
    }
    #expect(attempts == 10)
  }

  // Defends: no program that this one starts inherits a vault, however it is started.
  @Test func descriptorsAreClosedForOtherPrograms() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    for flags in [O_RDWR | O_CREAT, O_RDWR, O_RDONLY] {
      let descriptor = try SystemCall.open(path, flags)
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
      _ = Glibc.close(descriptor)
    }
  }

  // Defends: where a standard descriptor is closed, no vault takes its place, in which a program would then print.
  @Test func aClosedStandardDescriptor() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "vault")
    let path = directory.path("vault")
    // All that the child runs has run before.
    _ = Glibc.close(try SystemCall.open(path, O_RDWR))
    #expect(try code { throw VaultError(.io, "") } == .io)
    let child = try ForkTests.fork()
    if child == 0 {
      _ = alarm(60)
      _exit(Self.statusOfOpening(path))
    }
    var status: Int32 = 0
    unsafe #expect(waitpid(child, &status, 0) == child)
    #expect(status == 0, "the child ended with \(status)")
    #expect(try directory.read("vault") == [1])
  }

  /// 0 when the file is not opened in the place of standard output.
  private static func statusOfOpening(_ path: String) -> Int32 {
    _ = Glibc.close(1)
    do throws(VaultError) {
      _ = try SystemCall.open(path, O_RDWR)
      return 1
    } catch {
      return error.code == .io && fcntl(1, F_GETFD) == -1 ? 0 : 2
    }
  }

  /// A vault with more behind it than anybody may leave.
  private final class LongFile: StorageFile {
    private let bytes: [UInt8]
    private let end: UInt64
    private let largest = Mutex(0)

    init(_ bytes: [UInt8], end: UInt64) { (self.bytes, self.end) = (bytes, end) }

    /// Bytes that were asked for at once, at most.
    var largestRead: Int { largest.withLock { $0 } }
    var identity: FileIdentity { FileIdentity(device: 1, inode: 1) }
    func length() throws(VaultError) -> UInt64 { end }
    func stamp() throws(VaultError) -> FileStamp? { nil }
    func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) {}
    func resize(to length: UInt64) throws(VaultError) {}
    func sync() throws(VaultError) {}

    func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
      largest.withLock { $0 = max($0, output.freeCapacity) }
      guard output.freeCapacity <= 1 << 20 else { throw VaultError(.io, "nobody needs so much at once") }
      var place = offset
      while output.freeCapacity > 0, place < end {
        output.append(place < UInt64(bytes.count) ? bytes[Int(place)] : 0xFF)
        place += 1
      }
    }
  }

  // Defends: what stands behind the last batch is not brought into memory when it is longer than any batch and all space ahead.
  @Test func aTailWithoutEnd() throws {
    let file = LongFile(try #require(try sample().cache["vault"]), end: 515 << 20)
    var window = try FileWindow(file)
    let generation = try window.generation()
    let walk = try Walk(&window, from: Chain(startOf: generation), in: generation)
    #expect(walk.batches == 2)
    #expect(try code { _ = try Tail(&window, behind: walk, in: generation) }?.isDamage == true)
    #expect(file.largestRead < 1 << 20)
  }
}
