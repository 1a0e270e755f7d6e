import VaultEngine
import VaultFormat

/// Damaged vaults that are salvaged into new ones.
extension ReferenceTraces {
  /// What a salvage is for.
  package enum SalvagedDamage: String, CaseIterable, Sendable {
    /// A record that does not open.
    case record
    /// The file's header is gone.
    case header
    /// Noise behind the last batch.
    case noise
  }

  private static let source = "damaged"

  /// One process that is killed in a write, and one that is killed when the rest has its name and the new vault has not; then a
  /// salvage that comes to its end, and a writer to the new vault. The damaged one stays as it is.
  package func salvage(_ damage: SalvagedDamage) throws -> Trace {
    let (recorder, contents) = try damagedVault(damage)
    let disk = recorder.disk
    let torn = FailurePlan(first: 3, only: .write, count: .max, isKill: true, writesHalf: true)
    try recorder.failSalvage(to: "rest", torn)
    if damage == .header {
      try recorder.failSalvage(to: "first rest", FailurePlan(first: 2, only: .rename, count: .max, isKill: true))
      try recorder.keep("first rest", isNeverPartial: true)
    }
    recorder.border()
    try recorder.salvage(to: "rest")
    try recorder.acknowledge { $0 = contents }
    let named = disk.journal.lastIndex {
      if case .rename(_, _, SimulatedStorage.name) = $0 { true } else { false }
    }
    guard let named else { throw HelperError.noFile }
    try recorder.keep("rest", from: named, isNeverPartial: true, isBesideVault: true)
    try recorder.commit([.put("bob", value(330, 1200))], to: recorder.open())
    return Trace(recorder, name: "salvage, \(damage)")
  }

  /// Plants a fault: a salvage cuts noise off the damaged vault.
  func salvageInPlace() throws -> Trace {
    let (recorder, contents) = try damagedVault(.noise)
    let disk = recorder.disk
    guard let file = disk.file(named: Self.source) else { throw HelperError.noFile }
    try recorder.salvage(to: "rest")
    disk.perform(.resize(file: file, length: disk.bytes(of: file).count - 1))
    try recorder.acknowledge { $0 = contents }
    return Trace(recorder, name: "a salvage in place")
  }

  /// Plants a fault: the new vault has its name, and the rest is not on the disk.
  func salvageWithoutRest() throws -> Trace {
    let (recorder, contents) = try damagedVault(.record)
    try recorder.salvage(to: "rest") { (storage) in WrappedStorage(storage) { (file, _) in UnsyncedFile(file) } }
    try recorder.acknowledge { $0 = contents }
    try recorder.keep("rest", isNeverPartial: true, isBesideVault: true)
    return Trace(recorder, name: "a salvage without the rest")
  }

  /// A disk with a damaged vault and no other, and what can be had of it.
  private func damagedVault(_ damage: SalvagedDamage) throws -> (recorder: TraceRecorder, contents: Contents) {
    let number = UInt64(SalvagedDamage.allCases.firstIndex(of: damage) ?? 0)
    let source = TraceRecorder(seed: seed &+ 11_500 &+ number * 10)
    let vault = try source.create()
    try source.commit([.put("alice", value(331, 300))], to: vault)
    try source.commit([.put("bob", value(332, 900)), .put("carol", [9])], to: vault)
    let lost = source.disk.cache[SimulatedStorage.name]?.count ?? 0
    try source.commit([.put("lost", value(333, 2400))], to: vault)
    // A checkpoint says once more what the header does.
    try vault.addKey(key(8))
    let later = [Write.put("alice", value(334, 700)), .delete("carol"), .event("alice", [1])]
    try source.commit(later, to: source.open())
    var bytes = source.disk.cache[SimulatedStorage.name] ?? []
    var contents = source.contents
    switch damage {
    case .record:
      bytes[lost + 1200] ^= 1
      contents["lost"] = nil
    case .header: bytes.overwrite(at: 0, with: [UInt8](repeating: 0, count: FileHeader.length)[...])
    case .noise: bytes += value(336, 700)
    }
    let image = DiskImage(names: [Self.source: 1], files: [1: bytes])
    let recorder = TraceRecorder(on: SimulatedDisk(image), seed: seed &+ 11_600 &+ number * 10, ledger: ledger)
    try recorder.keep(Self.source)
    return (recorder, contents)
  }
}

extension TraceRecorder {
  /// Salvages the damaged vault.
  ///
  /// - Parameters:
  ///   - rest: name of the file for what does not open.
  ///   - wrap: puts a storage around the one for the rest.
  fileprivate func salvage(to rest: String, wrap: (any Storage) -> any Storage = { $0 }) throws {
    _ = try Vault.salvage(
      SimulatedStorage(disk: disk, path: "damaged"), credential: key(),
      to: (environment(), wrap(SimulatedStorage(disk: disk, path: rest))))
  }

  /// The same by a process that is killed.
  fileprivate func failSalvage(to rest: String, _ plan: FailurePlan) throws {
    border()
    disk.fail(plan)
    let found = try code { try salvage(to: rest) }
    disk.fail(nil)
    border()
    guard found == .io else {
      throw Unsound(description: "a salvage that is killed came to \(found.map { "\($0)" } ?? "success")")
    }
  }
}
