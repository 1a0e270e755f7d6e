import VaultEngine

/// A random program: data, so that a run can be made again, and made smaller.
package struct ModelProgram: Sendable {
  package let seed: UInt64
  package var steps: [ModelStep]

  /// The program of a seed.
  package init(seed: UInt64, length: Int) {
    self.seed = seed
    var random = SeededRandom(seed: seed)
    steps = (0..<length).map { _ in ModelStep(drawnFrom: &random) }
  }

  /// The program that bytes make, a byte for each decision.
  ///
  /// - Parameter length: steps at most.
  package init(decisions: [UInt8], length: Int) {
    seed = 0
    steps = []
    var decisions = Decisions(decisions)
    while steps.count < length, !decisions.isAtEnd { steps.append(ModelStep(drawnFrom: &decisions)) }
  }
}

/// Bytes in the place of chance; zeros behind their end.
private struct Decisions: RandomNumberGenerator {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { place == bytes.count }

  mutating func next() -> UInt64 {
    guard !isAtEnd else { return 0 }
    defer { place += 1 }
    return UInt64(bytes[place])
  }
}

/// One write of a program; what it means depends on the vault when it is made.
package struct ModelWrite: Sendable {
  enum Kind: Sendable { case put, delete, event }

  /// What is asked of the name.
  enum Condition: Sendable {
    case any, absent
    /// The version that it has.
    case current
    /// The version that a write will get so many writes after the last one.
    case ahead(UInt64)
    case version(UInt64)
  }

  var kind: Kind
  var name: Int
  /// Bytes of the value, and what they begin with.
  var length: Int
  var first: UInt8
  var condition = Condition.any

  /// Few names, so that they meet; two that a careless comparison would take for one; the longest and the shortest.
  static let names: [Name] = [
    "alice", "bob", "caf\u{e9}", "cafe\u{301}", Name(bytes: [UInt8](repeating: 0x80, count: 1024)), "\0",
  ]

  func write(on model: Model) -> Write {
    let name = Self.names[name % Self.names.count]
    let value = (0..<length).map { first &+ UInt8(truncatingIfNeeded: $0 &* 31) }
    let condition: WriteCondition =
      switch condition {
      case .any: .any
      case .absent: .absent
      case .current: .version(model.put(of: name)?.version ?? 1)
      case .ahead(let distance): .version(model.lastVersion + distance)
      case .version(let version): .version(version)
      }
    return switch kind {
    case .put: .put(name, value, condition)
    case .delete: .delete(name, condition)
    case .event: .event(name, value)
    }
  }
}

/// One step of a program. Handles, snapshots and slots are numbers, counted around as many as there are.
package indirect enum ModelStep: Sendable {
  case open(key: Int, process: Int, isReader: Bool)
  /// Ends a handle, by closing it or by dropping it.
  case leave(handle: Int, closes: Bool)
  case commit(handle: Int, [ModelWrite])
  case snapshot(handle: Int)
  /// Compares all that a handle reads, or that a snapshot does.
  case compare(handle: Int)
  case compareSnapshot(Int)
  case addKey(handle: Int, key: Int)
  case removeKey(handle: Int, slot: Int, evenInUse: Bool)
  case changeKey(handle: Int, key: Int)
  /// Makes a new generation; `tells` adds an event to it, and `meanwhile` is committed while copying goes on.
  case compact(versions: Int, eventsBack: Int, tells: Bool, meanwhile: [ModelWrite])
  case rotate(tells: Bool, meanwhile: [ModelWrite])
  case rekey(key: Int, tells: Bool)
  case backup(opens: Bool)
  case restore(tells: Bool)
  /// The file is gone, and comes back from the backup.
  case loseAndRestore
  /// Tries every key.
  case tryKeys
  case verify
  /// The step meets a fault.
  case fault(ModelFault, during: ModelStep)
}

/// What may go wrong.
package enum ModelFault: Sendable {
  /// The power goes at a point of what the step does, and leaves one of the states that the disk may be in.
  case powerCut(point: UInt64, state: UInt64)
  /// The process is killed at a call to the system, perhaps in the middle of a write.
  case kill(call: Int, isHalf: Bool)
  /// Calls fail from this one on, one of them or all.
  case failing(call: Int, forEver: Bool, isFull: Bool, isHalf: Bool)
}

// MARK: Drawing

extension ModelStep {
  fileprivate init(drawnFrom random: inout some RandomNumberGenerator) {
    func draw(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    func flip() -> Bool { random.next() & 1 == 0 }
    switch draw(100) {
    case 0..<8: self = .open(key: draw(5), process: draw(2), isReader: draw(3) == 0)
    case 8..<12: self = .leave(handle: draw(4), closes: flip())
    case 12..<17: self = .snapshot(handle: draw(4))
    case 17..<31: self = .compare(handle: draw(4))
    case 31..<34: self = .compareSnapshot(draw(6))
    case 34..<36: self = .tryKeys
    case 36..<38: self = .verify
    case 38: self = .loseAndRestore
    case 39..<56:
      self = .fault(ModelFault(drawnFrom: &random), during: ModelStep(changingDrawnFrom: &random))
    default: self = ModelStep(changingDrawnFrom: &random)
    }
  }

  /// A step that changes the vault, or the backup.
  private init(changingDrawnFrom random: inout some RandomNumberGenerator) {
    func draw(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    func flip() -> Bool { random.next() & 1 == 0 }
    func meanwhile() -> [ModelWrite] { flip() ? [] : (0...draw(2)).map { _ in ModelWrite(drawnFrom: &random) } }
    switch draw(60) {
    case 0..<2: self = .addKey(handle: draw(4), key: draw(5))
    case 2..<4: self = .removeKey(handle: draw(4), slot: draw(4), evenInUse: flip())
    case 4: self = .changeKey(handle: draw(4), key: draw(5))
    case 5..<8: self = .compact(versions: 1 + draw(3), eventsBack: draw(60), tells: flip(), meanwhile: meanwhile())
    case 8..<10: self = .rotate(tells: flip(), meanwhile: meanwhile())
    case 10: self = .rekey(key: draw(5), tells: flip())
    case 11..<14: self = .backup(opens: flip())
    case 14..<16: self = .restore(tells: flip())
    case 16: self = .commit(handle: draw(4), (0..<100 + draw(60)).map { _ in ModelWrite(putDrawnFrom: &random) })
    default: self = .commit(handle: draw(4), (0...draw(4)).map { _ in ModelWrite(drawnFrom: &random) })
    }
  }
}

extension ModelFault {
  fileprivate init(drawnFrom random: inout some RandomNumberGenerator) {
    func draw(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    func flip() -> Bool { random.next() & 1 == 0 }
    // Most steps make few calls; new generations make many.
    let call = 1 + draw(draw(3) == 0 ? 80 : 16)
    switch draw(3) {
    case 0: self = .powerCut(point: random.next(), state: random.next())
    case 1: self = .kill(call: call, isHalf: flip())
    default: self = .failing(call: call, forEver: flip(), isFull: draw(3) == 0, isHalf: flip())
    }
  }
}

extension ModelWrite {
  fileprivate init(drawnFrom random: inout some RandomNumberGenerator) {
    func draw(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    let kind: Kind =
      switch draw(5) {
      case 0: .delete
      case 1: .event
      default: .put
      }
    let condition: Condition =
      switch draw(10) {
      case 0: .absent
      case 1: .current
      case 2: .ahead(UInt64(1 + draw(4)))
      case 3: .version(UInt64(draw(40)))
      default: .any
      }
    self.init(
      kind: kind, name: draw(6), length: [0, 1, 31, 32, 500, 3000][draw(6)],
      first: UInt8(truncatingIfNeeded: random.next()), condition: condition)
  }

  /// One of many, which together make a checkpoint due.
  fileprivate init(putDrawnFrom random: inout some RandomNumberGenerator) {
    self.init(
      kind: .put, name: Int(random.next() % 6), length: 8, first: UInt8(truncatingIfNeeded: random.next()))
  }
}

// MARK: Words

extension ModelProgram: CustomStringConvertible {
  /// One line for each step.
  package var description: String {
    steps.enumerated().map { "  \($0 + 1). \($1)" }.joined(separator: "\n")
  }
}

extension ModelStep: CustomStringConvertible {
  package var description: String {
    switch self {
    case .open(let key, let process, let isReader):
      "process \(process) opens with key \(key)\(isReader ? " to read" : "")"
    case .leave(let handle, let closes): "\(closes ? "close" : "drop") handle \(handle)"
    case .commit(let handle, let writes): "handle \(handle) commits \(Self.words(for: writes))"
    case .snapshot(let handle): "handle \(handle) takes a snapshot"
    case .compare(let handle): "handle \(handle) reads everything"
    case .compareSnapshot(let number): "snapshot \(number) reads everything"
    case .addKey(let handle, let key): "handle \(handle) adds key \(key)"
    case .removeKey(let handle, let slot, let evenInUse):
      "handle \(handle) removes slot \(slot)\(evenInUse ? ", even its own" : "")"
    case .changeKey(let handle, let key): "handle \(handle) changes its key to \(key)"
    case .compact(let versions, let back, let tells, let meanwhile):
      "compact, keeping \(versions) versions, events of the last \(back) steps\(Self.words(tells, meanwhile))"
    case .rotate(let tells, let meanwhile): "rotate\(Self.words(tells, meanwhile))"
    case .rekey(let key, let tells): "rekey to key \(key)\(Self.words(tells, []))"
    case .backup(let opens): "backup\(opens ? " with the key" : "")"
    case .restore(let tells): "restore\(Self.words(tells, []))"
    case .loseAndRestore: "lose the vault, and restore"
    case .tryKeys: "try every key"
    case .verify: "verify"
    case .fault(let fault, let step): "\(fault) while: \(step)"
    }
  }

  private static func words(_ tells: Bool, _ meanwhile: [ModelWrite]) -> String {
    (tells ? ", telling of it" : "") + (meanwhile.isEmpty ? "" : ", while somebody commits \(words(for: meanwhile))")
  }

  private static func words(for writes: [ModelWrite]) -> String {
    let words = writes.prefix(6).map(\.description).joined(separator: ", ")
    return writes.count > 6 ? "\(words) and \(writes.count - 6) more" : words
  }
}

extension ModelFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .powerCut(let point, let state): "power cut (\(point), \(state))"
    case .kill(let call, let isHalf): "killed at call \(call)\(isHalf ? ", half written" : "")"
    case .failing(let call, let forEver, let isFull, let isHalf):
      (isFull ? "no room from call \(call) on" : "call \(call) fails")
        + (forEver ? ", for ever" : "") + (isHalf ? ", half written" : "")
    }
  }
}

extension ModelWrite: CustomStringConvertible {
  package var description: String {
    let asked: String =
      switch condition {
      case .any: ""
      case .absent: " if absent"
      case .current: " if unchanged"
      case .ahead(let distance): " if of the version \(distance) ahead"
      case .version(let version): " if of version \(version)"
      }
    return switch kind {
    case .put: "put \(name) (\(length) bytes)\(asked)"
    case .delete: "delete \(name)\(asked)"
    case .event: "event \(name) (\(length) bytes)"
    }
  }
}
