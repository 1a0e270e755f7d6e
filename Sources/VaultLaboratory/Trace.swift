import VaultEngine

/// Commits made on a simulated disk, and what each of them left.
package struct Trace {
  package let disk: SimulatedDisk
  /// What the vault holds after each commit that was acknowledged, the empty vault first, with the length that the
  /// journal had when the acknowledgement came.
  package private(set) var acknowledged: [(contents: Contents, journal: Int)] = []

  /// Makes a vault and commits every batch.
  ///
  /// - Parameter reopening: each commit is made by a handle of its own, as short-lived processes do.
  package init(_ batches: [[Write]], reopening: Bool = false, seed: UInt64) throws {
    disk = SimulatedDisk()
    var vault = try Vault.create(.simulated(disk, seed: seed), credential: key())
    var contents: Contents = [:]
    acknowledged.append((contents, disk.journal.count))
    for (number, batch) in batches.enumerated() {
      if reopening { vault = try Vault.open(.simulated(disk, seed: seed &+ UInt64(number) + 1), credential: key()) }
      try vault.commit(batch)
      for write in batch { write.apply(to: &contents) }
      acknowledged.append((contents, disk.journal.count))
    }
  }

  /// The states that a vault may be in when the power goes at a point of the journal: the newest that was acknowledged,
  /// or one commit more. Empty as long as creating it was not acknowledged.
  package func allowed(at point: Int) -> [Contents] {
    let done = acknowledged.prefix { $0.journal <= point }.count
    guard done > 0 else { return [] }
    return acknowledged[(done - 1)...].prefix(2).map(\.contents)
  }

  /// Eight commits as a program makes them: overwriting, deleting, events, several writes at once, one of several KB.
  package static let ordinary: [[Write]] = [
    [.put("alice", [1, 2, 3])],
    [.put("bob", Array(repeating: 0x42, count: 300)), .put("carol", [9])],
    [.put("alice", Array(repeating: 0, count: 700)), .event("alice", [1]), .put("dora", [4]), .delete("carol")],
    [.delete("bob")],
    [.put("large", (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) })],
    [.put("bob", [5]), .put("bob", [6]), .event("bob", [])],
    [.put("alice", [7])],
    [.put("erin", Array(repeating: 0xF5, count: 90)), .delete("dora"), .put("dora", [8])],
  ]
}
