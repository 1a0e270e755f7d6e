import Testing
import VaultLaboratory

@testable import VaultEngine

/// Tests of the tests: what the laboratory must notice.
@Suite struct LaboratoryTests {
  private func images(_ body: (SimulatedDisk) -> Void) -> Set<[UInt8]> {
    let file = [UInt8](repeating: 1, count: 100)
    let disk = SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: file]))
    body(disk)
    var images = CrashImages(of: disk, at: disk.journal.count, budget: 1 << 10, seed: 1)
    return Set(images.all().map { $0["vault"] ?? [] })
  }

  private func file(_ parts: (byte: UInt8, end: Int)...) -> [UInt8] {
    parts.reduce(into: []) { $0 += Array(repeating: $1.byte, count: $1.end - $0.count) }
  }

  // Defends: of a write that is not synced each sector is there or not by itself, and the file has any length on its way.
  @Test func aWriteInEveryState() {
    let found = images { $0.perform(.write(file: 1, offset: 100, bytes: Array(repeating: 2, count: 1000))) }
    let (old, new) = (file((1, 100)), file((1, 100), (2, 1100)))
    var expected: Set<[UInt8]> = [old]
    for arrived in 0..<8 {
      var whole = old + Array(repeating: 0, count: 1000)
      for (sector, range) in [100..<512, 512..<1024, 1024..<1100].enumerated() where arrived >> sector & 1 == 1 {
        whole.replaceSubrange(range, with: new[range])
      }
      for length in [512, 1024, 1100] { expected.insert(Array(whole.prefix(length))) }
    }
    #expect(found == expected)
  }

  // Defends: of two writes to a sector that are not synced, the older may be all that there is; one that was synced is there.
  @Test func twoWritesToASector() {
    for isSynced in [false, true] {
      let found = images { (disk) in
        disk.perform(.write(file: 1, offset: 0, bytes: Array(repeating: 2, count: 60)))
        if isSynced { disk.perform(.sync(file: 1)) }
        disk.perform(.write(file: 1, offset: 40, bytes: Array(repeating: 3, count: 60)))
      }
      let synced = [file((2, 60), (1, 100)), file((2, 40), (3, 100))]
      #expect(found == Set(isSynced ? synced : synced + [file((1, 100)), file((1, 40), (3, 100))]))
    }
  }

  // Defends: a cut that is not synced may have emptied what is behind it and left the file as long as it was.
  @Test func aCutInEveryState() {
    let found = images { $0.perform(.resize(file: 1, length: 40)) }
    #expect(found == [file((1, 100)), file((1, 40), (0, 100)), file((1, 40))])
  }

  // Defends: a sync that fails brings nothing to the disk, and neither does the next one.
  @Test func aFailedSync() {
    let found = images { (disk) in
      disk.perform(.write(file: 1, offset: 0, bytes: [2]))
      disk.perform(.failedSync(file: 1))
      disk.perform(.sync(file: 1))
    }
    #expect(found == [file((1, 100)), file((2, 1), (1, 100))])
  }

  // Defends: a name is on the disk when the directory was synced, and not before.
  @Test func names() {
    for isSynced in [false, true] {
      let disk = SimulatedDisk(DiskImage(names: ["vault": 1], files: [1: [1], 2: [2]]))
      disk.perform(.rename(file: 2, from: "new", to: "vault"))
      if isSynced { disk.perform(.syncDirectory) }
      var images = CrashImages(of: disk, at: disk.journal.count, budget: 16, seed: 1)
      #expect(Set(images.all().map { $0["vault"] }) == (isSynced ? [[2]] : [[1], [2]]))
    }
  }

  // Defends: a disk that leaves out any one sync, or turns any two neighbours round, is found out by the power cuts, unless it is
  // said why that can't matter; and that is said of nothing that does.
  @Test func liesAreNoticed() throws {
    let traces = ReferenceTraces(large: 600, seed: 2028)
    let lies = LyingDisk(along: [try traces.handles(), try traces.failing()], seed: 2028, limit: 64)
    let report = lies.report()
    #expect(report.violations == [])
    #expect(report.counts["syncs left out: noticed"] ?? 0 > 30 && report.counts["pairs swapped: noticed"] ?? 0 > 30)
    #expect(lies.report(planting: try traces.planted()).violations == [])
  }

  // Defends: a nonce that seals two things is noticed, whoever drew it; and nothing is said of what is written again.
  @Test func repeatedNonces() throws {
    let report = Nonces(seed: 2028, rounds: 2).report()
    #expect(report.violations == [])
    #expect(report.counts["nonces"] ?? 0 > 500 && report.counts["planted repeats noticed in"] ?? 0 > 10)
  }

  // Defends: the power may go again while somebody recovers, and again while somebody recovers from that; and the nonces of it all
  // are looked at.
  @Test func nestedCuts() throws {
    let report = try NestedCuts(large: 1200, seed: 2029, rounds: 2).report()
    #expect(report.violations == [])
    #expect(report.counts["states, 3 crashes"] ?? 0 > 10 && report.counts["nonces"] ?? 0 > 500)
  }
}
