package import VaultEngine

/// What programs do with a vault in its life, at a size at which every state of a disk can be tried.
package struct ReferenceTraces: Sendable {
  /// Bytes of a large token: its frame touches a dozen sectors.
  let large: Int
  let seed: UInt64
  let ledger: NonceLedger?

  /// - Parameters:
  ///   - large: bytes of a large token. The number of states doubles with every 512.
  ///   - ledger: is shown every frame.
  package init(large: Int = 5600, seed: UInt64, ledger: NonceLedger? = nil) {
    (self.large, self.seed, self.ledger) = (large, seed, ledger)
  }

  /// All of them.
  package func all() throws -> [Trace] {
    try [
      reference(), handles(), batches(), keys(), backup(), restoredCopy(), killed(), failing(), index(),
    ] + NewGeneration.allCases.map { try beside($0) } + [groups(), killedGroups(), shredding()]
      + SalvagedDamage.allCases.map { try salvage($0) }
  }

  /// What programs did that have a fault.
  package func planted() throws -> [Trace] {
    try [
      failing(keepsNotes: true), noteAhead(), groupInParts(), groupAnsweredEarly(), shreddingTooEarly(),
      shreddingUnsynced(), salvageInPlace(), salvageWithoutRest(),
    ]
  }

  /// What makes a new generation.
  package enum NewGeneration: String, CaseIterable, Sendable {
    case compaction, rotation, rekeying

    /// Makes one; a rekeyed vault opens with the same key as before.
    ///
    /// - Parameters:
    ///   - shreds: overwrites the old one.
    ///   - meanwhile: runs while others may write.
    package func make(
      in environment: Environment, shreds: Bool = false, meanwhile: (@Sendable () -> Void)? = nil
    ) throws {
      var options = MaintenanceOptions()
      options.shreds = shreds
      options.lockTimeout = .zero
      options.meanwhile = meanwhile
      switch self {
      case .compaction: _ = try Vault.compact(environment, credential: key(), options: options)
      case .rotation: _ = try Vault.rotate(environment, credential: key(), options: options)
      case .rekeying:
        _ = try Vault.rekey(environment, credential: key(), newKey: key(), newPassphrase: nil, options: options)
      }
    }
  }

  func value(_ number: Int, _ count: Int) -> [UInt8] {
    var random = SeededRandom(seed: seed &+ UInt64(number) &* 7919)
    return random.array(count)
  }

  /// The ten tokens of the reference trace, of six users.
  private func put(_ number: Int) -> [Write] {
    let sizes = [240, 240, large, 900, 240, large, 1700, 240, large, 240]
    return [.put(Name(bytes: Array("user \(number % 6)".utf8)), value(number, sizes[number]))]
  }

  /// One handle: a vault is made, ten tokens are put, a compaction and a rotation come between; six are live in the end. The handle
  /// allocates space ahead, and gives it back when it is closed.
  package func reference() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 1000, ledger: ledger)
    try withExtendedLifetime(try recorder.create()) { (vault) in
      for number in 0..<10 {
        if number == 5 { try NewGeneration.compaction.make(in: recorder.environment()) }
        if number == 8 { try NewGeneration.rotation.make(in: recorder.environment()) }
        try recorder.commit(put(number), to: vault)
      }
    }
    return Trace(recorder, name: "reference")
  }

  /// The same with a process per command, of which every other finds no note of the one before it.
  package func handles() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 2000, ledger: ledger)
    _ = try recorder.create()
    for number in 0..<10 {
      if number == 4 { try NewGeneration.rotation.make(in: recorder.environment()) }
      if number == 7 { try NewGeneration.compaction.make(in: recorder.environment()) }
      if number % 2 == 1 { recorder.disk.perform(.note([])) }
      try recorder.commit(put(number), to: recorder.open())
    }
    return Trace(recorder, name: "handles")
  }

  /// Batches of several writes: overwriting, deletions, events.
  package func batches() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 3000, ledger: ledger)
    let vault = try recorder.create()
    for batch in Trace.ordinary { try recorder.commit(batch, to: vault) }
    return Trace(recorder, name: "batches")
  }

  /// A writer beside a new generation in the making.
  package func beside(_ verb: NewGeneration) throws -> Trace {
    let number = UInt64(NewGeneration.allCases.firstIndex(of: verb) ?? 0)
    let recorder = TraceRecorder(seed: seed &+ 4000 &+ number &* 100, ledger: ledger)
    let vault = try recorder.create()
    for batch in Trace.ordinary.prefix(3) { try recorder.commit(batch, to: vault) }
    let outcome = Outcome()
    try verb.make(in: recorder.environment()) {
      outcome.note {
        try recorder.commit([.put("meanwhile", [1]), .put("alice", [2])], to: vault)
        try recorder.commit([.delete("dora"), .put("bob", value(50, 1500))], to: vault)
      }
    }
    try outcome.check()
    // A rekeyed vault is another for a handle that is open.
    let next = verb == .rekeying ? try recorder.open() : vault
    try recorder.commit([.put("afterwards", value(51, 700))], to: next)
    return Trace(recorder, name: "beside \(verb)")
  }

  /// Other keys open the vault for a while; one is removed, the other does not survive a change of all keys.
  package func keys() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 5000, ledger: ledger)
    let vault = try recorder.create()
    for batch in Trace.ordinary.prefix(2) { try recorder.commit(batch, to: vault) }
    recorder.setKeys([8])
    let slot = try vault.addKey(key(8))
    try recorder.acknowledge()
    try recorder.commit([.put("alice", value(60, 300))], to: recorder.open())
    recorder.setKeys([8, 9])
    try recorder.open().addKey(key(9))
    try recorder.acknowledge()
    recorder.setKeys([9])
    try recorder.open().removeKey(slot)
    try recorder.acknowledge()
    recorder.setKeys([])
    try NewGeneration.rekeying.make(in: recorder.environment())
    try recorder.acknowledge()
    try recorder.commit([.put("alice", value(61, large))], to: recorder.open())
    return Trace(recorder, name: "keys")
  }

  /// So many writes that a checkpoint follows, and another one before a later commit.
  package func index() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 5500, ledger: ledger)
    let vault = try recorder.create()
    for batch in 0..<4 {
      let writes = (0..<65).map { (number) in
        Write.put(Name(bytes: Array("user \(number % 9)".utf8)), value(200 + batch * 65 + number, 3))
      }
      try recorder.commit(writes, to: vault)
      if batch == 2 { try recorder.commit([.put("alice", value(199, 400))], to: recorder.open()) }
    }
    // What comes behind the last checkpoint relies on it.
    try recorder.commit([.put("alice", value(198, 300))], to: vault)
    return Trace(recorder, name: "index")
  }

  /// A backup, writes after it, a restore over them, and a write after that.
  package func backup() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 6000, ledger: ledger)
    let vault = try recorder.create()
    for batch in Trace.ordinary.prefix(3) { try recorder.commit(batch, to: vault) }
    let copied = recorder.contents
    let copy = SimulatedStorage(disk: recorder.disk, path: "backup")
    _ = try Vault.backup(SimulatedStorage(disk: recorder.disk), credential: key(), to: copy, replacing: false)
    try recorder.keep("backup", isNeverPartial: true)
    for batch in Trace.ordinary[3...5] { try recorder.commit(batch, to: vault) }
    var options = RestoreOptions()
    options.acceptsRollback = true
    options.lockTimeout = .zero
    options.event = (Array("restored".utf8), [1])
    _ = try Vault.restore(copy, credential: key(), to: recorder.environment(), options: options)
    try recorder.acknowledge { $0 = copied }
    try recorder.commit([.put("bob", value(70, 1200))], to: recorder.open())
    return Trace(recorder, name: "backup")
  }

  /// A backup is restored where no vault is.
  package func restoredCopy() throws -> Trace {
    let source = try Trace(Array(Trace.ordinary.prefix(3)), seed: seed &+ 7000)
    var image = DiskImage()
    if let file = source.disk.file(named: SimulatedStorage.name) {
      image.names["backup"] = file
      image.files[file] = source.disk.bytes(of: file)
    }
    let recorder = TraceRecorder(on: SimulatedDisk(image), seed: seed &+ 7500, ledger: ledger)
    try recorder.keep("backup")
    _ = try Vault.restore(
      SimulatedStorage(disk: recorder.disk, path: "backup"), credential: key(), to: recorder.environment())
    try recorder.acknowledge { $0 = source.acknowledged[source.acknowledged.count - 1].contents }
    try recorder.commit([.put("bob", value(80, 1200))], to: recorder.open())
    return Trace(recorder, name: "restored copy")
  }

  /// Processes that are killed in their writes and before their syncs, others that go on, and compactions among these.
  package func killed() throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 8000, ledger: ledger)
    let disk = recorder.disk
    try recorder.commit([.put("alice", [1])], to: recorder.create())
    for round in 0..<3 {
      // Killed when half of its batch was written.
      let torn = try recorder.open()
      disk.fail(FailurePlan(first: 1, only: .write, count: .max, isKill: true, writesHalf: true))
      try recorder.lose([.put("torn", value(90 + round, 2400))], to: torn, staying: false)
      disk.fail(nil)
      try afterTornTail(recorder, round)

      // Killed between the write of its batch and the sync.
      let unsynced = try recorder.open()
      disk.fail(FailurePlan(first: 1, only: .sync, count: .max, isKill: true))
      try recorder.lose(
        [.put("bob", value(94 + round, 700)), .put("carol", value(97 + round, 900))], to: unsynced, staying: true)
      disk.fail(nil)
      switch round {
      case 0: break
      case 1: try NewGeneration.compaction.make(in: recorder.environment())
      default: try NewGeneration.rotation.make(in: recorder.environment())
      }
      try recorder.commit([.put("erin", value(100 + round, 600))], to: recorder.open())
    }
    return Trace(recorder, name: "killed")
  }

  /// Plants a fault: a process is killed between its write and the sync, and has left a note that all was synced.
  package func noteAhead() throws -> Trace {
    let batch = [Write.put("bob", value(140, 2000))]
    let twin = TraceRecorder(seed: seed &+ 9500)
    try twin.commit([.put("alice", [1])], to: twin.create())
    try twin.commit(batch, to: twin.open())
    let recorder = TraceRecorder(seed: seed &+ 9500)
    try recorder.commit([.put("alice", [1])], to: recorder.create())
    let killed = try recorder.open()
    recorder.disk.fail(FailurePlan(first: 1, only: .sync, count: .max, isKill: true))
    try recorder.lose(batch, to: killed, staying: true)
    recorder.disk.fail(nil)
    recorder.disk.perform(.note(twin.disk.cache.note))
    try recorder.commit([.put("carol", value(141, 1000))], to: recorder.open())
    return Trace(recorder, name: "a note that is ahead")
  }

  /// A writer comes upon a torn tail, keeps a copy of it, and cuts it off: from the cut on the copy must be there.
  func afterTornTail(_ recorder: TraceRecorder, _ round: Int) throws {
    let before = recorder.disk.journal.count
    let names = Set(recorder.disk.cache.names.keys)
    try recorder.commit([.put("dora", value(103 + round, 1300))], to: recorder.open())
    let copies = recorder.disk.cache.names.keys.filter { $0.contains(".torn-") && !names.contains($0) }
    let cut = recorder.disk.journal[before...].firstIndex { if case .resize = $0 { true } else { false } }
    guard let copy = copies.first, let cut else { throw HelperError.noFile }
    // The cut may be on the disk as soon as it was asked for.
    try recorder.keep(copy, from: cut + 1)
  }

  /// Syncs that fail: that of a batch; that of the cut after it, too; and a process that is killed before it has synced the cut.
  /// Another handle, whose own batch is the newest, goes on each time, or a new one.
  ///
  /// - Parameter keepsNotes: plants a fault: notes in the lock file are not taken back.
  package func failing(keepsNotes: Bool = false) throws -> Trace {
    let recorder = TraceRecorder(seed: seed &+ 9000, ledger: ledger)
    let disk = recorder.disk
    if keepsNotes { disk.keepNotes() }
    var first = try recorder.create()
    for round in 0..<6 {
      try recorder.commit([.put("alice", value(110 + round, 100 + round))], to: first)
      let second = try recorder.open()
      let plan = FailurePlan(first: 1, only: .sync)
      switch round % 3 {
      case 0: disk.beforeNextSync { disk.fail(plan) }
      case 1: disk.beforeNextSync { disk.fail(FailurePlan(first: 1, only: .sync, count: 2)) }
      default:
        disk.beforeNextSync {
          disk.fail(plan)
          disk.beforeNextSync { disk.fail(FailurePlan(first: 1, count: .max, isKill: true)) }
        }
      }
      try recorder.lose([.put("bob", value(120 + round, 1500))], to: second, staying: false)
      disk.fail(nil)
      if round >= 3 { first = try recorder.open() }
      try recorder.commit([.put("carol", value(130 + round, 1700))], to: first)
    }
    return Trace(recorder, name: keepsNotes ? "notes that are not taken back" : "failing")
  }
}
