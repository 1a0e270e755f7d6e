import ArgumentParser
import VaultLaboratory

struct KillsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kills",
    abstract: "Kill processes that write, read and compact one vault, at any moment, and look at what they leave.",
    discussion: "The folder stays when a promise did not hold.")

  @Option(help: "How many are killed.")
  var kills = 5000
  @Option(help: "Fixes who is killed, how long after the last, and what all write; not what they are doing then.")
  var seed: UInt64 = 2026
  @Option(help: ArgumentHelp("A fault of a process that must be noticed.", visibility: .hidden))
  var plant: KillPlant?
  @Flag(help: "Plant every fault that must be noticed, one after the other; exit 1 if one is not.")
  var plants = false

  func run() throws {
    let start = ContinuousClock.now
    guard !plants else { return try tryPlants().finish("kills-planted", since: start) }
    let folder = try WorkFolder()
    let report = try Kills(program: "/proc/self/exe", folder: folder.path, seed: seed, plant: plant).run(kills)
    if report.violationCount == 0 { folder.remove() } else { print("kills folder \(folder.path)") }
    try report.finish("kills", since: start)
  }

  private func tryPlants() throws -> Report {
    var report = Report()
    for plant in KillPlant.allCases {
      let folder = try WorkFolder()
      defer { folder.remove() }
      let found = try Kills(program: "/proc/self/exe", folder: folder.path, seed: seed, plant: plant).run(120)
      report.count(found.violationCount > 0 ? "noticed" : "unnoticed")
      if found.violationCount == 0 { report.violation("seed \(seed): \(plant.rawValue) was not noticed") }
    }
    return report
  }
}

extension KillPlant: ExpressibleByArgument {}

/// A process of ``KillsCommand``.
struct KillsChildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kills-child", abstract: "Takes part in 'kills' until it is killed.", shouldDisplay: false)

  @Argument var role: String
  @Argument var number: Int
  @Option var life: Int
  @Option var folder: String
  @Option var seed: UInt64
  @Option var plant: KillPlant?

  func run() throws {
    try Kills.play(role, number: number, life: life, folder: folder, seed: seed, plant: plant)
  }
}
