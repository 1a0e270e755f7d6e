import TokenVault
import VaultEngine
import VaultFormat

/// Disks in memory whose n-th call fails, for every n until nothing fails any more, in every way, for all that is done to vaults.
package struct FailingCalls: Sendable {
  private let seed: UInt64
  private let budget: Int

  /// - Parameter budget: states that a power cut may leave then, of each failure, beyond which they are drawn.
  package init(seed: UInt64, budget: Int) { (self.seed, self.budget) = (seed, budget) }

  /// The ways in which calls fail.
  private static let plans: [(name: String, plan: @Sendable (Int) -> FailurePlan)] = [
    ("EIO-once", { FailurePlan(first: $0) }),
    ("EIO-for-ever", { FailurePlan(first: $0, count: .max) }),
    ("EIO-once-short-write", { FailurePlan(first: $0, writesHalf: true) }),
    ("EIO-for-ever-short-write", { FailurePlan(first: $0, count: .max, writesHalf: true) }),
    ("ENOSPC-once", { FailurePlan(first: $0, isFull: true) }),
    ("ENOSPC-once-short-write", { FailurePlan(first: $0, isFull: true, writesHalf: true) }),
    ("ENOSPC-for-ever", { FailurePlan(first: $0, count: .max, isFull: true) }),
    ("ENOSPC-for-ever-short-write", { FailurePlan(first: $0, count: .max, isFull: true, writesHalf: true) }),
    ("EROFS-once", { FailurePlan(first: $0, code: .readOnly) }),
    ("EROFS-for-ever", { FailurePlan(first: $0, count: .max, code: .readOnly) }),
    ("ENOLCK-once", { FailurePlan(first: $0, only: .lock) }),
    ("ENOLCK-for-ever", { FailurePlan(first: $0, only: .lock, count: .max) }),
    ("sync-once", { FailurePlan(first: $0, only: .sync) }),
    ("sync-twice", { FailurePlan(first: $0, only: .sync, count: 2) }),
    ("killed-short-write", { FailurePlan(first: $0, count: .max, isKill: true, writesHalf: true) }),
  ]

  private struct Part: Sendable {
    let operation: FailingOperation
    let plan: Int
  }

  package func report() throws -> Report {
    let operations = try FailingOperation.all(seed: seed)
    var report = Report.over(
      operations.flatMap { (operation) in Self.plans.indices.map { Part(operation: operation, plan: $0) } }
    ) { (part) in self.report(of: part) }
    report.count("operations", operations.count)
    return report
  }

  private func report(of part: Part) -> Report {
    var report = Report()
    do {
      let operation = part.operation
      let look = FailingLook()
      let before = try look.state(of: operation.image)
      let disk = SimulatedDisk(operation.image)
      try operation.prepare(disk, seed &+ 1)()
      let after = try look.state(of: disk.cache)
      for number in 1...10_000 {
        let disk = SimulatedDisk(operation.image)
        let rest = try operation.prepare(disk, seed &+ UInt64(number) &* 3)
        let start = try look.state(of: disk.cache)
        let plan = Self.plans[part.plan]
        let attempt = FailingAttempt(
          place: "seed \(seed), \(operation.name), \(plan.name), call \(number)", operation: operation, disk: disk,
          look: look, before: start, after: after, seed: seed &+ UInt64(number) &* 3, budget: budget)
        disk.fail(plan.plan(number))
        let (found, calls) = attempt.report(rest)
        report.add(found)
        if calls < number { break }
      }
      // Reading changes nothing, and all else does something.
      if !operation.isReading, before == after { report.violation("\(operation.name): does nothing") }
    } catch {
      report.violation("\(part.operation.name): \(error)")
    }
    return report
  }
}

/// What a disk holds: each vault name by name for each key that opens it.
typealias FailingState = [String: [UInt8]]

/// Looks at disks, and at the same bytes but once.
final class FailingLook {
  /// What was found in a vault's bytes, under the name that it has on the disk.
  private var known: [[UInt8]: FailingState] = [:]
  /// Vaults that are remembered.
  private static let room = 4000

  /// - Throws: what kept a vault from being opened by any key, but that it is a wrong one.
  func state(of image: DiskImage) throws -> FailingState {
    var state: FailingState = [:]
    for path in ["vault", "copy", "other", "saved"] {
      guard let bytes = image[path] else { continue }
      state[path] = []
      for (name, value) in try names(in: bytes) { state["\(path) \(name)"] = value }
    }
    // What a salvage can't open is on the disk before the vault that it saves.
    if image["saved"] != nil { state["rest"] = image["rest"] }
    return state
  }

  /// The keys that open the vault.
  func openers(_ state: FailingState) -> [UInt8] { (7...9).filter { state["vault \($0)"] != nil } }

  private func names(in bytes: [UInt8]) throws -> FailingState {
    if let found = known[bytes] { return found }
    var names: FailingState = [:]
    let disk = SimulatedDisk(DiskImage(names: [SimulatedStorage.name: 1], files: [1: bytes]))
    for byte in 7...9 as ClosedRange<UInt8> {
      do throws(VaultError) {
        let key = [UInt8](repeating: byte, count: 32)
        let credential = try Credential(key: key.span)
        let vault = try Vault.open(.simulated(disk, seed: 0), credential: credential, options: .reading)
        let snapshot = try vault.snapshot()
        names["\(byte)"] = [UInt8(truncatingIfNeeded: snapshot.generation)]
        try snapshot.forEachEntry { (entry) throws(VaultError) in
          let name = String(decoding: Array(entry.name), as: UTF8.self)
          if name != "next" { names["\(byte) \(name)"] = Array(entry.value) }
        }
      } catch {
        guard error.code == .wrongKey else { throw error }
      }
    }
    if known.count > Self.room { known = [:] }
    known[bytes] = names
    return names
  }
}

/// One operation on one disk, of which one call or more fail.
struct FailingAttempt {
  let place: String
  let operation: FailingOperation
  let disk: SimulatedDisk
  let look: FailingLook
  let before: FailingState
  let after: FailingState
  let seed: UInt64
  let budget: Int

  /// - Returns: what was found, and how many calls might have failed.
  func report(_ rest: () throws -> Void) -> (report: Report, calls: Int) {
    var report = Report()
    let writes = disk.journal.count
    var failure: VaultError?
    do {
      try rest()
    } catch {
      failure = error as? VaultError
      if failure == nil { report.violation("\(place): \(error)") }
    }
    let calls = disk.calls
    disk.fail(nil)
    report.count("attempts")
    report.count(failure == nil ? "succeeded" : "failed")
    judge(failure, &report)
    if operation.isReading, disk.journal.count > writes { report.violation("\(place): writes, though it only reads") }
    do {
      if let fault = try fault(failure, &report) {
        report.violation("\(place): \(failure?.code.description ?? "done"), \(fault)")
      }
    } catch {
      report.violation("\(place): \(failure?.code.description ?? "done"), \(error)")
    }
    return (report, calls)
  }

  private func judge(_ failure: VaultError?, _ report: inout Report) {
    guard let code = failure?.code else { return }
    if code.isDamage || code == .wrongKey || code == .noVault {
      report.violation("\(place): takes a call that failed for \(code)")
    }
    let litter = disk.cache.names.keys.filter { $0.contains(".tmp-") }
    if code == .diskFull, !litter.isEmpty { report.violation("\(place): takes room away: \(litter)") }
  }

  /// What should not be; `nil`, if all is as it should.
  private func fault(_ failure: VaultError?, _ report: inout Report) throws -> String? {
    let allowed = failure == nil ? [after] : failure?.code == .diskFull ? [before] : [before, after]
    let found = try look.state(of: disk.cache)
    guard allowed.contains(found) else { return "and holds what is neither old nor new" }
    var images = CrashImages(of: disk, at: disk.journal.count, budget: budget, seed: seed)
    for image in images.all() {
      report.count("states")
      guard try allowed.contains(look.state(of: image)) else { return "and holds something else after a power cut" }
    }
    if found == before, before != after {
      if disk.cache["rest"] != nil { disk.perform(.remove(name: "rest")) }
      try operation.prepare(disk, seed &+ 1)()
      guard try look.state(of: disk.cache) == after else { return "and does something else when it is done again" }
    }
    guard let opener = look.openers(try look.state(of: disk.cache)).first else { return "and no key opens the vault" }
    try Vault.open(.simulated(disk, seed: seed &+ 2), credential: key(opener)).commit([.put("next", [1])])
    let litter = disk.cache.names.keys.filter { $0.contains(".tmp-") }
    return litter.isEmpty ? nil : "and \(litter) is left behind the next writer"
  }
}
