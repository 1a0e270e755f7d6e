import VaultEngine

/// What writers said that they would write, and what they said that they wrote: held against what is there.
struct KillLedger {
  /// What is known of a batch.
  private enum Fate: Equatable {
    /// It may be there or not.
    case begun
    /// It must be there, with these versions where they were told.
    case acknowledged([UInt64])
    /// It must not be there.
    case refused
  }

  private struct Batch {
    let operations: [KillOperation]
    var fate = Fate.begun
  }

  /// A value by name, as it must be in the vault.
  private struct Held: Equatable {
    let value: [UInt8]
    let version: UInt64
  }

  private var batches: [BatchID: Batch] = [:]
  private var base: [String: Held] = [:]
  /// The greatest version before the batches that are known here.
  private var baseVersion: UInt64 = 0

  init() {}

  // MARK: What writers say

  /// - Parameter rest: the writes, as the announcement names them.
  /// - Returns: whether it could be read.
  mutating func begin(_ id: BatchID, _ rest: [Substring]) -> Bool {
    let operations = rest.compactMap { KillOperation($0) }
    guard operations.count == rest.count, batches[id] == nil else { return false }
    batches[id] = Batch(operations: operations)
    return true
  }

  mutating func acknowledge(_ id: BatchID, versions: [UInt64]) { batches[id]?.fate = .acknowledged(versions) }

  mutating func refuse(_ id: BatchID) { batches[id]?.fate = .refused }

  // MARK: What is there

  /// A batch that is in the vault, with its writes by their versions.
  private struct Found {
    let id: BatchID
    let versions: Range<UInt64>
  }

  /// Compares a vault, of which nobody writes anything now, with what writers said.
  ///
  /// - Returns: what was counted, and what should not be.
  func settle(_ snapshot: VaultSnapshot, _ state: String) throws -> Report {
    var report = Report()
    let (found, records) = try read(snapshot, &report, state)
    compareFates(found, &report, state)
    let expected = replay(found, &report, state)
    compare(records, found, &report, state)
    let held = try Self.held(in: snapshot)
    if held != expected {
      let names = Set(held.keys).union(expected.keys).filter { held[$0] != expected[$0] }.sorted()
      report.violation("\(state): the vault holds something else than was written, under \(names.prefix(3))")
    }
    return report
  }

  /// Takes what is there for given: the names, and no record besides. Nothing more is known of any batch.
  mutating func adopt(_ snapshot: VaultSnapshot) throws {
    base = try Self.held(in: snapshot)
    baseVersion = snapshot.lastVersion
    batches = [:]
  }

  private static func held(in snapshot: VaultSnapshot) throws -> [String: Held] {
    var held: [String: Held] = [:]
    try snapshot.forEachEntry { (entry) throws(VaultError) in
      held[text(entry.name)] = Held(value: Array(entry.value), version: entry.version)
    }
    return held
  }

  private struct Record {
    let version: UInt64
    let name: String
    /// `nil` of a deletion.
    let value: [UInt8]?
  }

  /// Goes over every record: events tell of batches, the others are their writes.
  private func read(
    _ snapshot: VaultSnapshot, _ report: inout Report, _ state: String
  ) throws -> (found: [Found], records: [Record]) {
    var found: [Found] = []
    var records: [Record] = []
    var unknown: [String] = []
    try snapshot.forEachRecord { (entry) throws(VaultError) in
      let (name, value) = (Self.text(entry.name), Array(entry.value))
      guard entry.operation == .event else {
        records.append(Record(version: entry.version, name: name, value: entry.operation == .put ? value : nil))
        return
      }
      let text = String(decoding: value, as: UTF8.self)
      guard let id = BatchID(text), let batch = batches[id], entry.version > batch.operations.count else {
        return unknown.append(text)
      }
      found.append(Found(id: id, versions: entry.version - UInt64(batch.operations.count)..<entry.version + 1))
    }
    for text in unknown { report.violation("\(state): batch \(text) is there, which nobody has begun") }
    report.count("batches", found.count)
    return (found, records)
  }

  private func compareFates(_ found: [Found], _ report: inout Report, _ state: String) {
    var seen: [BatchID: Range<UInt64>] = [:]
    var taken: Set<UInt64> = []
    for one in found {
      if seen.updateValue(one.versions, forKey: one.id) != nil {
        report.violation("\(state): batch \(one.id) is there twice")
      }
      for version in one.versions where !taken.insert(version).inserted {
        report.violation("\(state): version \(version) was given twice, to batch \(one.id) too")
      }
    }
    for (id, batch) in batches {
      switch (batch.fate, seen[id]) {
      case (.begun, nil): report.count("in-flight-lost")
      case (.begun, .some): report.count("in-flight-kept")
      case (.acknowledged, nil): report.violation("\(state): batch \(id) was acknowledged, and is not there")
      case (.acknowledged(let versions), .some(let range)):
        report.count("acknowledged")
        if !versions.isEmpty, versions != Array(range) {
          report.violation("\(state): batch \(id) was acknowledged as \(versions), and is there as \(range)")
        }
      case (.refused, .some): report.violation("\(state): batch \(id) was refused, and is there")
      case (.refused, nil): report.count("refused")
      }
      let next = BatchID(writer: id.writer, life: id.life, number: id.number + 1)
      if let range = seen[id], let later = seen[next], later.lowerBound < range.upperBound {
        report.violation("\(state): batch \(id) comes behind the next one of its writer")
      }
    }
  }

  /// What the vault must hold when these batches came one after the other, and each of them whole.
  private func replay(_ found: [Found], _ report: inout Report, _ state: String) -> [String: Held] {
    var contents = base
    for one in found.sorted(by: { $0.versions.lowerBound < $1.versions.lowerBound }) {
      for (place, operation) in (batches[one.id]?.operations ?? []).enumerated() {
        let former = contents[operation.name]?.version
        let isAllowed =
          switch operation.condition {
          case .any: !operation.isDeletion || former != nil
          case .absent: former == nil
          case .version(let version): former == version
          }
        if !isAllowed { report.violation("\(state): batch \(one.id) changed a name that was not as it required") }
        if operation.condition != .any { report.count("conditional-writes") }
        contents[operation.name] =
          operation.isDeletion
          ? nil
          : Held(value: KillValue.bytes(of: one.id, at: place), version: one.versions.lowerBound + UInt64(place))
      }
    }
    return contents
  }

  /// Every record is a write of a batch that is there, or was there before.
  private func compare(_ records: [Record], _ found: [Found], _ report: inout Report, _ state: String) {
    var writes: [UInt64: (id: BatchID, place: Int)] = [:]
    for one in found {
      for (place, version) in one.versions.enumerated() { writes[version] = (one.id, place) }
    }
    for record in records {
      if record.version <= baseVersion {
        let held = base[record.name]
        if held?.version != record.version || held?.value != record.value {
          report.violation("\(state): version \(record.version) came back, or was changed")
        }
        continue
      }
      guard let (id, place) = writes[record.version], let operations = batches[id]?.operations, place < operations.count
      else {
        report.violation("\(state): version \(record.version) is of no batch that is there whole")
        continue
      }
      let value = operations[place].isDeletion ? nil : KillValue.bytes(of: id, at: place)
      if operations[place].name != record.name || value != record.value {
        report.violation("\(state): version \(record.version) is not what batch \(id) was to write")
      }
    }
  }

  private static func text(_ bytes: Span<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
}
