import VaultCrypto
import VaultEngine
import VaultFormat

/// Steps that meet a fault: whatever it is, they are done, or they are not.
extension ModelRun {
  mutating func meet(_ fault: ModelFault, during step: ModelStep) throws {
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
    guard code == plan.refusal || plan.handle.map({ handles[$0].mayHaveFailed }) ?? false else {
      throw Self.mismatch(code, plan)
    }
    let cut = start + Int(point % UInt64(end - start + 1))
    var images = CrashImages(of: disk, at: cut, budget: 1, seed: state)
    let image = images.any()
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
  func match(_ models: [Model], on storage: SimulatedStorage, _ what: String) throws -> Model {
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
