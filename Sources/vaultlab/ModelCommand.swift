import ArgumentParser
import VaultLaboratory

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Run random programs, with crashes and failing calls, against a dictionary.",
    discussion: "A program that fails is made as small as it can be, and printed.")

  @Option(help: "Programs to run; each has the seed of the one before and one more.")
  var programs: UInt64 = 6000
  @Option(help: "The seed of the first program.")
  var seed: UInt64 = 2026
  @Option(help: "Goes on for so many minutes, however many programs that takes.")
  var minutes: Double?

  func run() throws {
    let start = ContinuousClock.now
    var report = Report()
    var next = seed
    repeat {
      let count = minutes == nil ? programs : 500
      report.add(ModelTrials().report(seeds: next..<next + count))
      next += count
    } while minutes.map({ ContinuousClock.now - start < .seconds($0 * 60) }) ?? false
    try report.finish("model", since: start)
  }
}
