import Glibc
import VaultEngine

/// A process that makes new generations of the vault until it is killed, and at times a backup.
struct KillCompactor {
  private enum Verb: String { case compact, rotate, rekey, backup, verify }

  private let bench: KillBench
  private let marks: KillMarks
  private let channel = KillChannel()
  private let plant: KillPlant?
  private var random: SeededRandom
  private var old: [UInt8]?

  init(_ bench: KillBench, life: Int, seed: UInt64, plant: KillPlant?) throws {
    (self.bench, self.plant) = (bench, plant)
    marks = try KillMarks(bench)
    random = SeededRandom(seed: seed &+ 200 << 32 &+ UInt64(life))
  }

  mutating func run() -> Never {
    channel.say("o")
    while true {
      let verb: Verb =
        switch random.next() % 16 {
        case 0..<5: .compact
        case 5..<10: .rotate
        case 10..<13: .rekey
        case 13..<15: .backup
        default: .verify
        }
      channel.say("s \(verb)")
      do {
        try run(verb)
        channel.say("d \(verb)")
      } catch let error as VaultError where error.code == .locked {
        channel.say("r \(verb)")
      } catch {
        channel.say("x \(verb): \(error)")
      }
      if let plant { misbehave(plant) }
      usleep(UInt32(random.next() % 4000))
    }
  }

  private func run(_ verb: Verb) throws {
    var options = MaintenanceOptions()
    options.lockTimeout = KillBench.patience
    switch verb {
    case .compact: _ = try Vault.compact(at: bench.vault, credential: bench.credential(), options: options)
    case .rotate: _ = try Vault.rotate(at: bench.vault, credential: bench.credential(), options: options)
    case .rekey:
      _ = try Vault.rekey(
        at: bench.vault, credential: bench.credential(), newKey: bench.credential(), newPassphrase: nil,
        options: options)
    case .backup: try backUp()
    case .verify:
      let report = try Vault.verify(at: bench.vault, credential: bench.credential())
      for finding in report.findings { channel.say("x verify: \(finding.sentence)") }
    }
  }

  /// A backup holds every commit that returned before it was begun.
  private func backUp() throws {
    let floor = marks.newest()
    let report = try Vault.backup(
      at: bench.vault, credential: bench.credential(), to: bench.backup, replacing: true)
    for finding in report.findings { channel.say("x backup: \(finding.sentence)") }
    var options = VaultOptions()
    options.readOnly = true
    let copy = try Vault.open(at: bench.backup, credential: bench.credential(), options: options)
    let found = try copy.snapshot().lastVersion
    if found < floor { channel.say("x backup: version \(floor) was acknowledged, and the copy has \(found)") }
  }

  private mutating func misbehave(_ plant: KillPlant) {
    switch plant {
    case .rollback:
      if let old, random.next() % 4 == 0,
        let lock = try? Environment.system(path: bench.vault).storage.lock(.exclusive, wait: .seconds(1))
      {
        withExtendedLifetime(lock) {
          try? SmallFile.write(old, to: bench.folder + "/old")
          unsafe _ = rename(bench.folder + "/old", bench.vault)
        }
      }
      old = SmallFile.read(bench.vault)
    case .litter: try? SmallFile.write([1], to: bench.vault + ".tmp-left")
    default: break
    }
  }
}
