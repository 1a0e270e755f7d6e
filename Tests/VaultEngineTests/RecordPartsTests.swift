import Testing
import VaultLaboratory

@testable import VaultEngine

/// The records of a file, taken apart on all cores.
@Suite struct RecordPartsTests {
  /// What a record says, comparable.
  private struct Said: Equatable, Sendable {
    let operation: VaultEntry.Operation
    let version: UInt64
    let name: [UInt8]
    let value: [UInt8]
  }

  private static func said(by snapshot: VaultSnapshot) throws -> (one: [Said], parts: [[Said]]) {
    var one: [Said] = []
    try snapshot.forEachRecord { (entry) throws(VaultError) in
      one.append(
        Said(operation: entry.operation, version: entry.version, name: Array(entry.name), value: Array(entry.value)))
    }
    var parts: [[Said]] = []
    try snapshot.forEachPart([Said]()) { (facts, name, value, part) throws(VaultError) in
      part.append(
        Said(operation: facts.operation, version: facts.version, name: Array(name), value: Array(value)))
    } give: { (part) in
      parts.append(part)
    }
    return (one, parts)
  }

  private static func disk(batches: Int) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    for batch in 0..<batches {
      var writes = (0..<100).map { (number) in
        let name = "user-\(number * 7 % 60)-\(batch % 5)"
        return Write.put(Name(bytes: Array(name.utf8)), Array(repeating: UInt8(number), count: number))
      }
      if batch % 7 == 3 { writes.append(.put("large", Array(repeating: 0x61, count: 200_000))) }
      writes.append(.delete(Name(bytes: Array("user-1-\(batch % 5)".utf8))))
      writes.append(.event("user-2-0", Array("{}".utf8)))
      try vault.commit(writes)
    }
    try vault.close()
    return disk
  }

  // Defends: all records come, in their order, in parts that hold their own alone, with pages of the index between them and
  // none, from a handle that has replayed the file and one that has not.
  @Test(arguments: [0, 1, 40])
  func theSameAsOneByOne(_ batches: Int) throws {
    let disk = try Self.disk(batches: batches)
    for _ in 0..<2 {
      let vault = try Vault.open(.simulated(disk, seed: 2), credential: key())
      let (one, parts) = try Self.said(by: vault.snapshot())
      #expect(parts.flatMap { $0 } == one)
      #expect(one.count >= batches * 102)
      #expect(batches < 40 || parts.count > 10)
      #expect(parts.allSatisfy { !$0.isEmpty })
      try vault.commit([.put("one more", [1])])
      try vault.close()
    }
  }

  // Defends: what is thrown in a part ends it all, whatever the other threads are at.
  @Test func anErrorInAPart() throws {
    let vault = try Vault.open(.simulated(Self.disk(batches: 40), seed: 2), credential: key())
    let snapshot = try vault.snapshot()
    var given = 0
    #expect(throws: VaultError(.cancelled, "")) {
      try snapshot.forEachPart(0) { (facts, _, _, count) throws(VaultError) in
        guard facts.version != 2000 else { throw VaultError(.cancelled, "") }
        count += 1
      } give: { (count) in
        given += count
      }
    }
    #expect(given < 2000)
    #expect(throws: VaultError(.cancelled, "")) {
      try snapshot.forEachPart(0) { (_, _, _, _) in
      } give: { (_) throws(VaultError) in
        throw VaultError(.cancelled, "")
      }
    }
  }
}
