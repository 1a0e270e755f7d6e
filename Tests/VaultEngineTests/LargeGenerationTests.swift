import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// New generations of so many bytes that batches are written and checked while the next ones are sealed.
@Suite struct LargeGenerationTests {
  /// A vault of about 10 MiB in 14 records, and what it holds.
  private static func vault() throws -> (disk: SimulatedDisk, contents: Contents) {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    for number in 0..<14 {
      try vault.commit([.put(Name(bytes: [UInt8(number) + 1]), Array(repeating: UInt8(number), count: 750_000))])
    }
    return (SimulatedDisk(disk.cache), try vault.contents())
  }

  // Defends: the new file holds everything; a batch of it is written when all but the one before it are synced, and the file gets
  // its name when all are.
  @Test(arguments: Verb.allCases) func batchesUnderWay(_ verb: Verb) throws {
    let (disk, contents) = try Self.vault()
    try verb.run(on: .simulated(disk, seed: 2))
    #expect(try Recovery.contents(of: disk.cache) == contents)
    #expect(try disk.verify().records == 14)
    var large = 0
    var unsynced = 0
    var hasName = false
    for operation in disk.journal {
      switch operation {
      case .write(_, _, let bytes):
        #expect(unsynced <= 1)
        unsynced += 1
        if bytes.count > 1 << 20 { large += 1 }
      case .sync: unsynced = 0
      case .rename:
        #expect(unsynced == 0)
        hasName = true
      default: break
      }
    }
    #expect(large > 2 && hasName)
  }

  // Defends: whichever write, sync or reading fails, also one that nobody waits for, the attempt fails, the vault holds what it
  // held, and no temporary file is left.
  @Test(arguments: [FailurePlan.Call.write, .sync, .read]) func everyCall(_ call: FailurePlan.Call) throws {
    let (whole, contents) = try Self.vault()
    var failures = 0
    // There are many readings, and each attempt takes its time.
    for number in stride(from: 1, through: 400, by: call == .read ? 24 : 1) {
      let disk = SimulatedDisk(whole.cache)
      disk.fail(FailurePlan(first: number, only: call))
      let failed = try code { _ = try Verb.rotate.run(on: .simulated(disk, seed: 3)) }
      let hasReached = disk.calls >= number
      disk.fail(nil)
      if failed != nil { failures += 1 }
      #expect(try Recovery.contents(of: disk.cache) == contents, "call \(number)")
      #expect(Array(disk.cache.names.keys) == [SimulatedStorage.name], "call \(number)")
      if !hasReached { break }
    }
    #expect(failures >= 4)
  }

  // Defends: a disk that holds something else than what was written to it is found out, in whichever batch, and the vault
  // stays as it was.
  @Test func aDiskThatLies() throws {
    let (whole, contents) = try Self.vault()
    let vault = try #require(whole.cache.names[SimulatedStorage.name])
    for batch in 2...4 {
      let disk = SimulatedDisk(whole.cache)
      disk.beforeSync(number: batch) {
        let file = vault + 1
        let length = disk.cache.files[file]?.count ?? 0
        disk.perform(.write(file: file, offset: length - 3000, bytes: [1, 2, 3]))
      }
      #expect(try code { _ = try Verb.compact.run(on: .simulated(disk, seed: 3)) } == .io, "batch \(batch)")
      #expect(try Recovery.contents(of: disk.cache) == contents, "batch \(batch)")
      #expect(Array(disk.cache.names.keys) == [SimulatedStorage.name], "batch \(batch)")
    }
  }
}

extension SimulatedDisk {
  /// Runs `body` before the sync of that number, from 1.
  fileprivate func beforeSync(number: Int, _ body: @escaping @Sendable () -> Void) {
    beforeNextSync { [self] in if number > 1 { beforeSync(number: number - 1, body) } else { body() } }
  }
}
