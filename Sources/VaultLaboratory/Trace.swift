import Synchronization

package import VaultEngine

/// What a program did on a simulated disk, and what the vault held each time that a call returned.
package struct Trace: Sendable {
  /// What the vault holds from a place of the journal on.
  package struct Acknowledged: Sendable {
    package let contents: Contents
    /// The version of the newest write.
    package let version: UInt64
    /// The length that the journal had when the acknowledgement came; `.max` for a commit that never was acknowledged, because
    /// its process died or its call failed, and that may be there all the same.
    package let journal: Int
    /// Which of ``otherKeys`` open it besides the one that always does.
    package let keys: Set<UInt8>
  }

  /// A file beside the vault that is there, whole, from a place of the journal on.
  package struct Kept: Sendable {
    package let name: String
    package let bytes: [UInt8]
    package let journal: Int
    /// Before that it is not there, or whole.
    package let isNeverPartial: Bool
    /// Wherever there is a vault, it is there, too.
    package let isBesideVault: Bool
  }

  /// A file without a name that holds nothing but zeros from a place of the journal on.
  package struct Shredded: Sendable {
    package let file: Int
    package let journal: Int
  }

  package let name: String
  package let disk: SimulatedDisk
  /// What the vault holds after each commit that was acknowledged, the empty vault first.
  package let acknowledged: [Acknowledged]
  package let kept: [Kept]
  package let shredded: [Shredded]
  /// Lengths of the journal at which one program's call began or ended.
  package let borders: Set<Int>
  /// What the disk was told.
  package let journal: [DiskOperation]
  /// What may be on the disk at each point: before the first operation, after it, and so on.
  package let disks: [UncertainDisk]

  /// What was done so far.
  package init(_ recorder: TraceRecorder, name: String = "trace") {
    self.name = name
    disk = recorder.disk
    (acknowledged, kept, shredded, borders) = recorder.found
    journal = disk.journal
    var disks = [UncertainDisk(disk.start)]
    for operation in journal {
      var next = disks[disks.count - 1]
      next.apply(operation)
      disks.append(next)
    }
    self.disks = disks
  }

  /// Makes a vault and commits every batch.
  ///
  /// - Parameter reopening: each commit is made by a handle of its own, as short-lived processes do.
  package init(_ batches: [[Write]], reopening: Bool = false, seed: UInt64) throws {
    let recorder = TraceRecorder(seed: seed)
    var vault = try recorder.create()
    for batch in batches {
      if reopening { vault = try recorder.open() }
      try recorder.commit(batch, to: vault)
    }
    self.init(recorder)
  }

  /// What a vault may hold when the power goes at a point of the journal: what was acknowledged last, what never was, and what
  /// was in flight. Nothing as long as no vault was acknowledged.
  package func allowed(at point: Int) -> [Contents] {
    mayBeMissing(at: point) ? [] : allowedStates(at: point).map(\.contents)
  }

  /// The same; before the first acknowledgement, what is found if anything is.
  package func allowedStates(at point: Int) -> ArraySlice<Acknowledged> {
    let first = acknowledged.lastIndex { $0.journal <= point } ?? 0
    let next = mayBeMissing(at: point) ? 0 : first + 1
    let last = acknowledged[next...].firstIndex { $0.journal != .max } ?? acknowledged.count - 1
    return acknowledged[first...max(first, last)]
  }

  /// Keys, all of whose bytes have this value, that open the vault at times.
  package var otherKeys: Set<UInt8> { acknowledged.reduce(into: []) { $0.formUnion($1.keys) } }

  /// Whether the vault itself was not acknowledged yet.
  package func mayBeMissing(at point: Int) -> Bool { !acknowledged.contains { $0.journal <= point } }

  /// Eight commits as a program makes them: overwriting, deleting, events, several writes at once, one of several KB.
  package static let ordinary: [[Write]] = [
    [.put("alice", [1, 2, 3])],
    [.put("bob", Array(repeating: 0x42, count: 300)), .put("carol", [9])],
    [.put("alice", Array(repeating: 0, count: 700)), .event("alice", [1]), .put("dora", [4]), .delete("carol")],
    [.delete("bob")],
    [.put("large", (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) })],
    [.put("bob", [5]), .put("bob", [6]), .event("bob", [])],
    [.put("alice", [7])],
    [.put("erin", Array(repeating: 0xF5, count: 90)), .delete("dora"), .put("dora", [8])],
  ]
}

/// Does things on a disk, and notes what was acknowledged.
package final class TraceRecorder: Sendable {
  private struct State {
    var contents: Contents = [:]
    var acknowledged: [Trace.Acknowledged] = []
    var kept: [Trace.Kept] = []
    var shredded: [Trace.Shredded] = []
    var borders: Set<Int> = []
    var keys: Set<UInt8> = []
    var seed: UInt64
  }

  package let disk: SimulatedDisk
  private let state: Mutex<State>

  /// - Parameters:
  ///   - seed: of the processes' random bytes: none draws what another does.
  ///   - ledger: is shown every frame.
  package init(on disk: SimulatedDisk = SimulatedDisk(), seed: UInt64, ledger: NonceLedger? = nil) {
    self.disk = disk
    state = Mutex(State(seed: seed))
    ledger?.watch(disk)
  }

  /// Goes on with a vault that was found after a crash.
  package convenience init(_ image: DiskImage, holding held: Held, seed: UInt64, ledger: NonceLedger? = nil) {
    self.init(on: SimulatedDisk(image), seed: seed, ledger: ledger)
    state.withLock { (state) in
      state.contents = held.contents
      state.acknowledged = [.init(contents: held.contents, version: held.version, journal: 0, keys: [])]
    }
  }

  var found: (acknowledged: [Trace.Acknowledged], kept: [Trace.Kept], shredded: [Trace.Shredded], borders: Set<Int>) {
    state.withLock { ($0.acknowledged, $0.kept, $0.shredded, $0.borders) }
  }

  /// A program's call begins or ends.
  package func border() { state.withLock { _ = $0.borders.insert(disk.journal.count) } }

  /// From the next acknowledgement on, just these other keys open the vault.
  package func setKeys(_ keys: Set<UInt8>) { state.withLock { $0.keys = keys } }

  package var contents: Contents { state.withLock { $0.contents } }

  /// The world of another process: the same disk, random bytes of its own.
  package func environment(path: String = SimulatedStorage.name) -> Environment {
    let seed = state.withLock { (state) in
      state.seed &+= 1
      return state.seed
    }
    return .process(disk, path: path, seed: seed)
  }

  package func create() throws -> Vault {
    let vault = try Vault.create(environment(), credential: key())
    try acknowledge()
    return vault
  }

  package func open() throws -> Vault { try Vault.open(environment(), credential: key()) }

  package func commit(_ batch: [Write], to vault: Vault) throws {
    border()
    try vault.commit(batch)
    try acknowledge { (contents) in for write in batch { write.apply(to: &contents) } }
  }

  /// Commits what fails or is not acknowledged, and yet may be found; `staying` tells whether what comes later builds on it.
  package func lose(_ batch: [Write], to vault: Vault, staying: Bool) throws {
    border()
    defer { border() }
    guard (try? vault.commit(batch)) == nil else { throw HelperError.didNotFail }
    noteLost(batch, staying: staying)
  }

  /// Writes were asked for that were not acknowledged, and yet may be found, all of them or none.
  func noteLost(_ batch: [Write], staying: Bool) {
    var after = contents
    for write in batch { write.apply(to: &after) }
    let last = found.acknowledged[found.acknowledged.count - 1].version
    state.withLock { (state) in
      state.acknowledged.append(
        .init(contents: after, version: last + UInt64(batch.count), journal: .max, keys: state.keys))
      if staying { state.contents = after }
    }
  }

  /// A call returned: from now on the vault holds what it holds.
  package func acknowledge(_ change: (inout Contents) -> Void = { _ in }) throws {
    let version = try SimulatedDisk(disk.cache).held().version
    state.withLock { (state) in
      change(&state.contents)
      state.acknowledged.append(
        .init(contents: state.contents, version: version, journal: disk.journal.count, keys: state.keys))
    }
    border()
  }

  /// From a place of the journal on, the end if none is given, a file has to stay as it is.
  package func keep(
    _ name: String, from journal: Int? = nil, isNeverPartial: Bool = false, isBesideVault: Bool = false
  ) throws {
    guard let bytes = disk.cache[name] else { throw HelperError.noFile }
    border()
    state.withLock {
      $0.kept.append(
        .init(
          name: name, bytes: bytes, journal: journal ?? disk.journal.count, isNeverPartial: isNeverPartial,
          isBesideVault: isBesideVault))
    }
  }

  /// From now on nothing of what a file held is on the disk.
  package func noteShredded(_ file: Int) {
    state.withLock { $0.shredded.append(.init(file: file, journal: disk.journal.count)) }
    border()
  }
}
