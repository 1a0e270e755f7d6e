import Synchronization
package import VaultCrypto
import VaultFormat

import VaultEngine

/// Power cuts along traces: every point between two calls, and at each of them the states that a disk may be in.
package struct PowerCuts: Sendable {
  package let traces: [Trace]
  package let seed: UInt64
  /// States of a file at one point beyond which they are drawn instead of all being made.
  package let limit: Int
  /// A writer and a full verification follow on one state of so many.
  package let sampling: UInt64

  package init(along traces: [Trace], seed: UInt64, limit: Int, sampling: UInt64 = 8) {
    (self.traces, self.seed, self.limit, self.sampling) = (traces, seed, limit, sampling)
  }

  private struct Part: Sendable {
    let trace: Int
    let point: Int
  }

  /// Opens every state, and compares what it holds with what was acknowledged.
  package func report() -> Report {
    let seen = SeenStates()
    let parts = traces.indices.flatMap { (trace) in
      traces[trace].disks.indices.map { Part(trace: trace, point: $0) }
    }
    return Report.over(parts) { (part) in
      let trace = traces[part.trace]
      var check = PointCheck(
        trace, trace.disks[part.point], at: part.point, place: "\(trace.name), seed \(seed), point \(part.point)",
        seed: seed &+ UInt64(part.point), seen: seen, salt: UInt64(part.trace) << 32)
      check.sampling = sampling
      check.run(limit: limit)
      return check.report
    }
  }
}

/// The states that were tried, each with what it was held against: none is opened twice.
package final class SeenStates: Sendable {
  private let states = Mutex<Set<SHA256.Digest>>([])

  package init() {}

  /// - Parameter context: what the state is held against.
  /// - Returns: a digest of the bytes, or `nil` when they were there before.
  package func insert(_ bytes: [UInt8], _ context: UInt64) -> SHA256.Digest? {
    let context = unsafe withUnsafeBytes(of: context) { unsafe Array($0) }
    guard let digest = try? Self.digest(of: bytes, context) else { return nil }
    return states.withLock { $0.insert(digest).inserted } ? digest : nil
  }

  private static func digest(of bytes: [UInt8], _ context: [UInt8]) throws -> SHA256.Digest {
    var hash = try SHA256()
    try hash.update(bytes.span)
    try hash.update(context.span)
    return try hash.finish()
  }
}

/// The states of a disk at one point, held against what was acknowledged.
package struct PointCheck {
  private let trace: Trace
  private let disk: UncertainDisk
  private let allowed: [Trace.Acknowledged]
  private let mayBeMissing: Bool
  private let otherKeys: Set<UInt8>
  private let point: Int
  private let place: String
  private let seen: SeenStates
  private let salt: UInt64
  private var random: SeededRandom
  /// A writer follows on one state of so many; 0 for none.
  package var sampling: UInt64 = 0
  /// Whether what is outside the crash contract is tried, too.
  package var hasFills = true
  /// Ends with the first violation.
  package var isHasty = false
  package private(set) var report = Report()

  /// - Parameters:
  ///   - disk: may be another than the trace's at this point.
  ///   - salt: what tells this trace from others in `seen`.
  package init(
    _ trace: Trace, _ disk: UncertainDisk, at point: Int, place: String, seed: UInt64, seen: SeenStates, salt: UInt64
  ) {
    (self.trace, self.disk, self.point, self.place, self.seen) = (trace, disk, point, place, seen)
    let states = trace.allowedStates(at: point)
    allowed = Array(states)
    mayBeMissing = trace.mayBeMissing(at: point)
    otherKeys = trace.otherKeys
    self.salt = salt | UInt64(states.startIndex) << 16 | UInt64(states.endIndex) << 1 | (mayBeMissing ? 1 : 0)
    random = SeededRandom(seed: seed)
  }

  private var isDone: Bool { isHasty && report.violationCount > 0 }

  package mutating func run(limit: Int) {
    report.count("points")
    checkOtherFiles()
    var tried: Set<Int> = []
    var isWhole = true
    for directory in disk.directories() where !isDone {
      guard let file = directory[SimulatedStorage.name] else {
        report.count("states without a vault")
        if !mayBeMissing { report.violation("\(place): there is no vault") }
        continue
      }
      // The vault's file is in every state once; then, with other names beside it, in a few.
      let isNew = tried.insert(file).inserted
      if !tryStates(of: file, in: directory, limit: isNew ? limit : 8) && isNew { isWhole = false }
    }
    report.count(isWhole ? "points with every state" : "points with drawn states")
  }

  private mutating func checkOtherFiles() {
    for kept in trace.kept where kept.journal <= point || kept.isNeverPartial {
      let mayBeMissing = kept.journal > point
      let vault = kept.isBesideVault ? SimulatedStorage.name : nil
      report.count("files beside the vault")
      if !disk.surelyHolds(kept.bytes, under: kept.name, orNothing: mayBeMissing, butBeside: vault) {
        let isMissing = mayBeMissing && vault == nil ? "" : "be missing, or "
        report.violation("\(place): \(kept.name) may \(isMissing)not be whole")
      }
    }
    for shredded in trace.shredded where shredded.journal <= point {
      report.count("shredded files")
      guard let file = disk.files[shredded.file], file.isCertain else {
        report.violation("\(place): not all of what was shredded may be gone")
        continue
      }
      let bytes = file.states().bytes(of: file.states().newest)
      if bytes.contains(where: { $0 != 0 }) { report.violation("\(place): a shredded file is not empty") }
    }
    // A vault is appended to: who writes to the beginning of a file makes a new one, or shreds one that is a vault no more.
    guard point < trace.journal.count, case .write(let file, 0, _) = trace.journal[point] else { return }
    report.count("files begun or shredded")
    if disk.directories().contains(where: { $0[SimulatedStorage.name] == file }) {
      report.violation("\(place): a file is overwritten that may have the vault's name")
    }
  }

  /// - Returns: whether these are all states.
  private mutating func tryStates(of file: Int, in directory: [String: Int], limit: Int) -> Bool {
    guard let uncertain = disk.files[file] else { return true }
    let other = disk.files.filter { $0.key != file }.max { $0.key < $1.key }?.value.durable ?? []
    var isWhole = true
    for bringsBack in uncertain.hasOpenCut ? [false, true] : [false] {
      let states = uncertain.states(bringsBack: bringsBack)
      let all = states.all(limit: limit, random: &random)
      if !all.isWhole { isWhole = false }
      for (number, state) in all.states.enumerated() {
        guard !isDone else { return isWhole }
        let words = "\(bringsBack ? "what was cut comes back, " : "")state \(number), length \(state.length)"
        open(states.bytes(of: state), words, directory, .contract)
        guard hasFills else { continue }
        for fill in [FileStates.Fill.random, .stale] {
          open(states.bytes(of: state, filledWith: fill, other: other, random: &random), words, directory, fill)
        }
      }
    }
    return isWhole
  }

  private mutating func open(
    _ bytes: [UInt8], _ words: String, _ directory: [String: Int], _ fill: FileStates.Fill
  ) {
    // Damage is allowed in the one case and not in the other.
    let isContract = fill == .contract
    report.count("\(fill.rawValue): tried")
    guard let digest = seen.insert(bytes, isContract ? salt : salt | 1 << 63) else { return }
    report.count("\(fill.rawValue): distinct")
    let place = "\(place), \(words), \(fill.rawValue)"
    let image = image(of: bytes, in: directory)
    do {
      let disk = SimulatedDisk(image)
      let found = try disk.held()
      let keys = try otherKeys.filter { try disk.opens(with: $0) }
      guard isAllowed(found, keys) else {
        report.violation("\(place): holds \(found.words) instead of \(allowed.map(\.words))")
        return
      }
    } catch let error as VaultError where !isContract && error.code.isDeclared {
      report.count("\(fill.rawValue): refused")
      return
    } catch {
      report.violation("\(place): \(error)")
      return
    }
    guard sampling > 0, UInt64(digest.span[9]) % sampling == 0 else { return }
    goOn(image, place, isContract)
  }

  private func isAllowed(_ found: Held, _ keys: Set<UInt8>) -> Bool {
    allowed.contains { $0.version == found.version && $0.contents == found.contents && $0.keys == keys }
  }

  /// The disk with the vault in this state, and other files in some.
  private mutating func image(of bytes: [UInt8], in directory: [String: Int]) -> DiskImage {
    var image = DiskImage(names: directory)
    image.note = disk.note
    for (name, file) in directory.sorted(by: { $0.key < $1.key }) {
      if name == SimulatedStorage.name {
        image.files[file] = bytes
      } else if let uncertain = disk.files[file], image.files[file] == nil {
        let states = uncertain.states()
        image.files[file] = states.bytes(of: uncertain.isCertain ? states.newest : states.any(random: &random))
      }
    }
    return image
  }

  /// A writer works on: what he writes is there, for a reader and for a full verification, and all else is as it was.
  private mutating func goOn(_ image: DiskImage, _ place: String, _ isContract: Bool) {
    do {
      report.count("writers and verifications")
      try Recovered.check(image, seed: random.next())
    } catch let error as VaultError where !isContract && error.code.isDeclared {
      report.count("writers refused for damage outside the contract")
    } catch {
      report.violation("\(place), then a writer: \(error)")
    }
  }
}

extension VaultError.Code {
  /// Says of a file that it is not what was written.
  package var isDeclared: Bool { isDamage }
}

extension Trace.Acknowledged {
  var words: String { Held(contents: contents, version: version).words }
}
