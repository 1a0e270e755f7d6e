import Synchronization
import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Files and batches at the limits of the format that are counted in megabytes.
@Suite struct LargeFileTests {
  private static func vault() throws -> [UInt8] {
    let trace = try Trace([[.put("alice", [1])]], seed: 131)
    return try #require(trace.disk.cache[SimulatedStorage.name])
  }

  private static func structure(of file: any StorageFile) throws -> Opening.Structure {
    var window = try FileWindow(file)
    return try Opening.structure(&window)
  }

  // Defends: as many zeros as may be allocated ahead, and the batch that they were allocated for, are the end of a vault; one zero
  // more is a limit that was passed, by whichever way the file is opened, and no damage.
  @Test func zerosBehindTheEnd() throws {
    let vault = try Self.vault()
    let allowed = ZeroEndedFile(vault, zeros: Limits.zeroTail)
    #expect(try Self.structure(of: allowed).walk.committed.offset == UInt64(vault.count))
    let over = ZeroEndedFile(vault, zeros: Limits.zeroTail + 1)
    #expect(try code { _ = try Self.structure(of: over) } == .limitExceeded)
    #expect(try code { _ = try Opening.view(of: over, with: key()) } == .limitExceeded)
    // So many that nobody looks for what is before them.
    let far = ZeroEndedFile(vault, zeros: Limits.zeroTail + (1 << 20))
    var window = try FileWindow(far)
    let generation = try window.generation()
    #expect(try code { _ = try NewestRoot.checkpoint(&window, in: generation) } == .limitExceeded)
  }

  // Defends: the newest root is looked for as far back as a batch and the space ahead of it reach, and no farther.
  @Test func howFarTheRootIsLookedFor() throws {
    let sample = try VaultSample.indexed(seed: 133)
    for (zeros, isFound) in [(UInt64(1 << 20), true), (330 << 20, false)] {
      let file = ZeroEndedFile(sample.bytes, zeros: zeros, ending: 1)
      var window = try FileWindow(file)
      let generation = try window.generation()
      let found = try NewestRoot.checkpoint(&window, in: generation)
      #expect(found?.lastBatch?.offset == (isFound ? UInt64(sample.newest.checkpoint) : nil))
    }
  }

  // Defends: what follows the last whole batch is not read into memory when it is more than a batch and the zeros ahead of it can be:
  // it is damage where the walk ended.
  @Test func moreThanABatchBehindTheEnd() throws {
    let vault = try Self.vault()
    let file = ZeroEndedFile(vault, zeros: UInt64(Limits.batchBytes) + Limits.zeroTail + 1)
    do {
      _ = try Self.structure(of: file)
      Issue.record("it opened")
    } catch let error as VaultError {
      #expect(error.code == .frameDamaged && error.offset == UInt64(vault.count))
    }
    #expect(file.bytesRead < 1 << 20)
  }

  // Defends: a batch whose frames come to more than 256 MiB is refused before anything of it is sealed or written, however little it
  // says, and the handle goes on.
  @Test func aBatchThatIsTooLarge() throws {
    var handMade = HandMadeVault(generation: 1)
    handMade.padding = 4096
    let disk = SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: try handMade.bytes()]))
    let vault = try Vault.open(.simulated(disk, seed: 132), credential: key())
    try vault.refusesEvents(VaultLimits.batch, on: disk)
    #expect(try vault.contents() == ["alice": [1]])
  }
}

/// A file with a great many zeros behind its bytes, which nobody has in memory.
private final class ZeroEndedFile: StorageFile {
  private let bytes: BytesFile
  private let end: UInt64
  private let whole: UInt64
  private let last: UInt8
  private let read = Atomic<UInt64>(0)

  /// - Parameter last: the very last byte.
  init(_ bytes: [UInt8], zeros: UInt64, ending last: UInt8 = 0) {
    self.bytes = BytesFile(bytes)
    self.last = last
    (end, whole) = (UInt64(bytes.count), UInt64(bytes.count) + zeros)
  }

  /// Bytes that were asked for so far.
  var bytesRead: UInt64 { read.load(ordering: .relaxed) }

  var identity: FileIdentity { bytes.identity }

  func length() throws(VaultError) -> UInt64 { whole }

  func stamp() throws(VaultError) -> FileStamp? { nil }

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    let before = output.count
    if offset < end { try bytes.read(at: offset, into: &output) }
    let left = whole - min(whole, offset + UInt64(output.count - before))
    let count = Int(min(left, UInt64(output.freeCapacity)))
    output.append(repeating: 0, count: count)
    if count > 0, UInt64(count) == left {
      _ = output.removeLast()
      output.append(last)
    }
    read.add(UInt64(output.count - before), ordering: .relaxed)
  }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { try self.bytes.write(bytes, at: offset) }

  func resize(to length: UInt64) throws(VaultError) { try bytes.resize(to: length) }

  func sync() throws(VaultError) { try bytes.sync() }
}
