import Foundation
import Glibc
import Testing
import VaultLaboratory

/// Maintenance commands that are killed, or fail, at every system call that they make on files.
@Suite struct MaintenanceFaultTests {
  private static let isLong = ProcessInfo.processInfo.environment["TOKENVAULT_LONG"] == "1"

  /// What the verb finds, what it leaves, and the calls between.
  private static func survey(
    _ folder: MaintenanceFolder, _ call: Call
  ) throws -> (before: MaintenanceState, after: MaintenanceState, sites: [TracedSite]) {
    let before = try folder.state()
    let sites = try TracedCall.sites(of: call, on: folder.bench)
    let after = try folder.state()
    #expect(before != after && sites.count > 10)
    return (before, after, sites)
  }

  /// All of them; after a crash, where a verb does what it does otherwise and something besides, of the calls of each name the
  /// first, the last and one between, unless all were asked for.
  private static func chosen(_ sites: [TracedSite], isCrashed: Bool) -> [TracedSite] {
    guard isCrashed, !isLong else { return sites }
    return TracedCall.changing.flatMap { (name) in
      let calls = sites.filter { $0.name == name }
      let places = Set([0, calls.count / 2, calls.count - 1])
      return calls.indices.filter { places.contains($0) }.map { calls[$0] }
    }
  }

  // Defends: killed at any system call, a command leaves what it found or what it was to make, whole, and opened by just the
  // keys of the one or the other; whoever writes next can, and sweeps what was left.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "killing another process at a system call needs strace"),
    arguments: MaintenanceVerb.allCases, [false, true])
  func killedAtEveryCall(_ verb: MaintenanceVerb, isCrashed: Bool) throws {
    let folder = try MaintenanceFolder(for: verb, tokens: 30, isCrashed: isCrashed, on: Bench())
    let call = verb.call(in: folder)
    let (before, after, sites) = try Self.survey(folder, call)
    var wasOld = false
    var wasNew = false
    for site in Self.chosen(sites, isCrashed: isCrashed) {
      let killed = try TracedCall.run(call, .kill, reaching: site, on: folder.bench) { try folder.reset() }
      if killed == nil { continue }
      let found = try folder.state()
      #expect(found == before || found == after, "\(verb), \(site): \(found)")
      wasOld = wasOld || found == before
      wasNew = wasNew || found == after
      // Where no vault is yet, and beside the copy that is made, it is the same command that goes on.
      if verb == .backup || found.generation == nil {
        let again = try folder.bench.run(call)
        #expect(again.code == 0, "\(verb), \(site): \(again.errors)")
        #expect(try folder.state() == after, "\(verb), \(site)")
      }
      let written = try folder.write()
      #expect(written.code == 0, "\(verb), \(site): \(written.errors)")
      #expect(try folder.state().opened == (found.generation == nil ? after : found).opened, "\(verb), \(site)")
      #expect(try folder.temporaries() == [], "\(verb), \(site)")
    }
    #expect(wasOld && wasNew, "\(verb): \(sites.count) kills, and all on one side")
  }

  // Defends: whichever system call fails, the command says so with one sentence and the code of such errors, unless it can do
  // without that call; the vault is as it was or as it was to be, and as it was if the sentence says that.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "failing another process's system call needs strace"),
    arguments: MaintenanceVerb.allCases, [false, true])
  func everyCallFails(_ verb: MaintenanceVerb, isCrashed: Bool) throws {
    let folder = try MaintenanceFolder(for: verb, tokens: 30, isCrashed: isCrashed, on: Bench())
    let call = verb.call(in: folder)
    let (before, after, sites) = try Self.survey(folder, call)
    for site in Self.chosen(sites, isCrashed: isCrashed) {
      for error in ["EIO", "ENOSPC"] where error == "EIO" || Self.needsRoom.contains(site.name) {
        let fault = CallFault.error(error, forever: false)
        let run = try TracedCall.run(call, fault, reaching: site, on: folder.bench) { try folder.reset() }
        guard let failed = run else { continue }
        let place: Comment = "\(verb), \(site), \(error): \(failed.outcome.code) \(failed.outcome.errors)\(failed.line)"
        let found = try folder.state()
        if failed.outcome.code == 0 {
          #expect(Self.isDispensable(failed.line) && found == after, place)
        } else {
          let keyFile = failed.line.contains(".key\"")
          #expect(keyFile ? failed.outcome.code == 77 : [73, 74].contains(failed.outcome.code), place)
          #expect(failed.outcome.errors.hasPrefix("tokenvault: "), place)
          #expect(found == before || found == after, place)
          let isAsBefore = failed.outcome.errors.contains("as it was")
          #expect(!isAsBefore || found == before, place)
        }
        if site.name != "unlink", !isCrashed { #expect(try folder.temporaries() == [], place) }
        if found.generation == nil { #expect(try folder.bench.run(call).code == 0, place) }
        if verb == .backup { #expect(try folder.bench.run(call).code == 0, place) }
        #expect(try folder.write().code == 0, place)
        #expect(try folder.temporaries() == [], place)
      }
    }
  }

  /// Calls that may find no room.
  private static let needsRoom: Set = ["pwrite64", "fdatasync", "openat", "ftruncate"]

  /// Whether a command may do without the call: giving a lock up, which its end does too; the note of what is synced; a lock
  /// file, for a reader; looking for what others left, and taking it away.
  private static func isDispensable(_ line: String) -> Bool {
    line.contains("LOCK_UN") || line.contains("unlink(")
      || line.contains("pwrite64(") && line.contains(".lock>")
      || line.contains(".lock\", O_RDONLY") || line.contains("O_DIRECTORY") && !line.contains("O_NOFOLLOW")
      || line.contains(".tmp-0123456789abcdef")
  }
}
