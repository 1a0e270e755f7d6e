import Glibc
import Synchronization
import TokenVault
import VaultEngine

// What one call takes, on a vault that is open.

extension Subject {
  /// Bytes of the file for each token.
  func bytesPerRecord() throws -> Double {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw BenchFailure(sentence: "\(path) can't be examined") }
    return Double(status.st_size) / Double(records)
  }

  /// Commits of one token in a second, one after the other, each on the disk before the next begins.
  func durablePut() throws -> Double {
    let count = 1500
    // A process that stays has the index in memory, and brings it there once.
    _ = try vault.snapshot()
    let time = try seconds { () throws(VaultError) in
      for number in 0..<count { try Self.put(number, into: vault) }
    }
    return Double(count) / time
  }

  /// The same by threads that don't wait for each other, in all.
  func concurrentDurablePut(threads: Int) throws -> Double {
    let each = 500
    let failure = Mutex<VaultError?>(nil)
    let (vault, first) = (vault, records)
    let time = seconds {
      Threads.perform(threads) { (thread) in
        do throws(VaultError) {
          for number in 0..<each { try Self.put(first + thread * each + number, into: vault) }
        } catch {
          failure.withLock { $0 = error }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    return Double(threads * each) / time
  }

  private static func put(_ number: Int, into vault: Vault) throws(VaultError) {
    var name: [UInt8] = []
    var token: [UInt8] = []
    Workload.write(name: number, to: &name)
    Workload.write(token: number, to: &token)
    var batch = try VaultBatch()
    try batch.put(name.span, value: token.span)
    try vault.commit(batch)
  }

  /// Nanoseconds of one read from a snapshot.
  func getSnapshot() throws -> Double {
    let snapshot = try vault.snapshot()
    return try nanoseconds { (name) throws(VaultError) in try snapshot.entry(named: name) }
  }

  /// Nanoseconds of one read that sees every commit of every process.
  func getFresh() throws -> Double {
    try nanoseconds { (name) throws(VaultError) in try vault.entry(named: name) }
  }

  /// Brings the whole file into the page cache, from which some machines take again what nobody has read for a while.
  private func readThrough() throws {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw BenchFailure(sentence: "\(path) can't be opened") }
    defer { close(descriptor) }
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while unsafe read(descriptor, &piece, piece.count) > 0 {}
  }

  private func nanoseconds(_ read: (Span<UInt8>) throws(VaultError) -> VaultEntry?) throws -> Double {
    let count = 200_000
    try readThrough()
    var sequence = ReadSequence()
    var name: [UInt8] = []
    var bytes = 0
    let time = try seconds { () throws(VaultError) in
      for _ in 0..<count {
        Workload.write(name: sequence.next(below: records), to: &name)
        guard let entry = try read(name.span) else { break }
        bytes += entry.value.count
      }
    }
    guard bytes > count * 200 else { throw BenchFailure(sentence: "what was loaded is not there") }
    return time / Double(count) * 1e9
  }

  /// Records in a second of a verification of the whole vault, with the key.
  func verify() throws -> Double {
    var report: VerifyReport?
    let time = try seconds { () throws(VaultError) in
      report = try Vault.verify(at: path, credential: KeySource.file(keyFile).credential(.key))
    }
    guard let report, report.usedKey, report.findings.isEmpty else {
      throw BenchFailure(sentence: "the vault does not verify")
    }
    return Double(report.records) / time
  }

  /// Records in a second of a change of the data key, which writes all of them anew.
  func rotate() throws -> Double {
    var kept = 0
    let time = try seconds { () throws(VaultError) in
      kept = try Vault.rotate(at: path, credential: KeySource.file(keyFile).credential(.key)).kept
    }
    return Double(kept) / time
  }

  /// Bytes of the file for each name, after it was compacted.
  func bytesPerRecordCompacted() throws -> Double {
    let report = try Vault.compact(at: path, credential: KeySource.file(keyFile).credential(.key))
    return Double(report.bytesAfter) / Double(report.names)
  }
}
