internal import VaultFormat
internal import VaultLaboratory

extension FuzzTarget {
  /// A program of operations on a simulated disk, by several handles, with failing calls, kills and power cuts between, beside a
  /// model of what the vault should be: that of `vaultlab model`, drawn from bytes.
  static let operations = FuzzTarget(
    "operations", longest: 512,
    seeds: { _ in
      [UInt64](1...32).map { (number) in
        var random = SeededRandom(seed: number)
        return random.array(96)
      }
    }
  ) { (input) throws(Violation) in
    let program = ModelProgram(decisions: input.array, length: 40)
    guard let failure = ModelRun.run(program).failure else { return }
    throw Violation("step \(failure.step): \(failure.kind)\n\(program)")
  }
}
