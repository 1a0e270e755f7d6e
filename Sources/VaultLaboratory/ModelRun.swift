import Synchronization
package import VaultEngine
import VaultFormat

/// What a program showed that should not be.
package struct ModelFailure: Error, Sendable {
  /// The same for the same fault, so that a smaller program can be told to fail in the same way.
  package let kind: String
  /// Number of the step, from 1.
  package var step = 0

  init(_ kind: String) { self.kind = kind }
}

/// One run of a program on a simulated disk, beside a model of what the vault should be.
package struct ModelRun {
  /// Makes the storage of the vault; a test gives one that is faulty.
  package typealias MakeStorage = @Sendable (SimulatedDisk) -> any Storage

  private struct Handle {
    let vault: Vault
    let process: Int
    let isReader: Bool
    /// Of the vault when it was opened: another root key shuts it out.
    let root: Int
    var slot: UInt32
    /// A call failed: it may acknowledge nothing more.
    var mayHaveFailed = false
  }

  /// Ticks once a step, in the place of microseconds.
  private final class Clock: Sendable {
    private let ticks = Atomic<Int64>(1_700_000_000_000_000)

    var now: Int64 { ticks.load(ordering: .relaxed) }
    func tick() { ticks.add(1, ordering: .relaxed) }
  }

  /// What a step is to do, and what becomes of the vault then.
  private struct Plan {
    /// Why it should be refused.
    var refusal: VaultError.Code?
    /// The vault when it is done.
    var after: Model
    /// Number of the handle that does it.
    var handle: Int?
    /// The copy takes the vault's state; the vault stays as it is.
    var isBackup = false
    /// The history of a pin ends.
    var endsPin = false
    let body: () throws -> Void
  }

  private static let handleLimit = 4
  private static let snapshotLimit = 6
  /// Names of the keys are the bytes that they consist of.
  private static let firstKey: UInt8 = 7

  private let makeStorage: MakeStorage
  private let clock = Clock()
  private var disk = SimulatedDisk()
  private var model = Model()
  /// What a power cut may bring back, because what took its place may not be on the disk yet.
  private var unsure: [Model] = []
  private var handles: [Handle] = []
  private var snapshots: [(snapshot: VaultSnapshot, model: Model)] = []
  /// What the backup may hold; whether there must be one.
  private var backups: [Model] = []
  private var hasBackup = false
  private var pin: Pin?
  private var seed: UInt64
  private var roots = 0
  package private(set) var counts: [String: Int] = [:]

  private init(seed: UInt64, on makeStorage: @escaping MakeStorage) throws {
    self.makeStorage = makeStorage
    self.seed = seed
    _ = try Vault.create(environment(), credential: key(Self.firstKey))
  }

  /// Runs a program.
  ///
  /// - Returns: what it showed, if anything; and what was done how often.
  package static func run(
    _ program: ModelProgram, on makeStorage: @escaping MakeStorage = { SimulatedStorage(disk: $0) }
  ) -> (failure: ModelFailure?, counts: [String: Int]) {
    var number = 0
    var counts: [String: Int] = [:]
    do {
      var run = try ModelRun(seed: program.seed, on: makeStorage)
      do {
        for step in program.steps {
          number += 1
          try run.perform(step)
        }
        try run.compareAtEnd()
      } catch {
        counts = run.counts
        throw error
      }
      return (nil, run.counts)
    } catch var failure as ModelFailure {
      failure.step = number
      return (failure, counts)
    } catch {
      var failure = ModelFailure("an error that should not be: \((error as? VaultError)?.code.description ?? "\(error)")")
      failure.step = number
      return (failure, counts)
    }
  }

  // MARK: Parts

  /// A world with random bytes of its own, as every process has.
  private mutating func environment() -> Environment {
    // Never the same twice in a run, whatever steps were left out.
    seed &+= 0x5851_F42D_4C95_7F2D
    let (seed, clock) = (seed, clock)
    var environment = Environment.simulated(disk, seed: seed)
    environment.storage = makeStorage(disk)
    environment.now = { clock.now }
    return environment
  }

  private var copy: SimulatedStorage { SimulatedStorage(disk: disk, path: "copy") }

  private static func credential(_ number: Int) throws -> Credential { try key(firstKey + UInt8(number)) }

  /// A key that opens the vault.
  private var openingKey: Int { model.slots[0].key }

  private mutating func count(_ what: String) { counts[what, default: 0] += 1 }

  /// The number of a handle; one is opened where there is none.
  private mutating func handle(_ number: Int) throws -> Int {
    if handles.isEmpty { try open(key: openingKey, process: 0, isReader: false) }
    return number % handles.count
  }

  private mutating func open(key: Int, process: Int, isReader: Bool) throws {
    var options = isReader ? VaultOptions.reading : .impatient
    if isReader { options.pin = pin }
    let vault: Vault
    do {
      vault = try Vault.open(environment(), credential: Self.credential(key), options: options)
    } catch let error as VaultError where error.code == .wrongKey {
      guard model.slot(of: key) == nil else { throw ModelFailure("a key that should open does not") }
      return count("keys refused")
    }
    guard let slot = model.slot(of: key) else { throw ModelFailure("a key that should not open does") }
    if handles.count == Self.handleLimit { handles.removeFirst() }
    handles.append(Handle(vault: vault, process: process, isReader: isReader, root: model.root, slot: slot.number))
  }

  // MARK: Steps

  private mutating func perform(_ step: ModelStep) throws {
    clock.tick()
    switch step {
    case .open(let key, let process, let isReader): try open(key: key, process: process, isReader: isReader)
    case .leave(let number, let closes):
      guard !handles.isEmpty else { return }
      let handle = handles.remove(at: number % handles.count)
      if closes { try handle.vault.close() }
    case .snapshot(let number):
      let number = try handle(number)
      try reading(number) { (vault) in
        let snapshot = try vault.snapshot()
        return { (run) in
          if run.snapshots.count == Self.snapshotLimit { run.snapshots.removeFirst() }
          run.snapshots.append((snapshot, run.model))
        }
      }
    case .compare(let number):
      let number = try handle(number)
      try compare(number)
    case .compareSnapshot(let number):
      guard !snapshots.isEmpty else { return }
      try compareSnapshot(number % snapshots.count)
    case .tryKeys:
      for key in 0..<5 { try tryKey(key) }
    case .verify: try verify()
    case .loseAndRestore: try loseAndRestore()
    case .fault(let fault, let step): try meet(fault, during: step)
    case .commit, .addKey, .removeKey, .changeKey, .compact, .rotate, .rekey, .backup, .restore:
      guard let plan = try plan(step) else { return }
      try finish(plan, with: code { try plan.body() })
    }
  }

  /// What the code of an error tells of a plan that met no fault.
  private mutating func finish(_ plan: Plan, with code: VaultError.Code?) throws {
    if let handle = plan.handle, let code, code == .handleFailed, handles[handle].mayHaveFailed {
      handles.remove(at: handle)
      return
    }
    guard code == plan.refusal else { throw Self.mismatch(code, plan) }
    guard code == nil else {
      if code == .wrongKey, let handle = plan.handle { handles.remove(at: handle) }
      return count("refusals")
    }
    try acknowledge(plan)
    if let handle = plan.handle, !handles[handle].mayHaveFailed {
      try Self.demand(model.difference(from: handles[handle].vault))
    }
  }

  private static func mismatch(_ code: VaultError.Code?, _ plan: Plan) -> ModelFailure {
    ModelFailure("\(code?.description ?? "success") instead of \(plan.refusal?.description ?? "success")")
  }

  /// A plan was carried out: from now on no power cut undoes it.
  private mutating func acknowledge(_ plan: Plan) throws {
    count("acknowledged")
    if plan.isBackup {
      (backups, hasBackup) = ([model], true)
      return
    }
    if model.generation != plan.after.generation { count("generations") }
    adopt(plan)
    unsure = []
  }

  private mutating func adopt(_ plan: Plan) {
    if let handle = plan.handle, plan.after.slots != model.slots,
      !plan.after.slots.contains(where: { $0.number == handles[handle].slot }),
      plan.after.slots.count == model.slots.count
    {
      // Its own was changed.
      handles[handle].slot = plan.after.highestSlot
    }
    model = plan.after
    if plan.endsPin { pin = nil }
  }

  private static func demand(_ difference: String?) throws {
    if let difference { throw ModelFailure("a read gives \(difference)") }
  }

  // MARK: Reading

  /// Runs a read on a handle; where another root key shuts it out, the handle is given up.
  private mutating func reading(
    _ number: Int, _ body: (Vault) throws -> (inout ModelRun) -> Void
  ) throws {
    let handle = handles[number]
    do {
      let effect = try body(handle.vault)
      guard handle.root == model.root else { throw ModelFailure("a handle reads on although all keys were changed") }
      effect(&self)
    } catch let error as VaultError {
      let isExcused =
        error.code == .wrongKey && handle.root != model.root || error.code == .handleFailed && handle.mayHaveFailed
      guard isExcused else { throw error }
      handles.remove(at: number)
    }
  }

  private mutating func compare(_ number: Int) throws {
    let (model, root) = (model, handles[number].root)
    try reading(number) { (vault) in
      let difference = try model.difference(from: vault.snapshot()) ?? model.difference(from: vault)
      let slots = try vault.keys().map(\.number)
      guard root == model.root else { return { _ in } }
      try Self.demand(difference)
      guard slots == model.slots.map(\.number) else { throw ModelFailure("other key slots") }
      return { (run) in run.count("comparisons") }
    }
  }

  private mutating func compareSnapshot(_ number: Int) throws {
    let (snapshot, model) = snapshots[number]
    if let difference = try model.difference(from: snapshot) { throw ModelFailure("a snapshot gives \(difference)") }
    count("comparisons of snapshots")
  }

  private mutating func compareAtEnd() throws {
    for number in snapshots.indices { try compareSnapshot(number) }
    for number in handles.indices.reversed() { try compare(number) }
    handles = []
    try open(key: openingKey, process: 0, isReader: true)
    try compare(0)
    try verify()
  }

  private mutating func tryKey(_ key: Int) throws {
    let before = handles.count
    if before == Self.handleLimit { handles.removeFirst() }
    try open(key: key, process: 0, isReader: true)
    if model.slot(of: key) != nil { handles.removeLast() }
    count("keys tried")
  }

  /// Checks the file from its first byte to its last.
  private mutating func verify() throws {
    let storage = SimulatedStorage(disk: disk)
    let report = try Vault.verify(
      storage.open(writable: false), lockedBy: storage, credential: Self.credential(openingKey), pin: pin, progress: nil)
    if let finding = report.findings.first { throw ModelFailure("verification finds \(finding.code)") }
    guard report.liveNames == model.live.count else { throw ModelFailure("verification counts other names") }
    if unsure.isEmpty { pin = report.pin }
    count("verifications")
  }

  // MARK: Plans

  private mutating func plan(_ step: ModelStep) throws -> Plan? {
    switch step {
    case .commit(let number, let writes):
      let number = try handle(number)
      return try planCommit(number, writes)
    case .addKey(let number, let key):
      guard model.slots.count < 30 else { return nil }
      let (number, expected) = (try handle(number), model.highestSlot + 1)
      return planKeys(number) { (model) in
        model.addSlot(for: key)
        return nil
      } body: { (vault) in
        try Self.check(vault.addKey(Self.credential(key)), is: expected)
      }
    case .changeKey(let number, let key):
      let (number, expected) = (try handle(number), model.highestSlot + 1)
      let slot = handles[number].slot
      return planKeys(number) { $0.changeSlot(slot, to: key) } body: { (vault) in
        try Self.check(vault.changeKey(to: Self.credential(key)), is: expected)
      }
    case .removeKey(let number, let place, let evenInUse):
      let number = try handle(number)
      let (used, slot) = (handles[number].slot, model.slots[place % model.slots.count].number)
      return planKeys(number) { $0.removeSlot(slot, usedBy: used, evenInUse: evenInUse) } body: { (vault) in
        try vault.removeKey(slot, evenInUse: evenInUse)
      }
    case .backup(let opens):
      let (storage, copy, opening) = (makeStorage(disk), copy, openingKey)
      var plan = Plan(after: model) {
        _ = try Vault.backup(storage, credential: opens ? Self.credential(opening) : nil, to: copy, replacing: true)
      }
      plan.isBackup = true
      return plan
    case .restore(let tells): return try planRestore(tells: tells)
    case .compact, .rotate, .rekey: return try planGeneration(step)
    default: return nil
    }
  }

  private static func check(_ number: UInt32, is expected: UInt32) throws {
    guard number == expected else { throw ModelFailure("a key slot has another number") }
  }

  private func planCommit(_ number: Int, _ writes: [ModelWrite]) throws -> Plan {
    let handle = handles[number]
    let writes = writes.map { $0.write(on: model) }
    var plan = Plan(after: model) { try handle.vault.commit(writes) }
    plan.handle = number
    if handle.isReader {
      plan.refusal = .readOnly
    } else if handle.root != model.root {
      plan.refusal = .wrongKey
    } else {
      plan.refusal = plan.after.commit(writes, at: clock.now)
    }
    return plan
  }

  private func planKeys(
    _ number: Int, _ change: (inout Model) -> VaultError.Code?, body: @escaping (Vault) throws -> Void
  ) -> Plan {
    let handle = handles[number]
    var plan = Plan(after: model) { try body(handle.vault) }
    plan.handle = number
    if handle.root != model.root {
      plan.refusal = .wrongKey
    } else if handle.isReader {
      plan.refusal = .readOnly
    } else {
      plan.refusal = change(&plan.after)
    }
    if plan.refusal != nil { plan.after = model }
    return plan
  }

  private static let told: (name: [UInt8], value: [UInt8]) = (Array("told".utf8), [1])

  private mutating func planGeneration(_ step: ModelStep) throws -> Plan {
    var options = MaintenanceOptions()
    options.lockTimeout = .zero
    let (environment, old) = (environment(), openingKey)
    var after = model
    var added: [ModelWrite] = []
    let isTold: Bool
    let body: (MaintenanceOptions) throws -> Void
    switch step {
    case .compact(let versions, let back, let tells, let meanwhile):
      var retention = Retention()
      retention.versions = versions
      retention.eventsSince = clock.now - Int64(back)
      after.compact(keeping: versions, eventsSince: retention.eventsSince)
      (isTold, added) = (tells, meanwhile)
      body = { _ = try Vault.compact(environment, credential: Self.credential(old), keeping: retention, options: $0) }
    case .rekey(let key, let tells):
      roots += 1
      after.rotate(openedBy: key, root: roots)
      isTold = tells
      body = {
        _ = try Vault.rekey(
          environment, credential: Self.credential(old), newKey: Self.credential(key), newPassphrase: nil, options: $0)
      }
    case .rotate(let tells, let meanwhile):
      after.rotate()
      (isTold, added) = (tells, meanwhile)
      body = { _ = try Vault.rotate(environment, credential: Self.credential(old), options: $0) }
    default: throw ModelFailure("no step that makes a generation")
    }
    let failure = Failure()
    if !added.isEmpty {
      let writes = added.map { $0.write(on: model) }
      let expected = after.commit(writes, at: clock.now)
      let other = self.environment()
      options.meanwhile = {
        do {
          let vault = try Vault.open(other, credential: Self.credential(old), options: .impatient)
          let found = try code { try vault.commit(writes) }
          if found != expected { failure.note("\(found?.description ?? "success") in the midst of a new generation") }
        } catch {
          failure.note("an error in the midst of a new generation: \(error)")
        }
      }
    }
    if isTold {
      _ = after.commit([.event(Name(bytes: Self.told.name), Self.told.value)], at: clock.now)
      options.event = { _ in Self.told }
    }
    return Plan(after: after) { [options] in
      try body(options)
      if let found = failure.noted { throw found }
    }
  }

  /// What went wrong on the way.
  private final class Failure: Sendable {
    private let found = Mutex<ModelFailure?>(nil)

    var noted: ModelFailure? { found.withLock { $0 } }
    func note(_ kind: String) { found.withLock { $0 = $0 ?? ModelFailure(kind) } }
  }

  private mutating func planRestore(tells: Bool) throws -> Plan? {
    guard let backup = try foundBackup() else { return nil }
    let key = backup.slots[0].key
    let isKnown = model.slot(of: key) != nil
    var after = backup.restored(over: model, isKnown: isKnown)
    var options = RestoreOptions()
    (options.acceptsRollback, options.lockTimeout) = (true, .zero)
    if tells {
      _ = after.commit([.event(Name(bytes: Self.told.name), Self.told.value)], at: clock.now)
      options.event = Self.told
    }
    let (copy, environment) = (copy, environment())
    var plan = Plan(after: after) { [options] in
      _ = try Vault.restore(copy, credential: Self.credential(key), to: environment, options: options)
    }
    plan.endsPin = !isKnown
    return plan
  }

  /// What the backup holds; `nil` when there is none.
  private func foundBackup() throws -> Model? {
    guard disk.cache["copy"] != nil else {
      guard !hasBackup else { throw ModelFailure("the backup is gone") }
      return nil
    }
    return try match(backups, on: copy, "the backup")
  }

  private mutating func loseAndRestore() throws {
    guard let backup = try foundBackup() else { return }
    (handles, snapshots) = ([], [])
    disk.perform(.remove(name: SimulatedStorage.name))
    disk.perform(.syncDirectory)
    let report = try Vault.restore(copy, credential: Self.credential(backup.slots[0].key), to: environment())
    guard report.isCopy else { throw ModelFailure("a restored vault is no copy") }
    (model, unsure, pin) = (backup, [], nil)
    count("lost and restored")
  }

  // MARK: Faults

  private mutating func meet(_ fault: ModelFault, during step: ModelStep) throws {
    guard var plan = try plan(step.alone) else { return }
    switch fault {
    case .powerCut(let point, let state): try cutPower(plan, at: point, leaving: state)
    case .kill(let call, let isHalf):
      disk.fail(FailurePlan(first: call, count: .max, isKill: true, writesHalf: isHalf))
      let code = try code { try plan.body() }
      // Nothing is given back by a process that was killed.
      let killed = plan.handle.map { handles[$0].process }
      handles.removeAll { $0.process == killed }
      plan.handle = nil
      disk.fail(nil)
      count("kills")
      try survive(plan, code)
    case .failing(let call, let forEver, let isFull, let isHalf):
      disk.fail(FailurePlan(first: call, count: forEver ? .max : 1, isFull: isFull, writesHalf: isHalf))
      let code = try code { try plan.body() }
      disk.fail(nil)
      count("failing calls")
      if let handle = plan.handle { handles[handle].mayHaveFailed = true }
      try survive(plan, code)
    }
  }

  /// After a step that was killed, or met a failing call: it was done, or it was not.
  private mutating func survive(_ plan: Plan, _ code: VaultError.Code?) throws {
    let before = model
    if code == nil {
      guard plan.refusal == nil else { throw Self.mismatch(code, plan) }
      return try acknowledge(plan)
    }
    if plan.isBackup {
      backups.append(model)
      _ = try foundBackup()
      return
    }
    // Without room, nothing was done.
    let isUndone = plan.refusal != nil || code == .diskFull
    let found = try match(isUndone ? [before] : [before, plan.after], on: SimulatedStorage(disk: disk), "the vault")
    unsure += isUndone ? [before] : [before, plan.after]
    model = found
    if plan.endsPin { pin = nil }
  }

  private mutating func cutPower(_ plan: Plan, at point: UInt64, leaving state: UInt64) throws {
    let start = disk.journal.count
    let code = try code { try plan.body() }
    let end = disk.journal.count
    guard code == plan.refusal || plan.handle.map({ handles[$0].mayHaveFailed }) ?? false else { throw Self.mismatch(code, plan) }
    let cut = start + Int(point % UInt64(end - start + 1))
    var images = CrashImages(of: disk, at: cut, budget: 1, seed: state)
    let image = images.one()
    for number in snapshots.indices { try compareSnapshot(number) }
    (handles, snapshots) = ([], [])
    disk = SimulatedDisk(image)
    count("power cuts")
    let isDone = code == nil && cut == end
    if plan.isBackup {
      (backups, hasBackup) = isDone ? ([model], true) : (backups + [model], hasBackup)
      _ = try foundBackup()
    }
    let allowed: [Model]
    if isDone, !plan.isBackup {
      allowed = [plan.after]
    } else {
      allowed = [model] + (plan.refusal == nil && !plan.isBackup ? [plan.after] : []) + unsure
    }
    model = try match(allowed, on: SimulatedStorage(disk: disk), "the vault")
    unsure = []
    if plan.endsPin { pin = nil }
  }

  /// Which of some models a vault is.
  private func match(_ models: [Model], on storage: SimulatedStorage, _ what: String) throws -> Model {
    var difference: String?
    for model in models {
      var environment = Environment.simulated(disk, seed: 0)
      environment.storage = storage
      do {
        let vault = try Vault.open(environment, credential: Self.credential(model.slots[0].key), options: .reading)
        let found = try model.difference(from: vault.snapshot())
        let numbers = try vault.keys().map(\.number)
        if found == nil, numbers == model.slots.map(\.number) { return model }
        difference = difference ?? found ?? "other key slots"
      } catch let error as VaultError {
        difference = difference ?? "an error: \(error.code)"
        guard error.code == .wrongKey else { throw ModelFailure("\(what) does not open after a fault: \(error.code)") }
      }
    }
    throw ModelFailure("\(what) is in no state that it may be in after a fault; it has \(difference ?? "none")")
  }
}

extension ModelStep {
  /// The step without what others do meanwhile.
  fileprivate var alone: ModelStep {
    switch self {
    case .compact(let versions, let back, let tells, _):
      .compact(versions: versions, eventsBack: back, tells: tells, meanwhile: [])
    case .rotate(let tells, _): .rotate(tells: tells, meanwhile: [])
    default: self
    }
  }
}
