import Foundation
import Testing
import VaultLaboratory

/// The laboratory's killing of processes, in small: `vaultlab kills` does it in earnest.
@Suite struct KillsTests {
  private static let program: String = {
    let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: test).deletingLastPathComponent().appending(path: "vaultlab").path
  }()

  private func report(_ kills: Int, _ plant: KillPlant?) throws -> Report {
    try #require(FileManager.default.isExecutableFile(atPath: Self.program), "\(Self.program) was not built")
    let folder = try TemporaryDirectory()
    let seed = UInt64.random(in: 0 ... .max)
    return try Kills(program: Self.program, folder: folder.path(""), seed: seed, plant: plant).run(kills)
  }

  // Defends: writers, readers and a maker of generations, killed at any moment, lose nothing that was acknowledged.
  @Test func nothingIsLost() throws {
    let report = try report(60, nil)
    #expect(report.violations == [])
    #expect(report.counts["kills"] ?? 0 >= 60 && report.counts["acknowledged"] ?? 0 > 0)
  }

  // Defends: the check itself: a writer that acknowledges too early, or writes twice, is noticed.
  @Test(arguments: [KillPlant.earlyAcknowledgement, .twice]) func aFaultIsNoticed(_ plant: KillPlant) throws {
    #expect(try report(50, plant).violationCount > 0)
  }
}
