import ArgumentParser
import VaultLaboratory

struct PowerCutsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "power-cuts",
    abstract: "Cut the power at every point of a trace, and open what any disk may then hold.")

  @Option(help: "States of one point beyond which they are drawn.")
  var limit = 1 << 15
  @Option(help: "Bytes of a large token: the number of states doubles with every 512.")
  var large = 5600
  @Option(help: "A writer and a full verification follow on one state of so many.")
  var sampling: UInt64 = 8
  @Option(help: "Fixes what is drawn.")
  var seed: UInt64 = 2026
  @Option(help: "Follows the traces alone whose names contain this.")
  var only: String?

  /// The traces of which each write is cut at every byte.
  private static let cut: Set = [
    "reference", "batches", "killed", "groups", "killed groups", "shredding", "salvage, record", "salvage, header",
    "salvage, noise",
  ]

  func run() throws {
    let start = ContinuousClock.now
    let reference = ReferenceTraces(large: large, seed: seed)
    let isChosen = { (trace: Trace) in only.map { trace.name.contains($0) } ?? true }
    let traces = try reference.all().filter(isChosen)
    var report = PowerCuts(along: traces, seed: seed, limit: limit, sampling: sampling).report()
    let ahead = try [reference.groupsAhead()].filter(isChosen)
    report.add(PowerCuts(along: ahead, seed: seed, limit: min(limit, 1 << 8), sampling: 64).report())
    let cut = traces.filter { Self.cut.contains($0.name) }
    report.add(ByteCuts(along: cut, seed: seed).report())
    try report.finish("power-cuts", since: start)
  }
}
