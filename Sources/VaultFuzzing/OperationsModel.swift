internal import VaultEngine
internal import VaultLaboratory

/// What a vault should be: a dictionary with versions, and the events.
struct OperationsModel: Equatable {
  struct Event: Equatable {
    let name: Name
    let value: [UInt8]
    let version: UInt64
  }

  private(set) var contents: Contents = [:]
  private(set) var versions: [Name: UInt64] = [:]
  private(set) var events: [Event] = []
  private(set) var lastVersion: UInt64 = 0

  /// Applies a batch.
  ///
  /// - Returns: why it should be refused; then nothing has changed.
  mutating func commit(_ writes: [Write]) -> VaultError.Code? {
    var next = self
    for write in writes {
      if let code = next.apply(write) { return code }
    }
    self = next
    return nil
  }

  private mutating func apply(_ write: Write) -> VaultError.Code? {
    lastVersion += 1
    switch write {
    case .put(let name, let value, let condition):
      guard holds(condition, name) else { return .conflict }
      contents[name] = value
      versions[name] = lastVersion
    case .delete(let name, let condition):
      guard contents[name] != nil else { return .notFound }
      guard holds(condition, name) else { return .conflict }
      contents[name] = nil
      versions[name] = nil
    case .event(let name, let value): events.append(Event(name: name, value: value, version: lastVersion))
    }
    return nil
  }

  private func holds(_ condition: WriteCondition, _ name: Name) -> Bool {
    switch condition {
    case .any: true
    case .absent: contents[name] == nil
    case .version(let version): versions[name] == version
    }
  }

  /// Whether a snapshot shows this and nothing else.
  func check(_ snapshot: VaultSnapshot) throws {
    try demand(try snapshot.contents() == contents, "other contents: \(snapshot.count) names, not \(contents.count)")
    try demand(snapshot.count == contents.count, "another number of names")
    try demand(snapshot.lastVersion == lastVersion, "version \(snapshot.lastVersion), not \(lastVersion)")
    for (name, version) in versions {
      guard let entry = try snapshot.entry(named: name.bytes.span) else { throw Violation("a name is not found") }
      let found = entry.version
      try demand(found == version, "a name has version \(found), not \(version)")
    }
    var found: [Event] = []
    try snapshot.forEachEvent { (entry) throws(VaultError) in
      found.append(Event(name: Name(bytes: Array(entry.name)), value: Array(entry.value), version: entry.version))
      return true
    }
    try demand(Array(found.reversed()) == events, "\(found.count) events, not \(events.count)")
  }
}
