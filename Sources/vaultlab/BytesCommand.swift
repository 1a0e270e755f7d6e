import ArgumentParser
import VaultLaboratory

struct BytesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bytes",
    abstract: "Change every bit and every byte of small vaults, cut them at every length, and read what is left.")

  @Option(help: "Fixes the vaults, and which bytes of ciphertext of the large ones are given every value.")
  var seed: UInt64 = 2026
  @Option(help: "Attacks the vault of this name alone.")
  var only: String?

  func run() throws {
    let start = ContinuousClock.now
    let samples = try VaultSample.all(seed: seed).filter { only == nil || $0.name == only }
    let clock = CaseClock()
    try clock.report { ByteAttack(on: samples, clock: clock, seed: seed).report() }.finish("bytes", since: start)
  }
}
