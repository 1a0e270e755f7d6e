import Glibc
import Synchronization
import VaultCrypto

import VaultEngine

/// What may bring a nonce up twice, beside the crashes of ``NestedCuts``: calls that fail and are tried again, copies of a vault that
/// live on apart, backups that are restored, batches that are sealed before it is their turn and sealed again.
package struct Nonces: Sendable {
  package let seed: UInt64
  /// How often each is done.
  package let rounds: Int

  package init(seed: UInt64, rounds: Int) { (self.seed, self.rounds) = (seed, rounds) }

  package func report() -> Report {
    let ledger = NonceLedger()
    var report = Report.over(Array(0..<rounds)) { (round) in
      var branches = NonceBranches(
        ledger, processes: SeededRandom(seed: seed &* 31 &+ UInt64(round) &* 0xA24B_AED4_963E_E407))
      return branches.run("seed \(seed), round \(round)")
    }
    report.add(ledger.report)
    report.add(planted())
    return report
  }

  /// Programs whose random bytes come up again: each must be noticed, or the ledger is worth nothing.
  private func planted() -> Report {
    var report = Report()
    for kind in NonceBranches.Kind.allCases {
      let ledger = NonceLedger()
      var branches = NonceBranches(ledger, processes: SeededRandom(seed: seed), isRepeating: true)
      report.add(branches.run("planted", [kind]))
      report.count("planted repeats")
      report.count("planted repeats noticed in", ledger.report.violationCount)
      if ledger.report.violationCount == 0 { report.violation("repeated random bytes in \(kind) went unnoticed") }
    }
    return report
  }
}

/// Histories of a vault that part from one another.
struct NonceBranches {
  enum Kind: CaseIterable {
    case forks, restores, failures, sealedAhead
  }

  private let ledger: NonceLedger
  /// Seeds of the processes' random bytes.
  private var processes: SeededRandom
  /// Plants a fault: all processes draw the same bytes.
  private let isRepeating: Bool

  init(_ ledger: NonceLedger, processes: SeededRandom, isRepeating: Bool = false) {
    (self.ledger, self.processes, self.isRepeating) = (ledger, processes, isRepeating)
  }

  mutating func run(_ place: String, _ kinds: [Kind] = Kind.allCases) -> Report {
    var report = Report()
    for kind in kinds {
      report.count("\(kind)")
      do {
        switch kind {
        case .forks: try forks()
        case .restores: try restores()
        case .failures: try failures()
        case .sealedAhead: try sealedAhead()
        }
      } catch {
        report.violation("\(place), \(kind): \(error)")
      }
    }
    return report
  }

  private mutating func disk(_ image: DiskImage = DiskImage()) -> SimulatedDisk {
    let disk = SimulatedDisk(image)
    ledger.watch(disk)
    return disk
  }

  private mutating func process(_ disk: SimulatedDisk, path: String = SimulatedStorage.name) -> Environment {
    .process(disk, path: path, seed: isRepeating ? 1 : processes.next())
  }

  private mutating func value(_ limit: Int = 900) -> [UInt8] {
    processes.array(Int(processes.next() % UInt64(limit)))
  }

  /// A vault with a few writes.
  private mutating func vault() throws -> SimulatedDisk {
    let disk = disk()
    let vault = try Vault.create(process(disk), credential: key())
    for _ in 0..<3 { try vault.commit([.put("alice", value()), .event("alice", value(40))]) }
    return disk
  }

  // MARK: Kinds

  /// The file is copied, and both go on: the same sequences, offsets, terms and keys, and other contents.
  private mutating func forks() throws {
    let image = try vault().cache
    for number in 0..<3 {
      let disk = disk(image)
      try Vault.open(process(disk), credential: key()).commit([.put("alice", value())])
      if let verb = [nil, ReferenceTraces.NewGeneration.compaction, .rotation][number] {
        try verb.make(in: process(disk))
      }
      let vault = try Vault.open(process(disk), credential: key())
      for _ in 0..<3 { try vault.commit([.put("bob", value()), .put("carol", value())]) }
      try vault.addKey(key(9))
    }
  }

  /// A backup is restored, over the vault and where none is, and written on each time.
  private mutating func restores() throws {
    let original = try vault()
    let copy = SimulatedStorage(disk: original, path: "backup")
    _ = try Vault.backup(SimulatedStorage(disk: original), credential: key(), to: copy, replacing: false)
    try Vault.open(process(original), credential: key()).commit([.put("alice", value()), .put("bob", value())])
    let image = original.cache
    for round in 0..<3 {
      var image = image
      if round == 1 { image.names[SimulatedStorage.name] = nil }
      let disk = disk(image)
      var options = RestoreOptions()
      options.acceptsRollback = true
      options.lockTimeout = .zero
      options.event = ([1], [2])
      let backup = SimulatedStorage(disk: disk, path: "backup")
      _ = try Vault.restore(backup, credential: key(), to: process(disk), options: options)
      let vault = try Vault.open(process(disk), credential: key())
      for _ in 0..<3 { try vault.commit([.put("alice", value()), .event("alice", value(40))]) }
    }
  }

  /// Each call of a commit fails in its turn; the same is tried again on the same handle, with other contents, and by the next.
  private mutating func failures() throws {
    let image = try vault().cache
    let plans: [(Int) -> FailurePlan] = [
      { FailurePlan(first: $0) }, { FailurePlan(first: $0, writesHalf: true) },
      { FailurePlan(first: $0, count: .max, isFull: true, writesHalf: true) },
      { FailurePlan(first: $0, count: .max, isKill: true, writesHalf: true) },
    ]
    for plan in plans {
      for number in 1...1000 {
        let disk = disk(image)
        let vault = try Vault.open(process(disk), credential: key())
        if number % 2 == 0 { try vault.commit([.put("first", value(40))]) }
        disk.fail(plan(number))
        let failed = (try? vault.commit([.put("alice", value())])) == nil
        let hasReached = disk.calls >= number
        disk.fail(nil)
        _ = try? vault.commit([.put("alice", value())])
        try Vault.open(process(disk), credential: key()).commit([.put("alice", value())])
        if !hasReached, !failed { break }
      }
    }
  }

  /// A large batch is sealed while the one before it is synced; another process comes between, and it is sealed again.
  private mutating func sealedAhead() throws {
    let disk = try vault()
    let draws = DrawCounter()
    var environment = process(disk)
    let makeRandom = environment.makeRandom
    environment.makeRandom = { () throws(CryptoError) in draws.counting(try makeRandom()) }
    let vault = try Vault.open(environment, credential: key())
    let large = (0..<10).map { Write.put(Name(bytes: [UInt8($0)]), [UInt8](repeating: 7, count: 30_000)) }
    let pending = Mutex<PendingCommit?>(nil)
    let (between, value) = (process(disk), value())
    disk.beforeNextSync {
      let before = draws.count
      pending.withLock { $0 = try? vault.submit(VaultBatch.of(large)) }
      draws.wait(beyond: before)
      disk.beforeEveryLock {
        disk.beforeEveryLock(nil)
        _ = try? Vault.open(between, credential: key()).commit([.put("between", value)])
      }
    }
    try vault.commit([.put("first", value)])
    guard let pending = pending.withLock({ $0 }) else { throw HelperError.didNotFail }
    _ = try pending.wait()
  }
}

/// Counts how often somebody asks for random bytes, and lets others wait for it.
private final class DrawCounter: Sendable {
  private let drawn = Atomic(0)

  private struct Source: RandomSource, Sendable {
    var source: AnyRandomSource
    let counter: DrawCounter

    mutating func fill(_ output: inout OutputSpan<UInt8>) throws(CryptoError) {
      counter.drawn.add(1, ordering: .sequentiallyConsistent)
      try source.fill(&output)
    }
  }

  var count: Int { drawn.load(ordering: .sequentiallyConsistent) }

  func counting(_ source: AnyRandomSource) -> AnyRandomSource { AnyRandomSource(Source(source: source, counter: self)) }

  /// Returns when more was drawn; at the latest after some seconds.
  func wait(beyond count: Int) {
    let end = ContinuousClock.now + .seconds(10)
    while self.count <= count, ContinuousClock.now < end { sched_yield() }
  }
}
