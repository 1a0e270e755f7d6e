import Glibc
import VaultEngine
import VaultFormat

/// A process that writes until it is killed. It says what it is about to write, and what it wrote when the commit returned.
struct KillWriter {
  private let bench: KillBench
  private let marks: KillMarks
  private let channel = KillChannel()
  private let number: Int
  private let life: Int
  private let plant: KillPlant?
  private var random: SeededRandom
  private var vault: Vault
  private var batches = 0

  init(_ bench: KillBench, number: Int, life: Int, seed: UInt64, plant: KillPlant?) throws {
    (self.bench, self.number, self.life, self.plant) = (bench, number, life, plant)
    marks = try KillMarks(bench)
    random = SeededRandom(seed: seed &+ UInt64(number) << 32 &+ UInt64(life))
    vault = try bench.open()
  }

  mutating func run() -> Never {
    channel.say("o")
    while true {
      do throws(VaultError) {
        try commitOne()
        // One writer in two is a short-lived one, which opens the vault for a few commits.
        if number % 2 == 1, random.next() % 4 == 0 { vault = try bench.open() }
      } catch {
        // The root key was changed: whoever has the key opens the vault anew.
        if error.code == .wrongKey, let anew = try? bench.open() {
          vault = anew
        } else {
          channel.say("x writer: \(error)")
        }
      }
    }
  }

  /// One batch; writers of odd number hand over a second before they wait for the first.
  private mutating func commitOne() throws(VaultError) {
    let first = try begin()
    if number == 3, plant == nil {
      let second = try begin()
      let waiting = (try submit(first), try submit(second))
      finish(first.id) { () throws(VaultError) in try waiting.0.wait() }
      finish(second.id) { () throws(VaultError) in try waiting.1.wait() }
    } else {
      if plant == .earlyAcknowledgement { acknowledge(first.id, []) }
      let vault = vault
      let batches = try planted(first)
      var versions: [UInt64] = []
      finish(first.id) { () throws(VaultError) in
        for batch in batches {
          // Between two halves, others get to write.
          if !versions.isEmpty { usleep(2000) }
          versions += try vault.commit(Self.batch(batch.operations, first.id, batch.places, plant))
        }
        return versions
      }
    }
  }

  private typealias Begun = (id: BatchID, operations: [KillOperation])

  /// Chooses what to write, and says so.
  private mutating func begin() throws(VaultError) -> Begun {
    batches += 1
    let id = BatchID(writer: number, life: life, number: batches)
    let operations = try choose()
    channel.say("a \(id) " + operations.map(\.text).joined(separator: " "))
    return (id, operations)
  }

  private func submit(_ begun: Begun) throws(VaultError) -> PendingCommit {
    try vault.submit(Self.batch(begun.operations, begun.id, 0..<begun.operations.count + 1, nil))
  }

  /// What is committed, one after the other: the whole, unless something was planted.
  private mutating func planted(
    _ begun: Begun
  ) throws(VaultError) -> [(operations: [KillOperation], places: Range<Int>)] {
    let count = begun.operations.count + 1
    return switch plant {
    case .twice where random.next() % 8 == 0: [(begun.operations, 0..<count), (begun.operations, 0..<count)]
    case .half where count > 2: [(begun.operations, 0..<1), (begun.operations, 1..<count)]
    default: [(begun.operations, 0..<count)]
    }
  }

  /// - Parameter places: those of the writes, and behind them that of the event.
  private static func batch(
    _ operations: [KillOperation], _ id: BatchID, _ places: Range<Int>, _ plant: KillPlant?
  ) throws(VaultError) -> VaultBatch {
    var batch = try VaultBatch()
    for place in places {
      guard place < operations.count else {
        let (log, text) = (Array(KillBench.log.utf8), Array(id.description.utf8))
        try batch.event(log.span, value: text.span)
        continue
      }
      let operation = operations[place]
      let name = Array(operation.name.utf8)
      let value = KillValue.bytes(of: id, at: plant == .other && id.number % 8 == 0 ? place + 1 : place)
      if operation.isDeletion {
        try batch.delete(name.span)
      } else {
        try batch.put(name.span, value: value.span, if: operation.condition)
      }
    }
    return batch
  }

  /// Runs a commit, and says what became of it.
  private func finish(_ id: BatchID, _ commit: () throws(VaultError) -> [UInt64]) {
    do throws(VaultError) {
      let versions = try commit()
      marks.note(versions.last ?? 0, of: number)
      if plant != .earlyAcknowledgement { acknowledge(id, versions) }
    } catch {
      switch error.code {
      case .conflict, .notFound, .locked, .wrongKey: channel.say("r \(id) \(error.code)")
      default: channel.say("x writer, batch \(id): \(error)")
      }
    }
  }

  private func acknowledge(_ id: BatchID, _ versions: [UInt64]) {
    channel.say("k \(id) " + versions.map(\.description).joined(separator: " "))
  }

  // MARK: What to write

  private mutating func choose() throws(VaultError) -> [KillOperation] {
    switch random.next() % 16 {
    case 0..<6: [KillOperation(ownName())]
    case 6..<8: [KillOperation(sharedName())]
    case 8..<10: try deletion()
    case 10..<13: try update()
    default: batchOfMany()
    }
  }

  /// Names in it may come twice.
  private mutating func batchOfMany() -> [KillOperation] {
    (0..<2 + random.next() % 5).map { _ in KillOperation(random.next() % 3 == 0 ? sharedName() : ownName()) }
  }

  /// A name of one's own that is there is deleted, and another put.
  private mutating func deletion() throws(VaultError) -> [KillOperation] {
    let name = ownName()
    guard try version(of: name) != nil else { return [KillOperation(name)] }
    return [KillOperation(name, isDeletion: true), KillOperation(ownName())]
  }

  /// A name that others update, too, if it still is what it was when this writer read it.
  private mutating func update() throws(VaultError) -> [KillOperation] {
    let name = sharedName()
    return [KillOperation(name, if: try version(of: name).map { .version($0) } ?? .absent)]
  }

  private func version(of name: String) throws(VaultError) -> UInt64? {
    let name = Array(name.utf8)
    guard let entry = try vault.entry(named: name.span) else { return nil }
    return entry.version
  }

  private mutating func ownName() -> String { "own-\(number)-\(random.next() % 8)" }
  private mutating func sharedName() -> String { "shared-\(random.next() % 6)" }
}
