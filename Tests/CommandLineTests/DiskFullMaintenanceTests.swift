import Testing
import VaultLaboratory

/// Maintenance commands on a disk that has less and less too little room for them.
@Suite struct DiskFullMaintenanceTests {
  // Defends: wherever a command runs out of room it says so, changes nothing and leaves nothing that takes room away; once
  // there is enough it does its work.
  @Test(
    .enabled(if: MemoryDisk.isPermitted, "mounting a small file system needs root"),
    arguments: MaintenanceVerb.allCases)
  func roomEndsAtEachStep(_ verb: MaintenanceVerb) throws {
    let bench = try Bench()
    let disk = try MemoryDisk(on: bench, size: "1m")
    let folder = try MaintenanceFolder(for: verb, tokens: 8, bytes: 2500, on: bench, disk: disk)
    let call = verb.call(in: folder)
    let before = try folder.state()
    let names = try folder.names()
    var failures = 0
    // A page at a time: the file system gives no less.
    for pages in 0..<64 {
      try disk.filler.fill(leaving: pages * 4096)
      let outcome = try bench.run(call)
      guard outcome.code != 0 else { break }
      failures += 1
      #expect(outcome.code == 74 && outcome.errors.contains("No space left"), "\(pages) pages: \(outcome.errors)")
      #expect(try folder.state() == before, "\(pages) pages")
      #expect(try folder.names().filter { $0 != "vault.tv.lock" } == names, "\(pages) pages")
    }
    let after = try folder.state()
    #expect(failures > 1 && after != before, "\(failures) failures")
    disk.filler.empty()
    #expect(try folder.write().code == 0)
    #expect(try folder.state().opened == after.opened && folder.temporaries() == [])
  }
}
