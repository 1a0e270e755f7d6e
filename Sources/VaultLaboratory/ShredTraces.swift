import VaultEngine

/// New generations that overwrite the old one behind them.
extension ReferenceTraces {
  /// Each kind of new generation shreds the old one, while another process writes to the new; then one that is killed in the
  /// midst of it; one whose sync of the directory fails, which must not begin with it; and one right behind that, which shreds
  /// a file of whose name nobody knows whether it is on the disk.
  package func shredding() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 11_000, ledger: ledger)
    var vault = try recorder.create()
    for batch in Trace.ordinary.prefix(3) { try recorder.commit(batch, to: vault) }
    for (round, verb) in NewGeneration.allCases.enumerated() {
      let (handle, outcome) = (vault, Outcome())
      let meanwhile = { @Sendable in
        // A rekeyed vault is another for a handle that is open.
        let writer = try verb == .rekeying ? recorder.open() : handle
        try recorder.commit([.put("alice", self.value(310 + round, 700)), .delete("bob")], to: writer)
      }
      try recorder.shred(by: verb, beforeSync: { outcome.note(meanwhile) })
      try outcome.check()
      vault = try recorder.open()
      try recorder.commit([.put("bob", value(315 + round, 1100))], to: vault)
    }

    let disk = recorder.disk
    let kill = FailurePlan(first: 1, only: .write, count: .max, isKill: true, writesHalf: true)
    try recorder.failShredding(by: .rotation, beforeWrite: { disk.fail(kill) })
    try recorder.commit([.put("carol", value(320, 900))], to: vault)

    try recorder.failShredding(by: .compaction, beforeReplacing: { disk.fail(FailurePlan(first: 1, only: .sync)) })
    try recorder.shred(by: .rotation)
    try recorder.commit([.put("dora", value(321, 900))], to: recorder.open())

    try recorder.failShredding(by: .compaction, beforeReplacing: { disk.fail(FailurePlan(first: 1, only: .sync)) })
    try recorder.commit([.put("dora", value(322, 500))], to: recorder.open())
    try recorder.shred(by: .compaction)
    return Trace(recorder, name: "shredding")
  }

  /// Plants a fault: the old generation is overwritten just before the new one takes its name.
  func shreddingTooEarly() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 12_200)
    let vault = try recorder.create()
    for batch in Trace.ordinary.prefix(3) { try recorder.commit(batch, to: vault) }
    let disk = recorder.disk
    guard let file = disk.file(named: SimulatedStorage.name) else { throw HelperError.noFile }
    var (environment, storage) = (recorder.environment(), WrappedStorage(recorder.environment().storage))
    storage.beforeReplacing = {
      disk.perform(.write(file: file, offset: 0, bytes: [UInt8](repeating: 0, count: disk.bytes(of: file).count)))
    }
    environment.storage = storage
    try NewGeneration.compaction.make(in: environment)
    return Trace(recorder, name: "shredding too early")
  }

  /// Plants a fault: what was shredded is not synced.
  func shreddingUnsynced() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 12_300)
    try recorder.commit([.put("alice", [1])], to: recorder.create())
    guard let file = recorder.disk.file(named: SimulatedStorage.name) else { throw HelperError.noFile }
    var environment = recorder.environment()
    environment.storage = WrappedStorage(environment.storage) { (file, isTemporary) in
      isTemporary ? file : UnsyncedFile(file)
    }
    try NewGeneration.compaction.make(in: environment, shreds: true)
    recorder.noteShredded(file)
    return Trace(recorder, name: "shredding without a sync")
  }
}

extension TraceRecorder {
  /// Makes a new generation, and overwrites the old one.
  fileprivate func shred(
    by verb: ReferenceTraces.NewGeneration, beforeSync: @escaping @Sendable () -> Void = {}
  ) throws {
    guard let file = disk.file(named: SimulatedStorage.name) else { throw HelperError.noFile }
    border()
    try verb.make(in: watched({}, beforeSync, {}), shreds: true)
    noteShredded(file)
  }

  /// The same, where a call fails on the way.
  fileprivate func failShredding(
    by verb: ReferenceTraces.NewGeneration, beforeWrite: @escaping @Sendable () -> Void = {},
    beforeReplacing: @escaping @Sendable () -> Void = {}
  ) throws {
    border()
    let found = try code { try verb.make(in: watched(beforeWrite, {}, beforeReplacing), shreds: true) }
    disk.fail(nil)
    border()
    guard found == .io else {
      throw Unsound(description: "a \(verb) that fails came to \(found.map { "\($0)" } ?? "success")")
    }
  }

  /// A process whose steps behind the new generation can be stopped at.
  private func watched(
    _ beforeWrite: @escaping @Sendable () -> Void, _ beforeSync: @escaping @Sendable () -> Void,
    _ beforeReplacing: @escaping @Sendable () -> Void
  ) -> Environment {
    var environment = environment()
    var storage = WrappedStorage(environment.storage) { (file, isTemporary) in
      isTemporary ? file : WatchedFile(file, beforeWrite: beforeWrite, beforeSync: beforeSync)
    }
    storage.beforeReplacing = beforeReplacing
    environment.storage = storage
    return environment
  }
}
