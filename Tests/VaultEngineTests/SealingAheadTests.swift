import Testing
import VaultLaboratory

@testable import VaultEngine

/// Large batches, which are sealed while the one before is being written.
@Suite struct SealingAheadTests {
  private static let large = (0..<10).map { Write.put(Name(bytes: [UInt8($0)]), Array(repeating: 7, count: 30_000)) }

  private static func contents(_ others: Contents) -> Contents {
    var contents = others
    for write in large { write.apply(to: &contents) }
    return contents
  }

  private func sample(
    _ before: [Write] = []
  ) throws -> (disk: SimulatedDisk, vault: Vault, gate: Gate, first: PendingCommit) {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    if !before.isEmpty { try vault.commit(before) }
    let gate = Gate(disk)
    let first = try vault.submit([.put("first", [1])])
    gate.waitUntilReached()
    return (disk, vault, gate, first)
  }

  // Defends: a large batch is taken while the one before it is still being synced, and follows it.
  @Test func sealedMeanwhile() throws {
    let (disk, vault, gate, first) = try sample()
    let second = try vault.submit(Self.large)
    wait(for: { vault.waiting == 0 })
    gate.open()
    #expect(try first.wait() == [1] && second.wait() == Array(2...11))
    #expect(try Recovery.contents(of: disk.cache) == Self.contents(["first": [1]]))
    #expect(try vault.contents() == Self.contents(["first": [1]]))
  }

  // Defends: it is sealed again when another process has written in between, and asks its conditions again.
  @Test(arguments: [false, true])
  func anotherProcessComesBetween(isRefused: Bool) throws {
    let (disk, vault, gate, first) = try sample()
    let another = try Vault.open(.simulated(disk, seed: 2), credential: key(), options: .reading)
    #expect(try another.contents() == ["first": [1]], "what is not synced may be seen by others")
    let second = try vault.submit(Self.large + [.put("between", [3], .absent)])
    wait(for: { vault.waiting == 0 })
    disk.beforeEveryLock {
      disk.beforeEveryLock(nil)
      let name: Name = isRefused ? "between" : "dora"
      _ = try? Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put(name, [2])])
    }
    gate.open()
    #expect(try first.wait() == [1])
    #expect(try code { try second.wait() } == (isRefused ? .conflict : nil))
    let expected: Contents =
      isRefused ? ["first": [1], "between": [2]] : Self.contents(["first": [1], "dora": [2], "between": [3]])
    #expect(try Recovery.contents(of: disk.cache) == expected)
  }

  // Defends: a checkpoint that was sealed with it is written behind the batch that it was sealed for, and behind no other: who came
  // between has written one of its own.
  @Test(arguments: [false, true])
  func aCheckpointSealedAhead(anotherComesBetween: Bool) throws {
    // With the first batch, a checkpoint is due.
    let before = (0..<127).map { Write.put(Name(bytes: [1, UInt8($0)]), [9]) }
    let (disk, vault, gate, first) = try sample(before)
    let second = try vault.submit(Self.large)
    wait(for: { vault.waiting == 0 })
    if anotherComesBetween {
      disk.beforeEveryLock {
        disk.beforeEveryLock(nil)
        _ = try? Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put("dora", [2])])
      }
    }
    gate.open()
    #expect(try first.wait() == [128])
    #expect(try second.wait().count == Self.large.count)
    var expected = Self.contents(["first": [1]])
    for write in before { write.apply(to: &expected) }
    if anotherComesBetween { expected["dora"] = [2] }
    #expect(try Recovery.contents(of: disk.cache) == expected)
    #expect(try disk.findings().isEmpty)
  }

  // Defends: what was sealed behind a batch whose sync failed is not written.
  @Test func theBatchBeforeFails() throws {
    let (disk, vault, gate, first) = try sample()
    let second = try vault.submit(Self.large)
    wait(for: { vault.waiting == 0 })
    disk.fail(FailurePlan(first: 1))
    gate.open()
    #expect(try code { try first.wait() } == .io)
    #expect(try code { try second.wait() } == .handleFailed)
    #expect(try Recovery.contents(of: disk.cache).isEmpty)
  }
}
