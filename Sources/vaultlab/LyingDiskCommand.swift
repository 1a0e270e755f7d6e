import ArgumentParser
import VaultLaboratory

struct LyingDiskCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lying-disk",
    abstract: "Leave out each sync, and swap each pair of neighbours: the power cuts must notice.")

  @Option(help: "States of one point beyond which they are drawn.")
  var limit = 1 << 9
  @Option(help: "Fixes what is drawn.")
  var seed: UInt64 = 2026

  func run() throws {
    let start = ContinuousClock.now
    let traces = ReferenceTraces(large: 1200, seed: seed)
    let lies = LyingDisk(along: try traces.all(), seed: seed, limit: limit)
    var report = lies.report()
    report.add(lies.report(planting: try traces.planted()))
    try report.finish("lying-disk", since: start)
  }
}
