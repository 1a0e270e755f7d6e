import VaultEngine

/// What a vault should be: a dictionary with versions, the records of the file that holds it, and what opens it.
package struct Model: Sendable {
  /// A record.
  struct Written: Equatable, Sendable {
    let operation: VaultEntry.Operation
    let name: Name
    let value: [UInt8]
    let version: UInt64
    let time: Int64
  }

  /// A key slot.
  struct Slot: Equatable, Sendable {
    let number: UInt32
    /// Which of ``ModelRun/keys`` it is for.
    let key: Int
  }

  /// What the file holds, in its order.
  private(set) var history: [Written] = []
  /// Places in `history` of the newest puts of names that are there.
  private(set) var live: [Name: Int] = [:]
  private(set) var lastVersion: UInt64 = 0
  private(set) var generation: UInt64 = 1
  /// The root key, by a number of its own.
  private(set) var root = 0
  /// By number.
  private(set) var slots: [Slot] = [Slot(number: 1, key: 0)]
  /// The highest number of a slot that the file has had.
  private(set) var highestSlot: UInt32 = 1

  /// The newest put of a name.
  func put(of name: Name) -> Written? { live[name].map { history[$0] } }

  var events: [Written] { history.filter { $0.operation == .event } }

  // MARK: Writes

  /// Applies a batch.
  ///
  /// - Returns: why it should be refused; then nothing has changed.
  mutating func commit(_ writes: [Write], at time: Int64) -> VaultError.Code? {
    var next = self
    for write in writes {
      if let code = next.apply(write, at: time) { return code }
    }
    self = next
    return nil
  }

  private mutating func apply(_ write: Write, at time: Int64) -> VaultError.Code? {
    lastVersion += 1
    switch write {
    case .put(let name, let value, let condition):
      guard holds(condition, name) else { return .conflict }
      live[name] = history.count
      note(.put, name, value, time)
    case .delete(let name, let condition):
      guard live[name] != nil else { return .notFound }
      guard holds(condition, name) else { return .conflict }
      live[name] = nil
      note(.delete, name, [], time)
    case .event(let name, let value): note(.event, name, value, time)
    }
    return nil
  }

  private mutating func note(_ operation: VaultEntry.Operation, _ name: Name, _ value: [UInt8], _ time: Int64) {
    history.append(Written(operation: operation, name: name, value: value, version: lastVersion, time: time))
  }

  private func holds(_ condition: WriteCondition, _ name: Name) -> Bool {
    switch condition {
    case .any: true
    case .absent: live[name] == nil
    case .version(let version): put(of: name)?.version == version
    }
  }

  // MARK: Keys

  /// The slot that opens the vault for a key: the first in the file's order.
  func slot(of key: Int) -> Slot? { slots.first { $0.key == key } }

  mutating func addSlot(for key: Int) {
    highestSlot += 1
    slots.append(Slot(number: highestSlot, key: key))
  }

  /// - Returns: why that should be refused.
  mutating func removeSlot(_ number: UInt32, usedBy used: UInt32, evenInUse: Bool) -> VaultError.Code? {
    guard slots.contains(where: { $0.number == number }) else { return .notFound }
    guard slots.count > 1, number != used || evenInUse else { return .conflict }
    slots.removeAll { $0.number == number }
    return nil
  }

  mutating func changeSlot(_ number: UInt32, to key: Int) -> VaultError.Code? {
    guard slots.contains(where: { $0.number == number }) else { return .notFound }
    slots.removeAll { $0.number == number }
    addSlot(for: key)
    return nil
  }

  // MARK: New generations

  /// What a compaction drops: deletions, puts that no longer count, events of before `since`.
  ///
  /// - Parameter versions: newest puts that stay of every name that is there; none from behind a deletion.
  mutating func compact(keeping versions: Int, eventsSince since: Int64) {
    var kept = Set<Int>()
    for (name, place) in live {
      var left = versions
      for (number, written) in history[...place].enumerated().reversed() where written.name == name {
        if written.operation == .delete || left == 0 { break }
        guard written.operation == .put else { continue }
        kept.insert(number)
        left -= 1
      }
    }
    let records = history.enumerated().filter { (number, written) in
      written.operation == .event ? written.time >= since : kept.contains(number)
    }
    takePlace(of: self, holding: records.map(\.element))
  }

  /// Everything is sealed anew; with other keys, if `key` says for whom.
  mutating func rotate(openedBy key: Int? = nil, root number: Int? = nil) {
    takePlace(of: self, holding: history)
    guard let key, let number else { return }
    root = number
    slots = [Slot(number: highestSlot + 1, key: key)]
    highestSlot += 1
  }

  /// The state that this one is restored to, in the place of `vault`.
  ///
  /// - Parameter isKnown: whether the credential opens the vault that is replaced too. Else nobody knows its versions.
  func restored(over vault: Model, isKnown: Bool) -> Model {
    var next = self
    next.takePlace(of: vault, holding: history)
    next.lastVersion = isKnown ? max(lastVersion, vault.lastVersion) : lastVersion
    return next
  }

  private mutating func takePlace(of former: Model, holding records: [Written]) {
    generation = former.generation + 1
    history = records
    live = [:]
    for (place, written) in records.enumerated() {
      switch written.operation {
      case .put: live[written.name] = place
      case .delete: live[written.name] = nil
      case .event: break
      }
    }
    highestSlot = slots.map(\.number).max() ?? 0
  }
}

// MARK: Comparing

extension Model {
  /// What a snapshot says that this model does not; `nil` when they agree.
  func difference(from snapshot: VaultSnapshot) throws -> String? {
    guard snapshot.generation == generation else { return "generation \(snapshot.generation) instead of \(generation)" }
    guard snapshot.lastVersion == lastVersion else {
      return "last version \(snapshot.lastVersion) instead of \(lastVersion)"
    }
    guard snapshot.count == live.count else { return "\(snapshot.count) names instead of \(live.count)" }
    var found: [Written] = []
    try snapshot.forEachRecord { (entry) throws(VaultError) in found.append(Written(entry)) }
    guard found == history else { return "another history" }
    var events: [Written] = []
    try snapshot.forEachEvent { (entry) throws(VaultError) in
      events.append(Written(entry))
      return true
    }
    guard events == self.events.reversed() else { return "other events" }
    var entries: [Written] = []
    try snapshot.forEachEntry { (entry) throws(VaultError) in entries.append(Written(entry)) }
    guard entries == live.values.sorted().map({ history[$0] }) else { return "other contents" }
    for name in ModelWrite.names {
      if let difference = try difference(at: name, from: snapshot.entry(named: name.bytes.span)) { return difference }
    }
    return nil
  }

  /// The same of what a handle reads by name.
  func difference(from vault: Vault) throws -> String? {
    for name in ModelWrite.names {
      if let difference = try difference(at: name, from: vault.entry(named: name.bytes.span)) { return difference }
    }
    return nil
  }

  private func difference(at name: Name, from entry: consuming VaultEntry?) -> String? {
    let found: Written? =
      switch entry {
      case .some(let entry): Written(entry)
      case .none: nil
      }
    return found == put(of: name) ? nil : "another value of a name"
  }
}

extension Model.Written {
  init(_ entry: borrowing VaultEntry) {
    self.init(
      operation: entry.operation, name: Name(bytes: Array(entry.name)), value: Array(entry.value),
      version: entry.version, time: entry.time)
  }
}
