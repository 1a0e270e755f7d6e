import Testing
import VaultLaboratory

@testable import VaultEngine

/// Power cuts along lives of a vault, in small: `vaultlab power-cuts` tries all states.
@Suite struct PowerCutTraceTests {
  private static let traces = ReferenceTraces(large: 1200, seed: 2029)

  private func report(_ traces: [Trace]) -> Report {
    var report = PowerCuts(along: traces, seed: 2029, limit: 64, sampling: 64).report()
    report.add(LyingDisk(along: traces, seed: 2029, limit: 32).report())
    return report
  }

  // Defends: of requests that are committed as one group, some of which are refused, all that were accepted are there after a
  // power cut, or none of them is; nobody is answered before the group is synced; whatever becomes of the group's process.
  @Test func groups() throws {
    let report = report([try Self.traces.groups(), try Self.traces.killedGroups()])
    #expect(report.violations == [])
    #expect(report.counts["contract: distinct"] ?? 0 > 500 && report.counts["syncs left out: noticed"] ?? 0 > 10)
  }

  // Defends: a generation is shredded only when the new one has the vault's name for sure; then nothing is left of it.
  @Test func shredding() throws {
    let report = report([try Self.traces.shredding()])
    #expect(report.violations == [])
    #expect(report.counts["shredded files"] ?? 0 > 50 && report.counts["files begun or shredded"] ?? 0 > 10)
  }

  // Defends: a salvage leaves the damaged vault alone; the new one appears whole, and not before what does not open is kept.
  @Test(arguments: ReferenceTraces.SalvagedDamage.allCases) func salvage(
    _ damage: ReferenceTraces.SalvagedDamage
  ) throws {
    let report = report([try Self.traces.salvage(damage)])
    #expect(report.violations == [])
    #expect(report.counts["files beside the vault"] ?? 0 > 50)
  }

  // Defends: the checks themselves: each planted fault is noticed.
  @Test func plantedFaults() throws {
    let planted = try Self.traces.planted()
    let report = LyingDisk(along: [], seed: 2029, limit: 64).report(planting: planted)
    #expect(report.violations == [] && report.counts["planted faults"] == planted.count)
  }
}
