import Glibc
import VaultEngine

/// A process that reads until it is killed, and says what a reader must never see.
struct KillReader {
  private let bench: KillBench
  private let marks: KillMarks
  private let channel = KillChannel()
  private let plant: KillPlant?
  private var random: SeededRandom
  private var vault: Vault
  /// The newest version that was seen, and of each name the one that was seen last.
  private var newest: UInt64 = 0
  private var seen: [Name: UInt64] = [:]
  /// A snapshot that must not change, and what it held.
  private var kept: (snapshot: VaultSnapshot, contents: Contents)?

  init(_ bench: KillBench, number: Int, life: Int, seed: UInt64, plant: KillPlant?) throws {
    (self.bench, self.plant) = (bench, plant)
    marks = try KillMarks(bench)
    random = SeededRandom(seed: seed &+ UInt64(100 + number) << 32 &+ UInt64(life))
    vault = try bench.open(readOnly: true)
  }

  mutating func run() -> Never {
    channel.say("o")
    while true {
      do {
        if random.next() % 4 == 0 { vault = try bench.open(readOnly: true) }
        try look()
        try lookAtOne()
        channel.say("g")
      } catch let error as VaultError where error.code == .wrongKey {
        if let anew = try? bench.open(readOnly: true) { vault = anew }
      } catch {
        channel.say("x reader: \(error)")
      }
      // The machine has few cores, and others are at work.
      usleep(UInt32(random.next() % 2000))
    }
  }

  /// All that is there.
  private mutating func look() throws {
    let floor = marks.newest()
    let isStale = plant == .stale && kept != nil
    let snapshot = try isStale ? kept?.snapshot ?? vault.snapshot() : vault.snapshot()
    if snapshot.lastVersion < floor {
      channel.say("x reader: version \(floor) was acknowledged, and \(snapshot.lastVersion) is the newest")
    }
    if snapshot.lastVersion < newest {
      channel.say("x reader: saw version \(newest), and now \(snapshot.lastVersion) is the newest")
    }
    newest = snapshot.lastVersion
    try snapshot.forEachEntry { (entry) throws(VaultError) in judge(entry) }
    if random.next() % 8 == 0 { try keep(snapshot) }
  }

  /// One name, by itself.
  private mutating func lookAtOne() throws {
    let name = Array("shared-\(random.next() % 6)".utf8)
    if let entry = try vault.entry(named: name.span) { judge(entry) }
  }

  private mutating func judge(_ entry: borrowing VaultEntry) {
    let name = Name(bytes: Array(entry.name))
    let version = entry.version
    if KillValue.author(of: Array(entry.value)) == nil {
      channel.say("x reader: version \(version) is nobody's value")
    }
    if let last = seen[name], last > version {
      channel.say("x reader: saw version \(last) of a name, and now \(version)")
    }
    seen[name] = version
  }

  /// Reads the former snapshot once more, and keeps this one.
  private mutating func keep(_ snapshot: VaultSnapshot) throws {
    if let kept, try kept.snapshot.contents() != kept.contents { channel.say("x reader: a snapshot has changed") }
    if plant != .stale || kept == nil { kept = (snapshot, try snapshot.contents()) }
  }
}
