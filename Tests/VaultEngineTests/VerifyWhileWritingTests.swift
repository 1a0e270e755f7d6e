import Synchronization
import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// A verification while others write.
@Suite struct VerifyWhileWritingTests {
  /// A vault of five batches, and where each of them ends.
  private func sample() throws -> (disk: SimulatedDisk, ends: [UInt64]) {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    var ends: [UInt64] = []
    for number in 0..<5 {
      try vault.commit([.put("alice", [UInt8](repeating: UInt8(number), count: 700))])
      ends.append(UInt64(try #require(disk.cache["vault"]).count))
    }
    return (disk, ends)
  }

  private func verify(_ disk: SimulatedDisk, lengths: [UInt64]) throws -> VerifyReport {
    let storage = SimulatedStorage(disk: disk)
    let file = GrowingFile(try storage.open(writable: false), lengths)
    return try Vault.verify(file, lockedBy: storage, credential: key(), pin: nil, progress: nil)
  }

  // Defends: a batch that is half written when a verification begins, and whole, with others behind it, when it opens the
  // records, is no damage. The lengths are those that the file has each time that it is asked.
  @Test func aBatchThatGrowsMeanwhile() throws {
    let (disk, ends) = try sample()
    for half in [ends[1] + 50, ends[1] + 300, ends[2] - 16] {
      for whole in [ends[2], ends[3], ends[4], ends[3] + 90] {
        let report = try verify(disk, lengths: [half, whole])
        #expect(report.findings.isEmpty, "\(half), then \(whole): \(report.findings)")
      }
    }
  }

  // Defends: a batch that was there when a verification began, and was taken back because its sync failed, is no damage either.
  @Test func aBatchThatIsTakenBackMeanwhile() throws {
    let (disk, ends) = try sample()
    for end in [ends[0], ends[2], ends[3] + 4] {
      let report = try verify(disk, lengths: [ends[4], end])
      #expect(report.findings.isEmpty, "\(end): \(report.findings)")
      #expect(report.bytes == (end == ends[3] + 4 ? ends[3] : end))
    }
  }

  // Defends: damage that stays is found, whoever wrote meanwhile.
  @Test func damageIsFoundAllTheSame() throws {
    let (disk, ends) = try sample()
    let file = try SimulatedStorage(disk: disk).open(writable: true)
    let byte: [UInt8] = [0xEE]
    try file.write(byte.span, at: ends[0] + 120)
    #expect(try verify(disk, lengths: [ends[2] + 50, ends[4]]).isDamaged)
  }
}

/// A file that is of another length the next time that it is asked: at last, of the newest.
private final class GrowingFile: StorageFile {
  private let file: any StorageFile
  private let lengths: Mutex<[UInt64]>

  init(_ file: any StorageFile, _ lengths: [UInt64]) {
    self.file = file
    self.lengths = Mutex(lengths)
  }

  var identity: FileIdentity { file.identity }

  func length() throws(VaultError) -> UInt64 {
    lengths.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
  }

  func stamp() throws(VaultError) -> FileStamp? { try file.stamp() }

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    try file.read(at: offset, into: &output)
  }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { try file.write(bytes, at: offset) }

  func resize(to length: UInt64) throws(VaultError) { try file.resize(to: length) }

  func sync() throws(VaultError) { try file.sync() }
}
