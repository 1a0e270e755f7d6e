internal import VaultCrypto
internal import VaultFormat

/// Seals what an opening needs so that it need not replay the whole file: slots, data keys, the anchor, and the index
/// (FORMAT.md, "Checkpoint" and "Index").
///
/// It is asked for one batch after the other, each of which is written and synced before the next is asked for: pages
/// batches, if the pages of the new run are many, then the checkpoint.
struct Checkpoint: ~Copyable {
  /// A batch ready to be written.
  struct Batch: Sendable {
    let bytes: [UInt8]
    /// The chain behind it.
    let end: Chain
    /// What the root says, if it is the checkpoint.
    let root: IndexRoot?
    /// What its anchor lists.
    let history: [Anchor.Ancestor]
  }

  /// Pages of one pages batch: 16 MiB.
  private static let pagesOfBatch: UInt32 = 4096
  /// Pages that stand in the checkpoint itself. More would fit, but every opening reads and checks it whole; so a merged run
  /// costs one sync more.
  private static let pagesOfCheckpoint: UInt32 = 16

  private let slots: [KeySlot.Sealed]
  private let anchor: Anchor
  /// The entries of the new run, by ascending tag; none is a checkpoint without a new run.
  private let entries: [IndexEntry]
  private let level: UInt8
  /// Runs that stay, newest first.
  private let kept: [IndexRoot.Run]
  private let pages: UInt32
  private let id: FixedBytes<8>
  /// The next page, and the first entry that is on none yet.
  private var next: (page: UInt32, entry: Int) = (0, 0)
  private var segment: IndexRoot.Segment?
  private var isDone = false

  /// - Parameters:
  ///   - slots: live key slots by number; `nil` for those that the file has.
  ///   - history: earlier generations, newest first; `nil` for those that the file's newest anchor lists.
  /// - Throws: `io`, `crypto-failure`; the damage of a slot.
  init(
    after view: View, slots: [KeySlot.Sealed]? = nil, history: [Anchor.Ancestor]? = nil,
    random: inout AnyRandomSource
  ) throws(VaultError) {
    guard let genesis = view.genesis else {
      throw VaultError(.chainBroken, "the file has no genesis")
    }
    var live = slots
    if live == nil { live = try view.sealedSlots() }
    let (entries, level, kept) = try Self.plan(view)
    let id: FixedBytes<8> = try crypto { () throws(CryptoError) in try random.bytes() }
    self.slots = live ?? []
    anchor = Anchor(genesis: genesis, history: history ?? view.history)
    (self.entries, self.level, self.kept, self.id) = (entries, level, kept, id)
    pages = IndexPage.count(for: entries)
  }

  /// The new run, and the runs that stay.
  private static func plan(
    _ view: View
  ) throws(VaultError) -> (entries: [IndexEntry], level: UInt8, kept: [IndexRoot.Run]) {
    let index = view.index
    guard let root = index.root else { return (index.entries, RunMerge.level(of: index.count), []) }
    var new = RunMerge.run(of: index.sinceRoot)
    var (count, level) = RunMerge.choose(root.runs, new: new.count)
    if new.isEmpty { count = 0 }
    do throws(VaultError) {
      let runs = IndexRuns(of: view)
      for run in root.runs[..<count] { new = try RunMerge.merge(new, runs.entries(of: run)) }
    } catch {
      guard error.code == .indexDamaged else { throw error }
      // A run with a bad page is left as it is, and named as long as there is room, so that the page stays excused.
      guard root.runs.count < Limits.runs else {
        guard index.isComplete else { throw error }
        return (index.entries, RunMerge.level(of: index.count), [])
      }
      return (RunMerge.run(of: index.sinceRoot), 0, root.runs)
    }
    // There is nothing left that a deletion in the oldest run could hide.
    if count == root.runs.count { new.removeAll(where: \.isDeletion) }
    return (new, level, Array(root.runs[count...]))
  }

  /// The next batch; `nil` when all are there.
  ///
  /// - Parameter view: which has taken in all batches before.
  mutating func nextBatch(after view: View, random: inout AnyRandomSource) throws(VaultError) -> Batch? {
    guard !isDone else { return nil }
    var encoder = try format { () throws(FormatError) in try BatchEncoder(after: view.chain, in: view.generation) }
    if next.page < pages, pages > Self.pagesOfCheckpoint {
      try sealPages(min(pages - next.page, Self.pagesOfBatch), endBatch: true, view, &encoder, &random)
      return try batch(encoder, root: nil, view)
    }
    isDone = true
    try sealKeys(view, &encoder, &random)
    if next.page < pages { try sealPages(pages, endBatch: false, view, &encoder, &random) }
    let root = root(view)
    try format { () throws(FormatError) in
      _ = try view.keyring.seal(.indexRoot, root.plaintext().span, into: &encoder, random: &random, last: true)
    }
    return try batch(encoder, root: root, view)
  }

  private func batch(
    _ encoder: borrowing BatchEncoder, root: IndexRoot?, _ view: View
  ) throws(VaultError) -> Batch {
    Batch(
      bytes: encoder.bytes, end: try BatchSealer.end(of: encoder, after: view), root: root, history: anchor.history)
  }

  private func sealKeys(
    _ view: View, _ encoder: inout BatchEncoder, _ random: inout AnyRandomSource
  ) throws(VaultError) {
    try format { () throws(FormatError) in
      for slot in slots { try encoder.append(slot) }
      try view.keyring.sealDataKeys(into: &encoder, random: &random)
      try view.keyring.seal(anchor, into: &encoder, random: &random)
    }
  }

  private mutating func sealPages(
    _ count: UInt32, endBatch: Bool, _ view: View, _ encoder: inout BatchEncoder, _ random: inout AnyRandomSource
  ) throws(VaultError) {
    if segment == nil {
      segment = IndexRoot.Segment(firstPage: 0, offset: encoder.offset, linkBefore: encoder.link)
    }
    let end = next.page + count
    while next.page < end {
      let first = next.entry
      while next.entry < entries.count,
        IndexPage.number(of: entries[next.entry].tag, pages: pages) == next.page
      {
        next.entry += 1
      }
      let page = IndexPage(run: id, number: next.page, entries: Array(entries[first..<next.entry]))
      next.page += 1
      let last = endBatch && next.page == end
      try format { () throws(FormatError) in
        _ = try view.keyring.seal(.indexPage, page.plaintext().span, into: &encoder, random: &random, last: last)
      }
    }
  }

  /// Runs adjoin: where there is no new one, the newest covers what was written since.
  private func root(_ view: View) -> IndexRoot {
    var runs = kept
    let last = view.chain.sequence
    if let segment {
      let first = kept.first.map { $0.sequences.upperBound + 1 } ?? 1
      runs.insert(
        IndexRoot.Run(
          id: id, level: level, pages: pages, entries: UInt64(entries.count), sequences: first...last,
          segments: [segment]), at: 0)
    } else if let newest = runs.first {
      runs[0] = newest.covering(upTo: last)
    }
    return IndexRoot(
      lastSequence: last, lastVersion: view.lastVersion, newestEvent: view.newestEvent, runs: runs)
  }
}

extension IndexRoot.Run {
  fileprivate func covering(upTo sequence: UInt64) -> IndexRoot.Run {
    IndexRoot.Run(
      id: id, level: level, pages: pages, entries: entries, sequences: sequences.lowerBound...sequence,
      segments: segments)
  }
}
