import VaultEngine

/// What a vault holds, as far as a promise speaks of it.
package struct Held: Hashable, Sendable {
  package let contents: Contents
  /// The version of the newest write: it tells of events and deletions, too.
  package let version: UInt64

  package init(contents: Contents, version: UInt64) { (self.contents, self.version) = (contents, version) }

  var words: String { "\(contents.count) names up to version \(version)" }
}

/// What went wrong with a vault that a writer went on with.
struct Unsound: Error, CustomStringConvertible {
  let description: String
}

extension SimulatedDisk {
  /// What a reader finds on the disk, who must leave it alone.
  package func held() throws -> Held {
    let before = journal.count
    let vault = try Vault.open(.process(self, seed: 0), credential: key(), options: .reading)
    let snapshot = try vault.snapshot()
    let held = Held(contents: try snapshot.contents(), version: snapshot.lastVersion)
    guard journal.count == before else { throw Unsound(description: "a reader changed the disk") }
    return held
  }

  /// Whether another key, all of whose bytes have this value, opens the vault.
  package func opens(with byte: UInt8) throws -> Bool {
    do {
      _ = try Vault.open(.process(self, seed: 0), credential: key(byte), options: .reading)
      return true
    } catch let error as VaultError where error.code == .wrongKey {
      return false
    }
  }

  /// What a reader finds on the disk.
  package func contents() throws -> Contents { try held().contents }

  /// Checks the vault as `verify` does, with the key.
  ///
  /// - Returns: a sentence for each thing that is wrong.
  package func findings(credential byte: UInt8 = 7) throws -> [String] {
    let file = try SimulatedStorage(disk: self).open(writable: false)
    let report = try Vault.verify(file, lockedBy: nil, credential: key(byte), pin: nil, progress: nil)
    return report.findings.map(\.sentence) + (report.tornBytes > 0 ? ["a torn tail of \(report.tornBytes) bytes"] : [])
  }
}

/// A vault found after a crash, and a writer that goes on with it.
package enum Recovered {
  /// Commits a batch, and has all checked afterwards.
  ///
  /// - Returns: the disk with the batch.
  @discardableResult
  package static func check(_ image: DiskImage, seed: UInt64) throws -> SimulatedDisk {
    let disk = SimulatedDisk(image)
    let before = try disk.held()
    let addition = [Write.put("after the crash", Array("\(seed)".utf8)), .put("alice", [0xAA])]
    try Vault.open(.process(disk, seed: seed), credential: key()).commit(addition)
    var contents = before.contents
    for write in addition { write.apply(to: &contents) }
    let found = try SimulatedDisk(disk.cache).held()
    guard found.contents == contents, found.version > before.version else {
      throw Unsound(description: "holds \(found.words) after \(before.words) and two writes")
    }
    if let finding = try disk.findings().first { throw Unsound(description: "verify finds: \(finding)") }
    guard !disk.cache.names.keys.contains(where: { $0.contains(".tmp-") }) else {
      throw Unsound(description: "a temporary file is left")
    }
    return disk
  }
}
