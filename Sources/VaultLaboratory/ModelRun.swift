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

  struct Handle {
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
  final class Clock: Sendable {
    private let ticks = Atomic<Int64>(1_700_000_000_000_000)

    var now: Int64 { ticks.load(ordering: .relaxed) }
    func tick() { ticks.add(1, ordering: .relaxed) }
  }

  /// What a step is to do, and what becomes of the vault then.
  struct Plan {
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

  static let handleLimit = 4
  static let snapshotLimit = 6
  /// Names of the keys are the bytes that they consist of.
  static let firstKey: UInt8 = 7

  let makeStorage: MakeStorage
  let clock = Clock()
  var disk = SimulatedDisk()
  var model = Model()
  /// What a power cut may bring back, because what took its place may not be on the disk yet.
  var unsure: [Model] = []
  var handles: [Handle] = []
  var snapshots: [(snapshot: VaultSnapshot, model: Model)] = []
  /// What the backup may hold; whether there must be one.
  var backups: [Model] = []
  var hasBackup = false
  var pin: Pin?
  var seed: UInt64
  var roots = 0
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
      var failure = ModelFailure(
        "an error that should not be: \((error as? VaultError)?.code.description ?? "\(error)")")
      failure.step = number
      return (failure, counts)
    }
  }

  // MARK: Parts

  /// A world with random bytes of its own, as every process has.
  mutating func environment() -> Environment {
    // Never the same twice in a run, whatever steps were left out.
    seed &+= 0x5851_F42D_4C95_7F2D
    let (seed, clock) = (seed, clock)
    var environment = Environment.simulated(disk, seed: seed)
    environment.storage = makeStorage(disk)
    environment.now = { clock.now }
    return environment
  }

  var copy: SimulatedStorage { SimulatedStorage(disk: disk, path: "copy") }

  static func credential(_ number: Int) throws -> Credential { try key(firstKey + UInt8(number)) }

  /// A key that opens the vault.
  var openingKey: Int { model.slots[0].key }

  mutating func count(_ what: String) { counts[what, default: 0] += 1 }

  /// The number of a handle; one is opened where there is none.
  mutating func handle(_ number: Int) throws -> Int {
    if handles.isEmpty { try open(key: openingKey, process: 0, isReader: false) }
    return number % handles.count
  }

  mutating func open(key: Int, process: Int, isReader: Bool) throws {
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

  mutating func perform(_ step: ModelStep) throws {
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
  mutating func finish(_ plan: Plan, with code: VaultError.Code?) throws {
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

  static func mismatch(_ code: VaultError.Code?, _ plan: Plan) -> ModelFailure {
    ModelFailure("\(code?.description ?? "success") instead of \(plan.refusal?.description ?? "success")")
  }

  /// A plan was carried out: from now on no power cut undoes it.
  mutating func acknowledge(_ plan: Plan) throws {
    count("acknowledged")
    if plan.isBackup {
      (backups, hasBackup) = ([model], true)
      return
    }
    if model.generation != plan.after.generation { count("generations") }
    adopt(plan)
    unsure = []
  }

  mutating func adopt(_ plan: Plan) {
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

  static func demand(_ difference: String?) throws {
    if let difference { throw ModelFailure("a read gives \(difference)") }
  }

  // MARK: Reading

  /// Runs a read on a handle; where another root key shuts it out, the handle is given up.
  mutating func reading(
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

  mutating func compare(_ number: Int) throws {
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

  mutating func compareSnapshot(_ number: Int) throws {
    let (snapshot, model) = snapshots[number]
    if let difference = try model.difference(from: snapshot) { throw ModelFailure("a snapshot gives \(difference)") }
    count("comparisons of snapshots")
  }

  mutating func compareAtEnd() throws {
    for number in snapshots.indices { try compareSnapshot(number) }
    for number in handles.indices.reversed() { try compare(number) }
    handles = []
    try open(key: openingKey, process: 0, isReader: true)
    try compare(0)
    try verify()
  }

  mutating func tryKey(_ key: Int) throws {
    let before = handles.count
    if before == Self.handleLimit { handles.removeFirst() }
    try open(key: key, process: 0, isReader: true)
    if model.slot(of: key) != nil { handles.removeLast() }
    count("keys tried")
  }

  /// Checks the file from its first byte to its last.
  mutating func verify() throws {
    let storage = SimulatedStorage(disk: disk)
    let report = try Vault.verify(
      storage.open(writable: false), lockedBy: storage, credential: Self.credential(openingKey), pin: pin, progress: nil
    )
    if let finding = report.findings.first { throw ModelFailure("verification finds \(finding.code)") }
    guard report.liveNames == model.live.count else { throw ModelFailure("verification counts other names") }
    if unsure.isEmpty { pin = report.pin }
    count("verifications")
  }
}
