import ArgumentParser
import VaultLaboratory

struct NoncesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nonces",
    abstract: "See that no nonce seals two things, over failures, forks and restored backups.")

  @Option(help: "Forks, restored backups, and series of failures.")
  var rounds = 1500
  @Option(help: "Fixes what is drawn.")
  var seed: UInt64 = 2026

  func run() throws {
    let start = ContinuousClock.now
    try Nonces(seed: seed, rounds: rounds).report().finish("nonces", since: start)
  }
}
