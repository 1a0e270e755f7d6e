import Synchronization
import VaultCrypto
import VaultEngine
import VaultFormat

/// What each step does to a vault, and to its model.
extension ModelRun {
  mutating func plan(_ step: ModelStep) throws -> Plan? {
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
      return planKeys(number) {
        $0.changeSlot(slot, to: key)
      } body: { (vault) in
        try Self.check(vault.changeKey(to: Self.credential(key)), is: expected)
      }
    case .removeKey(let number, let place, let evenInUse):
      let number = try handle(number)
      let (used, slot) = (handles[number].slot, model.slots[place % model.slots.count].number)
      return planKeys(number) {
        $0.removeSlot(slot, usedBy: used, evenInUse: evenInUse)
      } body: { (vault) in
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
  func foundBackup() throws -> Model? {
    guard disk.cache["copy"] != nil else {
      guard !hasBackup else { throw ModelFailure("the backup is gone") }
      return nil
    }
    return try match(backups, on: copy, "the backup")
  }

  mutating func loseAndRestore() throws {
    guard let backup = try foundBackup() else { return }
    (handles, snapshots) = ([], [])
    disk.perform(.remove(name: SimulatedStorage.name))
    disk.perform(.syncDirectory)
    let report = try Vault.restore(copy, credential: Self.credential(backup.slots[0].key), to: environment())
    guard report.isCopy else { throw ModelFailure("a restored vault is no copy") }
    (model, unsure, pin) = (backup, [], nil)
    count("lost and restored")
  }
}
