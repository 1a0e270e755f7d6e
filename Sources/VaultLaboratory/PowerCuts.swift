import VaultEngine

/// Power cuts along a trace: every point between two calls, and at each of them the states that a disk may be in.
package struct PowerCuts: Sendable {
  package let trace: Trace
  package let seed: UInt64
  /// States of one point beyond which subsets are drawn instead of all being made.
  package let budget: Int

  package init(along trace: Trace, seed: UInt64, budget: Int) {
    self.trace = trace
    self.seed = seed
    self.budget = budget
  }

  /// Opens every state, and compares what it holds with what was acknowledged.
  package func report() -> Report {
    Report.over(Array(0...trace.disk.journal.count)) { (point) in self.report(at: point) }
  }

  private func report(at point: Int) -> Report {
    var report = Report()
    let allowed = trace.allowed(at: point)
    var images = CrashImages(of: trace.disk, at: point, budget: budget, seed: seed &+ UInt64(point))
    for (number, image) in images.all().enumerated() {
      report.count("states")
      report.check("seed \(seed), point \(point), state \(number)") {
        guard image[SimulatedStorage.name] != nil else { return allowed.isEmpty }
        let found = try SimulatedDisk(image).contents()
        return allowed.isEmpty ? found.isEmpty : allowed.contains(found)
      }
    }
    return report
  }
}

extension SimulatedDisk {
  /// What a reader finds on the disk.
  package func contents() throws -> Contents {
    try Vault.open(.simulated(self, seed: 0), credential: key(), options: .reading).contents()
  }
}
