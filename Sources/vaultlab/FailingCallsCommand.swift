import ArgumentParser
import VaultLaboratory

struct FailingCallsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "failing-calls",
    abstract: "Fail every call of every operation on a disk in memory, and cut the power then.")

  @Option(help: "States of each failure beyond which they are drawn.")
  var budget = 8
  @Option(help: "Fixes what is drawn.")
  var seed: UInt64 = 2026

  func run() throws {
    let start = ContinuousClock.now
    try FailingCalls(seed: seed, budget: budget).report().finish("failing-calls", since: start)
  }
}
