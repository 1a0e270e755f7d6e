internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat
internal import VaultLaboratory

/// One run of a program.
struct OperationsRun {
  /// What the vault should be, as a whole.
  private struct State {
    var model = OperationsModel()
    /// What opens it: the bytes that keys are made of, and their slots; 0 for one that is not known yet.
    var keys: [UInt8: UInt32] = [:]
  }

  private var program: ByteProgram
  private var disk = SimulatedDisk()
  private var state = State()
  /// What a power cut may bring back instead, since a call failed and nothing was committed after that.
  private var others: [State] = []
  private var handles: [Vault] = []
  private var snapshots: [(snapshot: VaultSnapshot, model: OperationsModel)] = []
  private var seed: UInt64 = 0
  private var keyCount: UInt8 = 0

  init(_ program: ByteProgram) throws {
    self.program = program
    let vault = try Vault.create(environment(), credential: newKey())
    state.keys[keyCount] = try vault.openedKey()
    handles = [vault]
  }

  mutating func run() throws {
    for _ in 0..<40 where !program.isAtEnd {
      try step()
      if handles.isEmpty { try open() }
    }
    for (snapshot, model) in snapshots { try model.check(snapshot) }
    for handle in handles { try state.model.check(handle.snapshot()) }
    try check(state)
  }

  private mutating func step() throws {
    switch program.draw(18) {
    case 0...4: try done { (run) throws in try run.commit() }
    case 5: try open()
    case 6: handles.remove(at: program.draw(handles.count))
    case 7: try handles.remove(at: program.draw(handles.count)).close()
    case 8: snapshots.append((try handles[program.draw(handles.count)].snapshot(), state.model))
    case 9: try state.model.check(handles[program.draw(handles.count)].snapshot())
    case 10...11: try done { (run) throws in try run.maintain() }
    case 12: try done { (run) throws in try run.changeKeys() }
    case 13: try crash { (run) throws in try run.commit() }
    case 14: try crash { (run) throws in try run.maintain() }
    case 15: try crash { (run) throws in try run.changeKeys() }
    case 16: try fail()
    default: try crash { _ in }
    }
  }

  /// Runs what ends on the disk.
  private mutating func done(_ body: (inout OperationsRun) throws -> Void) throws {
    let journal = disk.journal.count
    try body(&self)
    if disk.journal.count > journal { others = [] }
  }

  // MARK: Writes

  private static let names: [Name] = [
    "a", "bob", "caf\u{e9}", "cafe\u{301}", "\0", Name(bytes: [UInt8](repeating: 0x80, count: 1024)),
  ]

  private mutating func write() -> Write {
    let name = Self.names[program.draw(Self.names.count)]
    let kind = program.draw(32)
    var condition = WriteCondition.any
    switch kind / 8 {
    case 1: condition = .absent
    case 2: condition = .version(state.model.versions[name] ?? 1)
    case 3: condition = .version(UInt64(program.draw(40)))
    default: break
    }
    let value = [UInt8](repeating: UInt8(kind), count: [0, 1, 31, 32, 500, 3000][program.draw(6)])
    switch kind % 8 {
    case 0...1: return .delete(name, condition)
    case 2: return .event(name, value)
    default: return .put(name, value, condition)
    }
  }

  private mutating func commit() throws {
    let writes = (0...program.draw(4)).map { _ in write() }
    let handle = handles[program.draw(handles.count)]
    let expected = state.model.commit(writes)
    let found: VaultError.Code?
    do {
      try handle.commit(writes)
      found = nil
    } catch let error as VaultError where ![.io, .diskFull].contains(error.code) {
      found = error.code
    }
    try demand(found == expected, "a commit gave \(String(describing: found)), not \(String(describing: expected))")
  }

  // MARK: Handles and keys

  /// Its random bytes are its own: no two batches are the same by chance.
  private mutating func environment() -> Environment {
    seed += 1
    return .simulated(disk, seed: seed)
  }

  private mutating func open() throws {
    guard handles.count < 3 else { return }
    handles.append(try Vault.open(environment(), credential: anyKey()))
  }

  /// One that opens the vault.
  private mutating func anyKey() throws -> Credential {
    let all = state.keys.keys.sorted()
    return try key(all[program.draw(all.count)])
  }

  /// One that opened nothing before.
  private mutating func newKey() throws -> Credential {
    keyCount += 1
    return try key(keyCount)
  }

  private mutating func changeKeys() throws {
    let handle = handles[program.draw(handles.count)]
    if program.draw(2) == 0, state.keys.count < 4 {
      let new = try newKey()
      let before = state.keys
      // What a call that fails may leave is what it would have done.
      state.keys[keyCount] = 0
      let number = try handle.addKey(new)
      try demand(!before.values.contains(number), "a slot's number is given twice")
      state.keys[keyCount] = number
      return
    }
    let all = state.keys.sorted { $0.value < $1.value }
    let (key, number) = all[program.draw(all.count)]
    if all.count > 1 { state.keys[key] = nil }
    do {
      try handle.removeKey(number, evenInUse: true)
      try demand(all.count > 1, "the last key was taken away")
    } catch let error as VaultError where error.code == .conflict {
      try demand(all.count == 1, "a key can't be removed: \(error)")
    }
  }

  private mutating func maintain() throws {
    var options = MaintenanceOptions()
    options.lockTimeout = .zero
    switch program.draw(3) {
    case 0: _ = try Vault.compact(environment(), credential: anyKey(), options: options)
    case 1: _ = try Vault.rotate(environment(), credential: anyKey(), options: options)
    default:
      let old = try anyKey()
      let new = try newKey()
      state.keys = [keyCount: 0]
      _ = try Vault.rekey(environment(), credential: old, newKey: consume new, newPassphrase: nil, options: options)
      // Handles that are open have lost their key.
      handles = [try Vault.open(environment(), credential: key(keyCount))]
      state.keys = [keyCount: try handles[0].openedKey()]
    }
  }

  // MARK: Faults

  /// Runs `body`, and cuts the power somewhere in it: all of it was done then, or nothing.
  private mutating func crash(_ body: (inout OperationsRun) throws -> Void) throws {
    let (before, journal) = (state, disk.journal.count)
    try body(&self)
    let point = journal + program.draw(disk.journal.count - journal + 1)
    var candidates = [state]
    if point < disk.journal.count || disk.journal.count == journal { candidates += [before] + others }
    var images = CrashImages(of: disk, at: point, budget: 16, seed: UInt64(program.draw(256)))
    let all = images.all()
    try adopt(all[program.draw(all.count)], candidates)
  }

  /// Lets a call fail, once or from then on, and goes on with new handles.
  private mutating func fail() throws {
    let before = state
    let (first, count) = (1 + program.draw(12), program.draw(2) == 0 ? 1 : Int.max)
    let (isFull, writesHalf) = (program.draw(2) == 1, program.draw(2) == 1)
    disk.fail(FailurePlan(first: first, count: count, isFull: isFull, writesHalf: writesHalf))
    defer { disk.fail(nil) }
    do {
      switch program.draw(3) {
      case 0: try commit()
      case 1: try maintain()
      default: try changeKeys()
      }
    } catch let error as VaultError {
      try demand(
        [.io, .diskFull, .handleFailed].contains(error.code), "a failing call gave \(error)")
      disk.fail(nil)
      let attempted = state
      try adopt(nil, [before, attempted] + others)
      others += [before, attempted]
    }
  }

  /// Goes on with the state that a disk is found in.
  ///
  /// - Parameter image: `nil`, when the machine did not stop.
  private mutating func adopt(_ image: DiskImage?, _ candidates: [State]) throws {
    if let image {
      disk = SimulatedDisk(image)
      (snapshots, others) = ([], [])
    }
    handles = []
    var reasons: [String] = []
    for candidate in candidates {
      do {
        state = try check(candidate)
        return try open()
      } catch {
        reasons.append("\(error)")
      }
    }
    throw Violation("the vault is in none of the states that it may be in: \(reasons.joined(separator: "; "))")
  }

  /// Whether a reader finds this in the file, under its keys and no others.
  ///
  /// - Returns: the same, with the numbers of all slots.
  @discardableResult
  private func check(_ state: State) throws -> State {
    var found = state
    for number in 1...keyCount {
      let isKept = state.keys[number] != nil
      do {
        let environment = Environment.simulated(disk, seed: 0)
        let vault = try Vault.open(environment, credential: key(number), options: .reading)
        try demand(isKept, "a key opens the vault that should not")
        let slot = try vault.openedKey()
        try demand(state.keys[number] == 0 || state.keys[number] == slot, "a key opens another slot")
        found.keys[number] = slot
        try state.model.check(vault.snapshot())
      } catch let error as VaultError where error.code == .wrongKey {
        try demand(!isKept, "a key does not open the vault")
      }
    }
    return found
  }
}
