import VaultFormat

import VaultEngine

/// The newest write of a trace, cut at every byte: what a process leaves that is killed inside a write, and a disk that counts
/// in other units than sectors.
package struct ByteCuts: Sendable {
  package let traces: [Trace]
  package let seed: UInt64

  package init(along traces: [Trace], seed: UInt64) { (self.traces, self.seed) = (traces, seed) }

  private struct Part: Sendable {
    let trace: Int
    let operation: Int
  }

  package func report() -> Report {
    let parts = traces.indices.flatMap { (trace) in
      traces[trace].journal.indices.compactMap { (operation) in
        if case .write = traces[trace].journal[operation] { Part(trace: trace, operation: operation) } else { nil }
      }
    }
    return Report.over(parts) { (part) in report(of: traces[part.trace], cutting: part.operation) }
  }

  /// All that came before is on the disk, as a running program sees it.
  private func report(of trace: Trace, cutting operation: Int) -> Report {
    var report = Report()
    guard case .write(let file, let offset, let bytes) = trace.journal[operation] else { return report }
    var image = trace.disk.start
    for earlier in trace.journal[..<operation] { image.apply(earlier) }
    guard image.names[SimulatedStorage.name] == file else { return report }
    let before = image.files[file] ?? []
    let allowed = trace.allowedStates(at: operation)
    // A gap before the write is zeros, however little of it is there.
    image.files[file, default: []].overwrite(at: offset, with: [])
    let isZero = bytes.allSatisfy { $0 == 0 }
    /// Whether the file is another than when it was last tried.
    var isOther = true
    for length in 0..<bytes.count {
      if length > 0 {
        let place = offset + length - 1
        image.files[file, default: []].overwrite(at: place, with: bytes[(length - 1)..<length])
        if place >= before.count || before[place] != bytes[length - 1] { isOther = true }
      }
      // The last batch written again is the same bytes; of zeros there are more or fewer.
      if !isOther || isZero && length % UncertainFile.sector != 0 { continue }
      isOther = false
      // Where there is something behind the cut, a sector torn inside is not in the contract.
      let isContract = before.count <= offset || (offset + length) % UncertainFile.sector == 0
      let place = "\(trace.name), seed \(seed), write \(operation) at byte \(offset) cut to \(length)"
      report.count("cuts")
      do {
        let found = try SimulatedDisk(image).held()
        guard allowed.contains(where: { $0.version == found.version && $0.contents == found.contents }) else {
          report.violation("\(place): holds \(found.words)")
          continue
        }
        if length % 16 == 0 {
          report.count("cuts with a writer")
          try Recovered.check(image, seed: seed &+ UInt64(length))
        }
      } catch let error as VaultError where !isContract && error.code.isDeclared {
        report.count("cuts inside a sector refused")
      } catch {
        report.violation("\(place): \(error)")
      }
    }
    return report
  }
}
