import ArgumentParser
import VaultLaboratory

struct NestedCutsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nested-cuts",
    abstract: "Cut the power while somebody recovers from a power cut, and while somebody recovers from that.",
    discussion: "Sees besides that no nonce seals two things.")

  @Option(help: "Crashes to begin with.")
  var rounds = 2400
  @Option(help: "Fixes what is drawn.")
  var seed: UInt64 = 2026

  func run() throws {
    let start = ContinuousClock.now
    try NestedCuts(large: 3000, seed: seed, rounds: rounds).report().finish("nested-cuts", since: start)
  }
}
