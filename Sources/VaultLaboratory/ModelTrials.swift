import VaultEngine

/// Many random programs, each beside a model of what a vault should be.
package struct ModelTrials: Sendable {
  /// Steps of a program.
  package static let length = 60

  private let length: Int
  private let makeStorage: ModelRun.MakeStorage

  /// - Parameter makeStorage: makes the vault's storage; a test gives one that is faulty.
  package init(
    length: Int = Self.length, on makeStorage: @escaping ModelRun.MakeStorage = { SimulatedStorage(disk: $0) }
  ) {
    self.length = length
    self.makeStorage = makeStorage
  }

  /// Runs the programs of these seeds, on all cores. What fails is made smaller, and printed with how to run it again.
  package func report(seeds: Range<UInt64>) -> Report {
    Report.over(Array(seeds)) { (seed) in self.report(seed: seed) }
  }

  /// Runs the program of one seed.
  package func report(seed: UInt64) -> Report {
    var report = Report()
    let program = ModelProgram(seed: seed, length: length)
    let (failure, counts) = ModelRun.run(program, on: makeStorage)
    report.count("programs")
    report.count("steps", program.steps.count)
    for (what, number) in counts { report.count(what, number) }
    if let failure {
      let shrunk = program.shrunk(failure, on: makeStorage)
      report.violation(
        "seed \(seed), step \(failure.step): \(failure.kind)\n\(shrunk)\n"
          + "  again: vaultlab model --seed \(seed) --programs 1")
    }
    return report
  }
}
