import ArgumentParser
import VaultLaboratory

struct PowerCutsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "power-cuts",
    abstract: "Cut the power at every point of a trace, and open what any disk may then hold.")

  @Option(help: "States of one point beyond which subsets are drawn.")
  var budget = 1 << 11
  @Option(help: "Fixes what is drawn.")
  var seed: UInt64 = 2026

  func run() throws {
    let start = ContinuousClock.now
    let trace = try Trace(Trace.ordinary, seed: seed)
    try PowerCuts(along: trace, seed: seed, budget: budget).report().finish("power-cuts", since: start)
  }
}
