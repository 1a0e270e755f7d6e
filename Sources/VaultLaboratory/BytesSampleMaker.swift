import VaultCrypto
import VaultEngine
package import VaultFormat

/// Makes a ``VaultSample`` with the product's own writer, and keeps the books on what was written by itself.
package final class SampleMaker {
  private let disk: SimulatedDisk
  private let seed: UInt64
  private let vault: Vault
  private var contents: Contents = [:]
  private var records: [WrittenRecord] = []
  private var states: [SampleState] = []
  private var version: UInt64 = 0
  private var key: UInt8 = 7

  package init(seed: UInt64) throws {
    self.seed = seed
    disk = SimulatedDisk()
    vault = try Vault.create(.simulated(disk, seed: seed), credential: VaultLaboratory.key(key))
    try note()
  }

  /// Goes on with a copy of another's vault, by a draw of its own: a fork.
  package init(copying other: SampleMaker, seed: UInt64) throws {
    self.seed = seed
    disk = SimulatedDisk(other.disk.cache)
    vault = try Vault.open(.simulated(disk, seed: seed), credential: VaultLaboratory.key(other.key))
    (contents, records, states) = (other.contents, other.records, other.states)
    (version, key) = (other.version, other.key)
  }

  /// One commit.
  package func commit(_ writes: [Write]) throws {
    try vault.commit(writes)
    for write in writes {
      version += 1
      write.apply(to: &contents)
      records.append(WrittenRecord(write, version: version))
    }
    try note()
  }

  /// Several commits.
  package func commit(_ batches: [[Write]]) throws { for batch in batches { try commit(batch) } }

  /// Adds a key, which is a checkpoint.
  package func addKey(_ byte: UInt8) throws {
    try vault.addKey(VaultLaboratory.key(byte))
    try note()
  }

  /// Adds a passphrase of the least cost that the format allows.
  package func addPassphrase() throws {
    try vault.addKey(passphrase("correct horse"), passphraseCost: .scrypt(logN: 14, r: 8, p: 1))
    try note()
  }

  /// Takes another key in the place of the one that opens the vault: a checkpoint.
  package func changeKey(to byte: UInt8) throws {
    try vault.changeKey(to: VaultLaboratory.key(byte))
    key = byte
    try note()
  }

  /// A new generation with all records under a new data key.
  package func rotate() throws {
    _ = try Vault.rotate(.simulated(disk, seed: seed &+ 1000 &+ version), credential: VaultLaboratory.key(key))
    states = []
    try note()
  }

  /// A new generation with what still counts.
  package func compact() throws {
    _ = try Vault.compact(.simulated(disk, seed: seed &+ 2000 &+ version), credential: VaultLaboratory.key(key))
    var last: [Name: UInt64] = [:]
    for record in records where record.operation != .event { last[record.name] = record.version }
    records = records.filter {
      $0.operation == .event || $0.operation == .put && last[$0.name] == $0.version
    }
    states = []
    try note()
  }

  /// The vault as it is now.
  package func sample(_ name: String) -> VaultSample {
    let file = file
    let frames = SampleFrame.all(in: file)
    let end = frames.last?.range.upperBound ?? 0
    return VaultSample(name: name, bytes: Array(file.prefix(end)), frames: frames, states: states)
  }

  private var file: [UInt8] { disk.cache[SimulatedStorage.name] ?? [] }

  private func note() throws {
    let file = file
    let frames = SampleFrame.all(in: file)
    let end = frames.last?.range.upperBound ?? 0
    states.append(
      SampleState(
        end: end, sequence: UInt64(frames.count), contents: contents, records: records,
        pin: try Pin(ofFile: file, frames), checkpoint: frames.last { $0.type == 6 }?.batchStart ?? 0, key: key))
  }
}

extension WrittenRecord {
  fileprivate init(_ write: Write, version: UInt64) {
    switch write {
    case .put(let name, let value, _): self.init(operation: .put, name: name, value: value, version: version)
    case .delete(let name, _): self.init(operation: .delete, name: name, value: [], version: version)
    case .event(let name, let value): self.init(operation: .event, name: name, value: value, version: version)
    }
  }
}

extension Pin {
  /// What pins the end of these frames, computed from the file's bytes.
  package init(ofFile bytes: [UInt8], _ frames: [SampleFrame]) throws {
    var hasher = try LinkHasher()
    let last = frames.last?.range ?? 0..<128
    self.init(
      vaultID: FixedBytes(bytes.span.extracting(24..<40)), fileID: FixedBytes(bytes.span.extracting(40..<72)),
      generation: bytes.number(at: 72, 8), sequence: UInt64(frames.count),
      head: try hasher.link(of: bytes.span.extracting(last)))
  }
}
