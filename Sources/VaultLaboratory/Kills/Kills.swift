import Glibc
import VaultEngine

/// A supervisor of real processes that write, read and compact one vault, and are killed at any moment.
///
/// Which of them is killed when follows from a seed; what it was doing then does not, and the promise holds at every moment.
package final class Kills {
  private let program: String
  private let bench: KillBench
  private let seed: UInt64
  private let plant: KillPlant?
  private var random: SeededRandom
  private var players: [KillPlayer] = []
  private var lives: [String: Int] = [:]
  private var ledger = KillLedger()
  private var report = Report()
  private var kills = 0
  /// How long a commit takes here, and a new generation, in microseconds: kills shall fall into them.
  private var commitTime: UInt64 = 1000
  private let generationTime: UInt64 = 12_000

  /// Kills between two looks at the vault while nobody works on it.
  private static let epoch = 125
  private static let stopEvery = 60

  /// - Parameters:
  ///   - program: has a sub-command `kills-child`, which calls ``play(_:number:life:folder:seed:plant:)``.
  ///   - folder: an empty one.
  package init(program: String, folder: String, seed: UInt64, plant: KillPlant?) throws {
    (self.program, self.seed, self.plant) = (program, seed, plant)
    bench = KillBench(folder: folder)
    random = SeededRandom(seed: seed)
    try bench.prepare()
  }

  /// Takes a part until it is killed.
  package static func play(
    _ role: String, number: Int, life: Int, folder: String, seed: UInt64, plant: KillPlant?
  ) throws -> Never {
    // A supervisor that is gone ends its processes with the next word that they say.
    signal(SIGPIPE, SIG_DFL)
    let bench = KillBench(folder: folder)
    switch role {
    case "writer":
      var writer = try KillWriter(bench, number: number, life: life, seed: seed, plant: plant)
      writer.run()
    case "reader":
      var reader = try KillReader(bench, number: number, life: life, seed: seed, plant: plant)
      reader.run()
    default:
      var compactor = try KillCompactor(bench, life: life, seed: seed, plant: plant)
      compactor.run()
    }
  }

  // MARK: The course

  /// Kills `count` processes.
  package func run(_ count: Int) throws -> Report {
    try startAll()
    try measure()
    while kills < count, report.violationCount < 100 {
      if kills % Self.stopEvery == Self.stopEvery / 2 { stopOne() }
      try killOne()
      if kills % Self.epoch == 0 || kills == count { try lookAtAll(isLast: kills == count) }
    }
    players = []
    for name in ["killed-with-lock", "killed-in-commit", "killed-in-generation", "acknowledged"]
    where report.counts[name] == nil && count >= Self.epoch {
      report.violation("seed \(seed): nothing was tried: \(name) 0")
    }
    return report
  }

  private var state: String { "seed \(seed), after \(kills) kills" }

  private func startAll() throws {
    let roles =
      (0..<KillBench.writers).map { KillPlayer.Role.writer($0) } + (0..<KillBench.readers).map { .reader($0) } + [
        .compactor
      ]
    players = try roles.map { try start($0) }
  }

  private func start(_ role: KillPlayer.Role) throws -> KillPlayer {
    let words = KillPlayer.words(role)
    let life = lives[words.joined(), default: 0] + 1
    lives[words.joined()] = life
    let plants = plant.map { ["--plant", $0.rawValue] } ?? []
    let process = try ChildProcess(
      [program, "kills-child"] + words + ["--life", "\(life)", "--folder", bench.folder, "--seed", "\(seed)"] + plants)
    return KillPlayer(role, life: life, process)
  }

  /// How long commits take while all are at work.
  private func measure() throws {
    listen(for: 300_000)
    let before = acknowledged
    listen(for: 500_000)
    let count = max(acknowledged - before, 1)
    // Four writers wait for each other.
    commitTime = min(max(UInt64(500_000 * KillBench.writers / count), 200), 20_000)
    report.count("commit-microseconds", Int(commitTime))
  }

  private var acknowledged: Int { players.reduce(0) { $0 + $1.acknowledged } }

  // MARK: Listening

  /// Takes in what all say, for so many microseconds.
  private func listen(for time: UInt64) {
    let end = ContinuousClock.now + .microseconds(Int(time))
    repeat {
      let left = max(Int((end - ContinuousClock.now) / .microseconds(1)), 0)
      // One that has ended by itself, as none does, is told of when its turn to be killed comes.
      let players = players.filter { !$0.process.isClosed }
      var descriptors = players.map { pollfd(fd: $0.process.channel, events: Int16(POLLIN), revents: 0) }
      let ready = unsafe poll(&descriptors, nfds_t(descriptors.count), Int32(left / 1000))
      if ready == 0, left < 1000 { usleep(UInt32(left)) }
      for (player, descriptor) in zip(players, descriptors) where descriptor.revents != 0 { take(player) }
    } while ContinuousClock.now < end
  }

  /// Listens until something has happened; false when it has not within ten seconds.
  private func listen(until condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while !condition() {
      guard ContinuousClock.now < end else { return false }
      listen(for: 1000)
    }
    return true
  }

  private func take(_ player: KillPlayer) {
    for line in player.process.lines() { take(line, from: player) }
  }

  private func take(_ line: String, from player: KillPlayer) {
    let words = line.split(separator: " ")
    switch (words.first, words.dropFirst().first) {
    case ("o", _): player.isReady = true
    case ("g", _): report.count("reads")
    case ("x", _): report.violation("\(state): \(line.dropFirst(2))")
    case ("a", .some(let word)):
      guard let id = BatchID(word), ledger.begin(id, Array(words.dropFirst(2))) else { fallthrough }
      player.begun.insert(id)
    case ("k", .some(let word)):
      guard let id = BatchID(word) else { fallthrough }
      ledger.acknowledge(id, versions: words.dropFirst(2).compactMap { UInt64($0) })
      player.begun.remove(id)
      player.acknowledged += 1
    case ("r", .some(let word)):
      player.refusals += 1
      player.verb = nil
      if let id = BatchID(word) {
        ledger.refuse(id)
        player.begun.remove(id)
        report.count("refused-" + (words.last ?? ""))
      }
    case ("s", .some(let verb)): player.verb = String(verb)
    case ("d", .some(let verb)):
      player.verb = nil
      report.count("done-\(verb)")
    default: report.violation("\(state): somebody said what makes no sense: \(line)")
    }
  }

  // MARK: Killing

  /// Kills one of those who are at work, and starts it anew.
  private func killOne() throws {
    guard let victim = victim() else {
      kills += 1
      return report.violation("\(state): nobody gets to work")
    }
    let span = victim.role == .compactor ? generationTime : commitTime * 2
    listen(for: random.next() % span)
    // One in four is stopped first, so that it can be seen what it holds.
    if random.next() % 4 == 0, victim.process.stop(), LockHolders.holds(victim.process.id, bench.lockFile) {
      report.count("killed-with-lock")
    }
    end(victim)
    players = try players.map { try $0 === victim ? start($0.role) : $0 }
  }

  private func end(_ victim: KillPlayer) {
    kill(victim.process.id, SIGKILL)
    let code = victim.process.wait()
    take(victim)
    kills += 1
    report.count("kills")
    if code != 128 + SIGKILL { report.violation("\(state): a process ended by itself, with \(code)") }
    if !victim.begun.isEmpty { report.count("killed-in-commit") }
    if let verb = victim.verb {
      report.count("killed-in-\(verb)")
      if ["compact", "rotate", "rekey"].contains(verb) { report.count("killed-in-generation") }
    }
  }

  /// Mostly a writer, often the compactor, sometimes a reader; of those who have opened the vault, and writers who have written.
  private func victim() -> KillPlayer? {
    let choice = random.next() % 10
    let isAtWork: (KillPlayer) -> Bool = { (player) in
      switch player.role {
      case .writer: choice < 6 && player.acknowledged > 0
      case .compactor: 6...8 ~= choice && player.isReady
      case .reader: choice == 9 && player.isReady
      }
    }
    guard listen(until: { self.players.contains(where: isAtWork) }) else { return nil }
    let some = players.filter(isAtWork)
    return some[Int(random.next() % UInt64(some.count))]
  }

  // MARK: Stopping

  /// Stops a writer, if it can be done while he has the lock: others wait for as long as they were told to, and say so. When he
  /// goes on, all do.
  private func stopOne() {
    let writers = players.filter { $0.isWriter }
    guard listen(until: { writers.allSatisfy { $0.acknowledged > 0 } }) else {
      return report.violation("\(state): a writer does not get to write")
    }
    for _ in 0..<40 {
      let writer = writers[Int(random.next() % UInt64(writers.count))]
      listen(for: random.next() % (commitTime * 2))
      guard writer.process.stop() else { return report.violation("\(state): a writer ended by itself") }
      defer { writer.process.proceed() }
      guard LockHolders.holds(writer.process.id, bench.lockFile) else { continue }
      report.count("stopped-with-lock")
      let others = writers.filter { $0 !== writer }
      let before = others.map(\.refusals)
      if !listen(until: { zip(others, before).contains { $0.refusals > $1 } }) {
        report.violation("\(state): nobody said that the vault is locked, though a writer stood still with the lock")
      }
      writer.process.proceed()
      let done = writers.map(\.acknowledged)
      if !listen(until: { zip(writers, done).allSatisfy { $0.acknowledged > $1 } }) {
        report.violation("\(state): a writer does not go on after another one stood still")
      }
      return
    }
  }

  // MARK: Looking

  /// Kills all, looks at what they left, and lets all go on.
  private func lookAtAll(isLast: Bool) throws {
    for player in players { end(player) }
    players = []
    report.count("temporaries-left", bench.temporaries.count)
    report.count("torn-tails", bench.tornCopies.count)
    do {
      try look()
    } catch {
      report.violation("\(state): \(error)")
    }
    report.count("looks")
    if !isLast { try startAll() }
  }

  private func look() throws {
    let verified = try Vault.verify(at: bench.vault, credential: bench.credential())
    for finding in verified.findings { report.violation("\(state): \(finding.code): \(finding.sentence)") }
    report.count("torn-tails", verified.tornBytes > 0 ? 1 : 0)
    report.add(try ledger.settle(bench.open(readOnly: true).snapshot(), state))
    // The next writer sweeps, and the next backup.
    let writer = try bench.open()
    var batch = try VaultBatch()
    let id = BatchID(writer: KillBench.writers, life: 0, number: kills)
    let (name, value) = (Array("supervisor".utf8), KillValue.bytes(of: id, at: 0))
    try batch.put(name.span, value: value.span)
    try writer.commit(batch)
    _ = try Vault.backup(at: bench.vault, credential: bench.credential(), to: bench.backup, replacing: true)
    for name in bench.temporaries { report.violation("\(state): \(name) is left behind the next writer") }
    for name in bench.tornCopies { unsafe _ = unlink(bench.folder + "/" + name) }
    // All events have told what they had to tell.
    var retention = Retention()
    retention.eventsSince = .max
    _ = try Vault.compact(at: bench.vault, credential: bench.credential(), keeping: retention)
    let snapshot = try writer.snapshot()
    try ledger.adopt(snapshot)
  }
}
