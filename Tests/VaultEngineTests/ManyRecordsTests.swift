import Synchronization
import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Work that is spread over several threads.
@Suite struct ManyRecordsTests {
  private static let file = 1

  /// Batches that are sealed in several parts, with names that come again in later ones, deletions and events.
  private func sample() throws -> (disk: SimulatedDisk, contents: Contents) {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 5), credential: key())
    var contents: Contents = [:]
    for (round, count) in [700, 2, 600].enumerated() {
      let puts: [Write] = (0..<count).map { (number) in
        .put(Name(bytes: Array("name \(number)".utf8)), [UInt8(round)] + [UInt8](repeating: 7, count: number % 300))
      }
      let others: [Write] = (0..<count / 2).map { (number) in
        number % 2 == 0
          ? .delete(Name(bytes: Array("name \(number)".utf8))) : .event(Name(bytes: Array("name \(number)".utf8)), [1])
      }
      try vault.commit(puts + others)
      for write in puts + others { write.apply(to: &contents) }
    }
    #expect(try vault.contents() == contents)
    return (disk, contents)
  }

  // Defends: a batch that is sealed on several threads reads as what it was, in this process and to whoever opens the file.
  @Test func aLargeBatch() throws {
    let (disk, contents) = try sample()
    let vault = try Vault.open(.simulated(disk, seed: 6), credential: key())
    #expect(try vault.contents() == contents)
  }

  // Defends: the same batch under the same random bytes is the same file, however the threads were scheduled.
  @Test func theSameFileEveryTime() throws {
    let first = try sample().disk.cache[SimulatedStorage.name]
    for _ in 0..<3 { #expect(try sample().disk.cache[SimulatedStorage.name] == first) }
  }

  // Defends: a condition that fails in the midst of a large batch writes nothing.
  @Test func aConditionThatFails() throws {
    let (disk, contents) = try sample()
    let before = disk.cache[SimulatedStorage.name]
    let vault = try Vault.open(.simulated(disk, seed: 6), credential: key())
    var batch = try VaultBatch()
    for number in 0..<1500 {
      let condition: WriteCondition = number == 1400 ? .version(1) : .any
      try batch.put(Array("new \(number % 1400)".utf8).span, value: [1].span, if: condition)
    }
    var refused: VaultError.Code?
    do {
      try vault.commit(batch)
    } catch {
      refused = error.code
    }
    #expect(refused == .conflict)
    #expect(disk.cache[SimulatedStorage.name] == before)
    #expect(try vault.contents() == contents)
  }

  // Defends: a walk that checks many frames at the same time ends where one does that checks frame by frame, and says the
  // same, wherever the file is damaged or cut.
  @Test func damageInALongFile() throws {
    let bytes = try #require(try sample().disk.cache[SimulatedStorage.name])
    #expect(bytes.count > 8 << 16)
    var random = SeededRandom(seed: 77)
    for number in 0..<120 {
      var changed = bytes
      let place = Int.random(in: 128..<bytes.count, using: &random)
      if number % 3 == 0 {
        changed.removeLast(bytes.count - place)
      } else {
        changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      let disk = SimulatedDisk(DiskImage(names: [SimulatedStorage.name: Self.file], files: [Self.file: changed]))
      var walks: [Walk] = []
      var visited: [[UInt64]] = [[], []]
      // Only a walk without a limit checks many frames at the same time.
      for (kind, limit) in [UInt64.max, UInt64.max - 1].enumerated() {
        var window = try FileWindow(SimulatedFile(disk, Self.file))
        let generation = try window.generation()
        walks.append(
          try Walk(&window, from: Chain(startOf: generation), in: generation, batchLimit: limit) { (header) in
            visited[kind].append(header.offset)
          })
      }
      let isSame =
        walks[0].committed == walks[1].committed && walks[0].batches == walks[1].batches
        && walks[0].records == walks[1].records && walks[0].lastBatch == walks[1].lastBatch
        && walks[0].failure?.description == walks[1].failure?.description && visited[0] == visited[1]
      #expect(isSame, "change \(number) at \(place)")
    }
  }

  // Defends: more threads than the keyring has ciphers read at the same time, and each gets what it asked for.
  @Test func manyReaders() throws {
    let (disk, contents) = try sample()
    let vault = try Vault.open(.simulated(disk, seed: 6), credential: key())
    let snapshot = try vault.snapshot()
    let names = contents.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    let wrong = Mutex(0)
    let body: @Sendable () -> Void = {
      for name in names {
        if (try? snapshot.value(of: name)) != contents[name] { wrong.withLock { $0 += 1 } }
      }
    }
    let threads = (0..<12).compactMap { _ in Threads.start(body) }
    #expect(threads.count == 12)
    for thread in threads { Threads.join(thread) }
    #expect(wrong.withLock { $0 } == 0)
  }

  // Defends: parts are taken and given in order, all of them, and no more than a few are in memory. Of many several are taken at a
  // time, so that threads don't wake each other for each; of a stream one, so that what has come is not held back.
  @Test(arguments: [0, 1, 2, 3, 50], [false, true])
  func theOrderOfParts(count: Int, isStream: Bool) throws {
    var (taken, given): (Int, [Int]) = (0, [])
    var most = 0
    // What was given away when parts were taken.
    var moments: Set<Int> = []
    try Threads.inOrder(isStream: isStream) { () throws(VaultError) in
      guard taken < count else { return Int?.none }
      taken += 1
      most = max(most, taken - given.count)
      moments.insert(given.count)
      return taken
    } work: { (number) throws(VaultError) in
      number * 10
    } give: { (result: Int) throws(VaultError) in
      given.append(result)
    }
    #expect(given == (0..<count).map { ($0 + 1) * 10 })
    #expect(most <= max(1, (isStream ? 2 : 6) * Threads.cores))
    if !isStream { #expect(moments.count <= 1 + count / (3 * Threads.cores)) }
  }

  // Defends: the error is that of the first part that failed, nothing behind it is given away, and all threads have ended.
  @Test func theFirstError() throws {
    var (taken, given): (UInt64, [UInt64]) = (0, [])
    var failure: VaultError?
    do throws(VaultError) {
      try Threads.inOrder { () throws(VaultError) in
        guard taken < 40 else { return UInt64?.none }
        taken += 1
        return taken
      } work: { (number) throws(VaultError) in
        guard number < 20 else { throw VaultError(.io, "failed", offset: number) }
        return number
      } give: { (number: UInt64) throws(VaultError) in
        given.append(number)
      }
    } catch {
      failure = error
    }
    #expect(failure?.offset == 20)
    #expect(given == Array(1..<20))
  }

  // Defends: a verification tells how far it is, never goes back, ends at the end, and says how long it took.
  @Test(arguments: [true, false])
  func progress(isKeyed: Bool) throws {
    let bytes = try #require(try sample().disk.cache[SimulatedStorage.name])
    let directory = try TemporaryDirectory()
    try directory.write(bytes, to: "vault")
    var seen: [VerifyProgress] = []
    let report = try Vault.verify(at: directory.path("vault"), credential: isKeyed ? key() : nil) { seen.append($0) }
    #expect(!report.isDamaged && report.duration > .zero && report.framesPerSecond > 0)
    let total = UInt64(bytes.count) * (isKeyed ? 2 : 1)
    #expect(seen.count > 8 && seen.allSatisfy { $0.bytesTotal == total })
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.bytesDone <= $1.bytesDone })
    #expect(seen.last?.bytesDone == total)
  }
}
