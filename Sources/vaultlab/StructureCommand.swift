import ArgumentParser
import VaultLaboratory

struct StructureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "structure",
    abstract: "Put vaults together from frames in all wrong ways, tear checkpoints, let lengths lie, and read that.")

  @Option(help: "Fixes the vaults.")
  var seed: UInt64 = 2026
  @Option(help: "Attacks in this way alone.")
  var only: StructureAttack.Kind?

  func run() throws {
    let start = ContinuousClock.now
    let clock = CaseClock()
    let attack = StructureAttack(clock: clock, seed: seed)
    let kinds = only.map { [$0] } ?? StructureAttack.Kind.allCases
    try clock.report { try attack.report(kinds) }.finish("structure", since: start)
  }
}

extension StructureAttack.Kind: ExpressibleByArgument {}
