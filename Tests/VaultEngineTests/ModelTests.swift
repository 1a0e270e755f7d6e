import Testing
import VaultLaboratory

@testable import VaultEngine

/// Random programs against a dictionary.
@Suite struct ModelTests {
  /// What a vault should be: a dictionary, and everything that was ever written.
  private struct Model {
    struct Written: Equatable {
      let operation: VaultEntry.Operation
      let name: Name
      let value: [UInt8]
      let version: UInt64
    }

    var contents: Contents = [:]
    var versions: [Name: UInt64] = [:]
    var history: [Written] = []
    var lastVersion: UInt64 = 0

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
        history.append(.init(operation: .put, name: name, value: value, version: lastVersion))
      case .delete(let name, let condition):
        guard contents[name] != nil else { return .notFound }
        guard holds(condition, name) else { return .conflict }
        contents[name] = nil
        versions[name] = nil
        history.append(.init(operation: .delete, name: name, value: [], version: lastVersion))
      case .event(let name, let value):
        history.append(.init(operation: .event, name: name, value: value, version: lastVersion))
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
  }

  /// One run of a random program.
  private struct Run {
    var random: SeededRandom
    var model = Model()
    var disk = SimulatedDisk()
    var handles: [Vault] = []
    var snapshots: [(snapshot: VaultSnapshot, model: Model)] = []

    init(seed: UInt64) throws {
      random = SeededRandom(seed: seed)
      handles = [try Vault.create(.simulated(disk, seed: random.next()), credential: key())]
    }

    private mutating func draw(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    private static let longest = Name(bytes: [UInt8](repeating: 0x80, count: 1024))

    private mutating func write() -> Write {
      // Few names, so that they meet; two that a careless comparison would take for one.
      let names: [Name] = ["alice", "bob", "caf\u{e9}", "cafe\u{301}", Self.longest, "\0"]
      let name = names[draw(6)]
      var condition = WriteCondition.any
      switch draw(6) {
      case 0: condition = .absent
      case 1: condition = .version(model.versions[name] ?? 1)
      case 2: condition = .version(UInt64(draw(40)))
      default: break
      }
      switch draw(5) {
      case 0: return .delete(name, condition)
      case 1: return .event(name, random.array(draw(40)))
      default: return .put(name, random.array([0, 1, 31, 32, 500, 3000][draw(6)]), condition)
      }
    }

    mutating func step() throws {
      switch draw(20) {
      case 0..<11:
        let writes = (0...draw(4)).map { _ in write() }
        let handle = handles[draw(handles.count)]
        let expected = model.commit(writes)
        #expect(try code { try handle.commit(writes) } == expected)
      case 11...12: try open()
      case 13: handles.removeAll { _ in random.next() & 1 == 0 }
      case 14: snapshots.append((try handles[draw(handles.count)].snapshot(), model))
      case 15: try crash()
      default: try check(try handles[draw(handles.count)].snapshot(), against: model)
      }
      if handles.isEmpty { try open() }
    }

    private mutating func open() throws {
      guard handles.count < 4 else { return }
      handles.append(try Vault.open(.simulated(disk, seed: random.next()), credential: key()))
    }

    /// The power goes in the middle of a commit; snapshots end with the machine.
    private mutating func crash() throws {
      let writes = [write()]
      let before = disk.journal.count
      var attempted = model
      let isRefused = attempted.commit(writes) != nil
      _ = try code { try handles[0].commit(writes) }
      let point = before + draw(disk.journal.count - before + 1)
      var images = CrashImages(of: disk, at: point, budget: 32, seed: random.next())
      let all = images.all()
      let image = all[draw(all.count)]
      let isDone = point == disk.journal.count
      disk = SimulatedDisk(image)
      snapshots = []
      handles = []
      try open()
      let found = try handles[0].snapshot()
      if !isRefused, isDone || found.lastVersion == attempted.lastVersion { model = attempted }
      try check(found, against: model)
    }

    func check(_ snapshot: VaultSnapshot, against model: Model) throws {
      #expect(try snapshot.contents() == model.contents)
      #expect(snapshot.count == model.contents.count && snapshot.lastVersion == model.lastVersion)
      var history: [Model.Written] = []
      try snapshot.forEachRecord { (entry) throws(VaultError) in history.append(Self.written(entry)) }
      #expect(history == model.history)
      var events: [Model.Written] = []
      try snapshot.forEachEvent { (entry) throws(VaultError) in
        events.append(Self.written(entry))
        return true
      }
      #expect(events == model.history.filter { $0.operation == .event }.reversed())
      for (name, version) in model.versions {
        guard let entry = try snapshot.entry(named: name.bytes.span) else {
          Issue.record("a name is not found")
          continue
        }
        let found = entry.version
        #expect(found == version)
      }
    }

    private static func written(_ entry: borrowing VaultEntry) -> Model.Written {
      .init(
        operation: entry.operation, name: Name(bytes: Array(entry.name)), value: Array(entry.value),
        version: entry.version)
    }
  }

  // Defends: whatever is done in whatever order, by several handles, with crashes between, a vault answers as a dictionary
  // does, tells its whole history, and a snapshot stays as it was.
  @Test(arguments: [UInt64](1...24))
  func aRandomProgram(seed: UInt64) throws {
    do {
      var run = try Run(seed: seed)
      for _ in 0..<120 { try run.step() }
      for (snapshot, model) in run.snapshots { try run.check(snapshot, against: model) }
      try run.check(try run.handles[0].snapshot(), against: run.model)
    } catch {
      Issue.record(error, "seed \(seed)")
    }
  }
}
