internal import VaultCrypto
internal import VaultFormat

/// Compares each index root of a file, and the pages that it names, with the frames (FORMAT.md, "Index").
///
/// It is shown a file's frames in their order by a full replay. What it finds is reported and changes nothing: the records
/// are what counts. Holds about 40 bytes for each record and each entry of a page. One value serves one thread.
final class IndexComparison {
  /// Records that are worth a thread when a root is compared with them.
  private static let worthThread = 1 << 12

  private let known = Growing(KnownIndex())
  /// What was met since the last root.
  private var written: [KnownIndex.Written] = []
  private var pages: [UInt64: KnownIndex.Page] = [:]
  private let visit: (OpenedRecord) -> Void

  /// - Parameter visit: is given every record too.
  init(visit: @escaping (OpenedRecord) -> Void = { _ in }) { self.visit = visit }

  /// The first thing that is wrong with the index.
  var failure: FormatError? { known.value.failure }

  /// Before another replay of the file, which is known to have a bad index.
  func startOver(noting error: FormatError) {
    (written, pages) = ([], [:])
    known.change(aside: false) { $0 = KnownIndex(failure: error) }
  }

  /// Keeps the first failure.
  func note(_ error: FormatError) { known.change(aside: false) { $0.note(error) } }

  /// Takes in a record.
  func take(_ opened: OpenedRecord) {
    visit(opened)
    guard opened.record.operation != .event else { return }
    written.append(KnownIndex.Written(sequence: opened.sequence, entry: opened.entry))
  }

  /// Takes in a page, which counts only if a root names it.
  func take(page plaintext: Span<UInt8>, of header: FrameHeader) {
    pages[header.offset] = KnownIndex.Page(
      previousLink: header.previousLink, content: try? IndexPage(parsing: plaintext))
  }

  /// Compares a root, which fits its place, with all that was taken in.
  ///
  /// - Parameters:
  ///   - lastVersion: of the records before it.
  ///   - newestEvent: the offset of the last event before it.
  func take(_ root: IndexRoot, of header: FrameHeader, lastVersion: UInt64, newestEvent: UInt64) {
    let (written, pages) = (written, pages)
    (self.written, self.pages) = ([], [:])
    known.change(aside: written.count >= Self.worthThread) { (known) in
      known.take(written, pages)
      known.take(root, of: header, lastVersion: lastVersion, newestEvent: newestEvent)
    }
  }
}

/// What is known of a file's index up to a root, and whether all roots so far agree with it.
private struct KnownIndex: Sendable {
  /// A put or a deletion.
  struct Written: Sendable {
    let sequence: UInt64
    let entry: IndexEntry
  }

  /// A page as it was met.
  struct Page: Sendable {
    let previousLink: Link
    /// `nil`, when its structure is wrong.
    let content: IndexPage?
  }

  /// The first thing that is wrong.
  private(set) var failure: FormatError?
  private var written: [Written] = []
  private var pages: [UInt64: Page] = [:]
  /// Runs that were found right, with the entries of their pages: later roots list them again, or one that was merged of them.
  private var right: [(run: IndexRoot.Run, pages: [[IndexEntry]])] = []

  init(failure: FormatError? = nil) { self.failure = failure }

  mutating func note(_ error: FormatError) { failure = failure ?? error }

  /// Takes in what was met since the last root.
  mutating func take(_ written: [Written], _ pages: [UInt64: Page]) {
    self.written += written
    self.pages.merge(pages) { $1 }
  }

  /// Compares a root with all that was taken in.
  mutating func take(_ root: IndexRoot, of header: FrameHeader, lastVersion: UInt64, newestEvent: UInt64) {
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

  /// - Returns: the entries of the run's pages.
  private func compare(_ run: IndexRoot.Run, below root: UInt64) throws(Fault) -> [[IndexEntry]] {
    let pages = try pages(of: run, below: root)
    let count = pages.reduce(0) { $0 + $1.count }
    try demand(UInt64(count) == run.entries, "a run has \(count) entries, not \(run.entries)")
    try demand(IndexPage.count(for: pages) == run.pages, "a run has more pages than it needs")
    // A merge with the oldest run drops deletions: there is nothing left that they could hide.
    let isOldest = run.sequences.lowerBound == 1
    if let merged = mergedOfRightRuns(in: run.sequences), (try? compare(pages, with: merged, isOldest)) != nil {
      return pages
    }
    try compare(pages, with: MergedEntries([[newest(in: run.sequences)]]), isOldest)
    return pages
  }

  private func compare(
    _ pages: [[IndexEntry]], with merged: MergedEntries, _ mayLackDeletions: Bool
  ) throws(Fault) {
    var merged = merged
    var newest = merged.next()
    for entry in pages.joined() {
      while let passed = newest, passed.tag.precedes(entry.tag) {
        try demand(mayLackDeletions && passed.isDeletion, "a name has no entry")
        newest = merged.next()
      }
      try demand(newest == entry, "an entry contradicts its frame")
      newest = merged.next()
    }
    while let passed = newest {
      try demand(mayLackDeletions && passed.isDeletion, "a name has no entry")
      newest = merged.next()
    }
  }

  /// What ``newest(in:)`` gives, without deletions that the oldest run lacks: put together of runs that were found right, each
  /// of which is in order already.
  ///
  /// - Returns: `nil` when they don't adjoin.
  private func mergedOfRightRuns(in sequences: ClosedRange<UInt64>) -> MergedEntries? {
    let parts = right.filter { sequences.overlaps($0.run.sequences) }
      .sorted { $0.run.sequences.lowerBound > $1.run.sequences.lowerBound }
    guard let first = parts.first, first.run.sequences.upperBound <= sequences.upperBound else { return nil }
    var end = first.run.sequences.upperBound
    var runs = end < sequences.upperBound ? [[newest(in: end + 1...sequences.upperBound)]] : []
    for part in parts {
      guard part.run.sequences.upperBound == end else { return nil }
      runs.append(part.pages)
      end = part.run.sequences.lowerBound - 1
    }
    return end + 1 == sequences.lowerBound ? MergedEntries(runs) : nil
  }

  private func pages(of run: IndexRoot.Run, below root: UInt64) throws(Fault) -> [[IndexEntry]] {
    var entries: [[IndexEntry]] = []
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
        entries.append(content.entries)
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

/// Runs of entries as one, entry by entry: of each tag that of the newest run.
private struct MergedEntries: IteratorProtocol {
  /// Newest first, each by ascending tag.
  private var runs: [FlattenSequence<[[IndexEntry]]>.Iterator]
  /// The next entry of each.
  private var heads: [IndexEntry?]

  /// - Parameter runs: newest first, each in pieces that ascend.
  init(_ runs: [[[IndexEntry]]]) {
    self.runs = runs.map { $0.joined().makeIterator() }
    heads = []
    for number in self.runs.indices { heads.append(self.runs[number].next()) }
  }

  mutating func next() -> IndexEntry? {
    var least: IndexEntry?
    for head in heads {
      guard let head, least.map({ head.tag.precedes($0.tag) }) ?? true else { continue }
      least = head
    }
    guard let least else { return nil }
    for number in heads.indices where heads[number]?.tag == least.tag { heads[number] = runs[number].next() }
    return least
  }
}
