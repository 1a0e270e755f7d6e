import Glibc
import Synchronization
import VaultCrypto
import VaultEngine

// The least that work on many records takes on this machine, whoever does it: the primitives that the format demands, on all
// cores and in no order, and beside them the system calls that bring the same bytes to the disk or from it. No index, no codec,
// nothing that waits for anything.

extension Subject {
  /// Records in a second of a load: sealed on all cores, while the same bytes are written and synced batch by batch.
  func floorOfLoading() throws -> Double {
    let file = try FloorFile(path + ".floor", frames: 0)
    let records = records
    let rate = try floor { (primitives) throws(CryptoError) in
      try primitives.write()
    } beside: {
      for start in stride(from: 0, to: records, by: Self.batch) { file.write(frames: min(Self.batch, records - start)) }
    }
    try file.check()
    return rate
  }

  /// Records in a second of a verification: the file is read twice, as no key is tried before its structure was judged.
  func floorOfVerification() throws -> Double {
    let file = try ReadFile(path)
    return try floor { (primitives) throws(CryptoError) in
      try primitives.verify()
    } beside: {
      for _ in 0..<2 { file.readAll() }
    }
  }

  /// Records in a second of a rotation: the old file is read, the new one written, synced and read back.
  func floorOfRotation() throws -> Double {
    let (old, new) = (try ReadFile(path), try FloorFile(path + ".floor", frames: 0))
    let records = records
    let rate = try floor { (primitives) throws(CryptoError) in
      try primitives.rotate()
    } beside: {
      for _ in 0..<2 { old.readAll() }
      for start in stride(from: 0, to: records, by: Self.batch) { new.write(frames: min(Self.batch, records - start)) }
    }
    try new.check()
    return rate
  }

  /// Nanoseconds of one read at a place of the file that nobody knows beforehand, found in 16 bytes of memory a name.
  ///
  /// - Parameter isFresh: the file is asked first whether it has changed.
  func floorOfRead(isFresh: Bool) throws -> Double {
    let count = 200_000
    let file = try ReadFile(path)
    let table = [UInt64](repeating: 1, count: 2 * records)
    var primitives = try Primitives.make()
    var sequence = ReadSequence()
    var name: [UInt8] = []
    var places: UInt64 = 0
    let time = try seconds { () throws(CryptoError) in
      for _ in 0..<count {
        let number = sequence.next(below: records)
        Workload.write(name: number, to: &name)
        // Names of one neighbourhood are not neighbours in a table.
        places &+= table[Int(UInt(bitPattern: number) &* 0x9E37_79B9_7F4A_7C15 % UInt(table.count))]
        if isFresh { file.look() }
        file.readFrame(number, of: records)
        try primitives.open()
      }
    }
    guard places == count else { throw BenchFailure(sentence: "the table is not read") }
    return time / Double(count) * 1e9
  }

  private func floor(
    of work: @escaping @Sendable (inout Primitives) throws(CryptoError) -> Void,
    beside calls: @escaping @Sendable () -> Void
  ) throws -> Double {
    let each = records / Threads.cores
    let failure = Mutex<CryptoError?>(nil)
    let time = seconds {
      Threads.perform(Threads.cores + 1) { (number) in
        guard number > 0 else { return calls() }
        do throws(CryptoError) {
          var primitives = try Primitives.make()
          for _ in 0..<each { try work(&primitives) }
        } catch {
          failure.withLock { $0 = error }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    return Double(each * Threads.cores) / time
  }
}

/// A file that is read as the engine reads it, and what was read is not looked at.
private final class ReadFile: Sendable {
  private static let piece = 1 << 20

  private let descriptor: Int32
  private let length: Int

  init(_ path: String) throws {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0, status.st_size > FloorFile.frame else {
      throw BenchFailure(sentence: "\(path) can't be read")
    }
    length = Int(status.st_size)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Reads from the beginning to the end.
  func readAll() {
    var piece = [UInt8](repeating: 0, count: Self.piece)
    for place in stride(from: 0, to: length, by: Self.piece) {
      unsafe _ = pread(descriptor, &piece, Self.piece, off_t(place))
    }
  }

  /// Reads as many bytes as a frame has, where the frame of that number may be.
  func readFrame(_ number: Int, of count: Int) {
    let place = (length - FloorFile.frame) / count * number
    unsafe withUnsafeTemporaryAllocation(byteCount: FloorFile.frame, alignment: 16) { (buffer) in
      unsafe _ = pread(descriptor, buffer.baseAddress, FloorFile.frame, off_t(place))
    }
  }

  /// Asks what became of the file.
  func look() {
    var status = stat()
    unsafe _ = fstat(descriptor, &status)
  }
}
