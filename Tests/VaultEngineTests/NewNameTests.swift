import Testing
import VaultLaboratory

@testable import VaultEngine

/// New generations whose name may not be on the disk yet.
@Suite struct NewNameTests {
  // Defends: what was acknowledged in a new generation is there after a power cut, though whoever made that generation failed, or
  // was killed, between the change of names and the sync of the directory: else the former file would come back without it.
  @Test(arguments: Verb.allCases, [false, true]) func aNameThatWasNotSynced(verb: Verb, isKilled: Bool) throws {
    let start = try Trace(Array(Trace.ordinary.prefix(4)), seed: 5).disk.cache
    var met = 0
    for number in 1...500 {
      let disk = SimulatedDisk(start)
      disk.fail(FailurePlan(first: number, count: isKilled ? .max : 1, isKill: isKilled))
      let failed = try code { try verb.run(on: .simulated(disk, seed: 6)) }
      let hasReached = disk.calls >= number
      disk.fail(nil)
      guard hasReached else { break }
      let vault = try Vault.open(.simulated(disk, seed: 7), credential: key())
      guard failed != nil, try vault.snapshot().generation == 2 else { continue }
      met += 1
      try vault.commit([.put("after", [1])])
      var images = CrashImages(of: disk, at: disk.journal.count, budget: 64, seed: 1)
      for image in images.all() {
        let found = try SimulatedDisk(image).contents()
        #expect(found["after"] == [1], "call \(number)")
      }
    }
    #expect(met > 0)
  }
}
