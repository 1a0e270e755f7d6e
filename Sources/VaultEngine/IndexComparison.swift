internal import VaultCrypto
internal import VaultFormat

/// Compares each index root of a file, and the pages that it names, with the frames (FORMAT.md, "Index").
///
/// It is shown a file's frames in their order by a full replay. What it finds is reported and changes nothing: the records
/// are what counts. Holds about 50 bytes for each record and each entry, and 32 more for each entry of the newest root's runs.
/// One value serves one thread.
final class IndexComparison {
  /// A put or a deletion.
  private struct Written {
    let sequence: UInt64
    let entry: IndexEntry
  }

  /// A page as it was met.
  private struct Page {
    let previousLink: Link
    /// `nil`, when its structure is wrong.
    let content: IndexPage?
  }

  /// The first thing that is wrong with the index.
  private(set) var failure: FormatError?
  private var written: [Written] = []
  private var pages: [UInt64: Page] = [:]
  /// Runs that were found right, with their entries: later roots list them again, or one that was merged of them.
  private var right: [(run: IndexRoot.Run, entries: [IndexEntry])] = []
  private let visit: (OpenedRecord) -> Void

  /// - Parameter visit: is given every record too.
  init(visit: @escaping (OpenedRecord) -> Void = { _ in }) { self.visit = visit }

  /// Before another replay of the file, which is known to have a bad index.
  func startOver(noting error: FormatError) {
    (written, pages, right) = ([], [:], [])
    failure = error
  }

  /// Keeps the first failure.
  func note(_ error: FormatError) { failure = failure ?? error }

  /// Takes in a record.
  func take(_ opened: OpenedRecord) {
    visit(opened)
    guard opened.record.operation != .event else { return }
    written.append(Written(sequence: opened.sequence, entry: opened.entry))
  }

  /// Takes in a page, which counts only if a root names it.
  func take(page plaintext: Span<UInt8>, of header: FrameHeader) {
    pages[header.offset] = Page(previousLink: header.previousLink, content: try? IndexPage(parsing: plaintext))
  }

  /// Compares a root, which fits its place, with all that was taken in.
  ///
  /// - Parameters:
  ///   - lastVersion: of the records before it.
  ///   - newestEvent: the offset of the last event before it.
  func take(_ root: IndexRoot, of header: FrameHeader, lastVersion: UInt64, newestEvent: UInt64) {
    do throws(Fault) {
      try demand(root.lastVersion == lastVersion, "its last version is another")
      try demand(root.newestEvent == newestEvent, "its newest event is another")
      try demand(!root.runs.isEmpty || isNothingLive, "it lists no run, although there are names")
      for run in root.runs where !right.contains(where: { $0.run == run }) {
        right.append((run, try compare(run, below: header.offset)))
      }
      right.removeAll { !root.runs.contains($0.run) }
    } catch {
      note(
        FormatError(
          .indexDamaged, "the index does not agree with the records: \(error.sentence)", offset: header.offset,
          sequence: header.sequence))
    }
  }

  // MARK: One run

  private struct Fault: Error {
    let sentence: String
  }

  private func demand(_ condition: Bool, _ sentence: String) throws(Fault) {
    guard condition else { throw Fault(sentence: sentence) }
  }

  /// - Returns: the run's entries.
  private func compare(_ run: IndexRoot.Run, below root: UInt64) throws(Fault) -> [IndexEntry] {
    let entries = try entries(of: run, below: root)
    try demand(UInt64(entries.count) == run.entries, "a run has \(entries.count) entries, not \(run.entries)")
    try demand(IndexPage.count(for: entries) == run.pages, "a run has more pages than it needs")
    // A merge with the oldest run drops deletions: there is nothing left that they could hide.
    let isOldest = run.sequences.lowerBound == 1
    if let merged = mergedOfRightRuns(in: run.sequences), (try? compare(entries, with: merged, isOldest)) != nil {
      return entries
    }
    try compare(entries, with: newest(in: run.sequences), isOldest)
    return entries
  }

  private func compare(_ entries: [IndexEntry], with newest: [IndexEntry], _ mayLackDeletions: Bool) throws(Fault) {
    var next = 0
    for entry in entries {
      while next < newest.count, newest[next].tag.precedes(entry.tag) {
        try demand(mayLackDeletions && newest[next].isDeletion, "a name has no entry")
        next += 1
      }
      try demand(next < newest.count && newest[next] == entry, "an entry contradicts its frame")
      next += 1
    }
    try demand(newest[next...].allSatisfy { mayLackDeletions && $0.isDeletion }, "a name has no entry")
  }

  /// What ``newest(in:)`` gives, without deletions that the oldest run lacks: put together of runs that were found right, each
  /// of which is in order already.
  ///
  /// - Returns: `nil` when they don't adjoin.
  private func mergedOfRightRuns(in sequences: ClosedRange<UInt64>) -> [IndexEntry]? {
    let parts = right.filter { sequences.overlaps($0.run.sequences) }
      .sorted { $0.run.sequences.lowerBound > $1.run.sequences.lowerBound }
    guard let first = parts.first, first.run.sequences.upperBound <= sequences.upperBound else { return nil }
    var end = first.run.sequences.upperBound
    var merged = end < sequences.upperBound ? newest(in: end + 1...sequences.upperBound) : []
    for part in parts {
      guard part.run.sequences.upperBound == end else { return nil }
      merged = RunMerge.merge(merged, part.entries)
      end = part.run.sequences.lowerBound - 1
    }
    return end + 1 == sequences.lowerBound ? merged : nil
  }

  private func entries(of run: IndexRoot.Run, below root: UInt64) throws(Fault) -> [IndexEntry] {
    var entries: [IndexEntry] = []
    entries.reserveCapacity(Int(min(run.entries, UInt64(written.count))))
    for (place, segment) in run.segments.enumerated() {
      let end = place + 1 < run.segments.count ? run.segments[place + 1].firstPage : run.pages
      for number in segment.firstPage..<end {
        let offset = segment.offset + 4096 * UInt64(number - segment.firstPage)
        guard offset < root, let page = pages[offset] else { throw Fault(sentence: "a page is not where it should be") }
        guard let content = page.content, content.run == run.id, content.number == number else {
          throw Fault(sentence: "a page does not hold what it should")
        }
        try demand(number > segment.firstPage || page.previousLink == segment.linkBefore, "a segment's link is another")
        let isInPlace = content.entries.allSatisfy { IndexPage.number(of: $0.tag, pages: run.pages) == number }
        try demand(isInPlace, "an entry stands on the wrong page")
        entries += content.entries
      }
    }
    return entries
  }

  /// Whether every name was deleted: a deletion that nothing needs any more has no entry.
  private var isNothingLive: Bool { RunMerge.run(of: written.map(\.entry)).allSatisfy(\.isDeletion) }

  /// The newest record of each name that was written in a range of sequences, by ascending tag.
  private func newest(in sequences: ClosedRange<UInt64>) -> [IndexEntry] {
    RunMerge.run(of: written[place(of: sequences.lowerBound)..<place(of: sequences.upperBound + 1)].map(\.entry))
  }

  /// How many were written before `sequence`.
  private func place(of sequence: UInt64) -> Int {
    var range = written.indices
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      range = written[middle].sequence < sequence ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return range.lowerBound
  }
}
