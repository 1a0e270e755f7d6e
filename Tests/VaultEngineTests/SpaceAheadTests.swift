import Testing
import VaultLaboratory

@testable import VaultEngine

/// Zeros behind the last batch, over which the next ones are written.
@Suite struct SpaceAheadTests {
  private func commits(_ count: Int, to vault: Vault) throws {
    for number in 0..<count { try vault.commit([.put("alice", [UInt8(number)])]) }
  }

  private func zeros(_ disk: SimulatedDisk) -> Int {
    guard let bytes = disk.cache[SimulatedStorage.name] else { return 0 }
    return bytes.reversed().prefix { $0 == 0 }.count
  }

  private func sample() throws -> (disk: SimulatedDisk, vault: Vault) {
    let disk = SimulatedDisk()
    return (disk, try Vault.create(.simulated(disk, seed: 1), credential: key()))
  }

  // Defends: a handle that stays open writes over zeros, and the file keeps its length; a short-lived one leaves none, nor
  // does one that is closed or dropped.
  @Test func whoAllocates() throws {
    let (disk, first) = try sample()
    try commits(4, to: first)
    #expect(zeros(disk) == 0)
    try commits(1, to: first)
    let length = disk.cache[SimulatedStorage.name]?.count
    #expect(zeros(disk) > 10_000)
    try commits(20, to: first)
    #expect(disk.cache[SimulatedStorage.name]?.count == length)
    #expect(try first.contents() == ["alice": [19]])
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [19]])
    try first.close()
    #expect(zeros(disk) == 0)
    do {
      let second = try Vault.open(.simulated(disk, seed: 2), credential: key())
      try commits(9, to: second)
      #expect(zeros(disk) > 0)
    }
    #expect(zeros(disk) == 0)
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [8]])
  }

  // Defends: space behind another's batch, or a vault that another is writing to, is left alone.
  @Test func whatIsNotCut() throws {
    let (disk, first) = try sample()
    try commits(6, to: first)
    let second = try Vault.open(.simulated(disk, seed: 2), credential: key())
    #expect(disk.takeLock(.exclusive))
    try first.close()
    disk.releaseLock(.exclusive)
    let length = disk.cache[SimulatedStorage.name]?.count
    try second.commit([.put("bob", [1])])
    try second.close()
    #expect(disk.cache[SimulatedStorage.name]?.count == length)
    let (another, third) = try sample()
    try commits(6, to: third)
    try Vault.open(.simulated(another, seed: 2), credential: key()).commit([.put("bob", [1])])
    try third.close()
    #expect(zeros(another) > 0)
    #expect(try Recovery.contents(of: another.cache) == ["alice": [5], "bob": [1]])
  }

  // Defends: two handles that take turns see each other's batches through the zeros.
  @Test func takingTurns() throws {
    let (disk, first) = try sample()
    let second = try Vault.open(.simulated(disk, seed: 2), credential: key())
    for round in 0..<12 {
      try first.commit([.put("alice", [UInt8(round)], round == 0 ? .absent : .version(UInt64(round * 2 - 1)))])
      #expect(try second.value(of: "alice") == [UInt8(round)])
      try second.commit([.put("bob", [UInt8(round)])])
      #expect(try first.value(of: "bob") == [UInt8(round)])
    }
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [11], "bob": [11]])
  }

  // Defends: a disk without room for zeros has room for the batch.
  @Test func noRoomForZeros() throws {
    let (disk, vault) = try sample()
    try commits(4, to: vault)
    disk.fail(FailurePlan(first: 1, only: .write, isFull: true, writesHalf: true))
    try commits(3, to: vault)
    disk.fail(nil)
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [2]])
  }

  // Defends: a torn append among zeros is found by a handle that was open all the time and has seen the zeros, kept aside,
  // and cut off before it writes.
  @Test func aKilledWriterAmongZeros() throws {
    let (disk, first) = try sample()
    try commits(6, to: first)
    let second = try Vault.open(.simulated(disk, seed: 2), credential: key())
    disk.fail(FailurePlan(first: 1, count: .max, isKill: true, writesHalf: true))
    #expect(try code { try second.commit([.put("bob", Array(repeating: 1, count: 3000))]) } == .io)
    disk.fail(nil)
    let length = try #require(disk.cache[SimulatedStorage.name]).count
    disk.fail(FailurePlan(first: 1, only: .write, count: .max, isKill: true, writesHalf: true))
    let killed = try Vault.open(.simulated(disk, seed: 3), credential: key())
    #expect(try code { try killed.commit([.put("bob", Array(repeating: 1, count: 3000))]) } == .io)
    disk.fail(nil)
    #expect(try #require(disk.cache[SimulatedStorage.name]).count <= length)
    #expect(try first.contents() == ["alice": [5]])
    try first.commit([.put("carol", [3])])
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [5], "carol": [3]])
  }

  // Defends: room that a batch asks for behind it is there from its first commit on, is given back at the end, and is no part of
  // what a reader sees; a batch that can't have it is not written.
  @Test func roomBehindABatch() throws {
    let (disk, vault) = try sample()
    var batch = try VaultBatch()
    try batch.put(Array("alice".utf8).span, value: [1].span)
    batch.roomBehind = 50_000
    try vault.commit(batch)
    #expect((50_000..<55_000).contains(zeros(disk)))
    #expect(try Recovery.contents(of: disk.cache) == ["alice": [1]])
    let length = disk.cache[SimulatedStorage.name]?.count
    try vault.commit([.put("bob", [UInt8](repeating: 2, count: 40_000))])
    #expect(disk.cache[SimulatedStorage.name]?.count == length)
    try vault.close()
    #expect(zeros(disk) == 0)
    #expect(try Recovery.contents(of: disk.cache)["alice"] == [1])
  }

  // Defends: never more than 1 MiB ahead, never for large batches, and rarely.
  @Test func howMuch() {
    var space = SpaceAhead()
    var (end, length): (UInt64, UInt64) = (1000, 1000)
    var times = 0
    for number in 0..<20_000 {
      if let zeros = space.zeros(for: 432, at: end, length: length) {
        #expect(zeros.lowerBound == max(length, end) && zeros.upperBound > end + 432)
        #expect(zeros.upperBound - end - 432 <= 1 << 20)
        length = zeros.upperBound
        times += 1
      }
      end += 432
      length = max(length, end)
      #expect(number >= 4 || times == 0)
    }
    #expect(times > 8 && times < 20)
    #expect(space.zeros(for: 1 << 20, at: end, length: length) == nil)
  }
}
