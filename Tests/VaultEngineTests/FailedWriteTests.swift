import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// What a handle does when its write fails, and the disk is well again.
@Suite struct FailedWriteTests {
  private static let batch: [Write] = [.put("new", Array(repeating: 3, count: 900))]

  private func sample() throws -> (disk: SimulatedDisk, vault: Vault) {
    let disk = SimulatedDisk()
    try Vault.create(.simulated(disk, seed: 1), credential: key()).commit([.put("alice", [1])])
    return (disk, try Vault.open(.simulated(disk, seed: 2), credential: key()))
  }

  // Defends: a handle whose write failed acknowledges nothing more, and shows nothing; what half of a write has left is cut off,
  // and a new handle goes on.
  @Test(arguments: [false, true])
  func aFailedWriteLatches(writesHalf: Bool) throws {
    let (disk, vault) = try sample()
    let before = disk.cache["vault"]
    disk.fail(FailurePlan(first: 1, only: .write, writesHalf: writesHalf))
    #expect(try code { try vault.commit(Self.batch) } == .io)
    disk.fail(nil)
    #expect(disk.cache["vault"] == before)
    for _ in 0..<3 { #expect(try code { try vault.commit(Self.batch) } == .handleFailed) }
    #expect(try code { _ = try vault.contents() } == .handleFailed)
    try Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put("bob", [2])])
    #expect(try disk.contents() == ["alice": [1], "bob": [2]])
  }

  // Defends: on a full disk nothing is left of what did not fit, and the handle goes on when there is room; until then it sees
  // what others commit, as it always does.
  @Test func aFullDiskLeavesNothing() throws {
    let (disk, vault) = try sample()
    let before = disk.cache["vault"]
    disk.fail(FailurePlan(first: 1, only: .write, count: .max, isFull: true, writesHalf: true))
    #expect(try code { try vault.commit(Self.batch) } == .diskFull)
    disk.fail(nil)
    #expect(disk.cache["vault"] == before)
    try Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put("bob", [2])])
    #expect(try vault.contents() == ["alice": [1], "bob": [2]])
    try vault.commit([.put("carol", [3])])
    #expect(try disk.contents() == ["alice": [1], "bob": [2], "carol": [3]])
  }

  // Defends: nothing is cut off as long as the note can't be taken back that vouches for the end: another handle would build on it.
  @Test func aNoteThatStays() throws {
    let (disk, vault) = try sample()
    let note = disk.cache.note
    #expect(note.count == SyncNote.length)
    let file = try #require(disk.cache.names["vault"])
    let end = try #require(disk.cache["vault"]).count
    // An append of another was torn.
    let torn = Array(FrameHeader.sync)
    disk.perform(.write(file: file, offset: end, bytes: torn))
    disk.fail(FailurePlan(first: 1, only: .note, count: .max))
    #expect(try code { try vault.commit(Self.batch) } == .io)
    disk.fail(nil)
    #expect(disk.cache["vault"]?.count == end + torn.count && disk.cache.note == note)
    #expect(try code { try vault.commit(Self.batch) } == .handleFailed)
    try Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put("bob", [2])])
    #expect(try disk.contents() == ["alice": [1], "bob": [2]])
  }

  // Defends: nor does the handle go on when what was half written can't be cut off again.
  @Test func aCutThatFailsToo() throws {
    let (disk, vault) = try sample()
    let failing = WrappedStorage(SimulatedStorage(disk: disk)) { (file, _) in UncutFile(file) }
    var environment = Environment.simulated(disk, seed: 4)
    environment.storage = failing
    let another = try Vault.open(environment, credential: key())
    disk.fail(FailurePlan(first: 1, only: .write, count: .max, isFull: true, writesHalf: true))
    #expect(try code { try another.commit(Self.batch) } == .diskFull)
    disk.fail(nil)
    #expect(try code { try another.commit(Self.batch) } == .handleFailed)
    try vault.commit([.put("bob", [2])])
    #expect(try disk.contents() == ["alice": [1], "bob": [2]])
  }
}

/// A file that can't be made shorter.
private final class UncutFile: StorageFile {
  private let sound: any StorageFile

  init(_ sound: any StorageFile) { self.sound = sound }

  var identity: FileIdentity { sound.identity }
  func stamp() throws(VaultError) -> FileStamp? { try sound.stamp() }
  func length() throws(VaultError) -> UInt64 { try sound.length() }
  func sync() throws(VaultError) { try sound.sync() }
  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { try sound.write(bytes, at: offset) }
  func resize(to length: UInt64) throws(VaultError) { throw VaultError(.io, "it can't be made shorter") }

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    try sound.read(at: offset, into: &output)
  }
}
