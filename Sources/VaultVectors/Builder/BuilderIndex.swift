/// What the index knows of a put or a deletion.
struct Observed {
  let sequence: UInt64
  let name: [UInt8]
  let offset: UInt64
  let isDeletion: Bool
  let authTag: [UInt8]
}

/// The index as the next root will state it (FORMAT.md, "Index").
struct IndexDraft {
  struct Entry {
    var tag: [UInt8]
    var offset: UInt64
    var isDeletion: Bool
    var authTagPrefix: [UInt8]

    var bytes: [UInt8] { tag + bigEndian(offset | (isDeletion ? 1 : 0)).suffix(6) + authTagPrefix }
  }

  struct Segment {
    var firstPage: UInt32
    var offset: UInt64
    var linkBefore: [UInt8]
  }

  struct Run {
    var id: [UInt8]
    var level: UInt8 = 0
    var pages: UInt32
    var entries: UInt64
    var first: UInt64
    var last: UInt64
    var segments: [Segment] = []
  }

  var lastSequence: UInt64 = 0
  var lastVersion: UInt64 = 0
  var newestEvent: UInt64 = 0
  /// Newest first.
  var runs: [Run] = []
  /// Earlier generations, which each anchor repeats.
  var history: [[UInt8]] = []

  /// The plaintext of a root.
  var plaintext: [UInt8] {
    let head = bigEndian(lastSequence) + bigEndian(lastVersion) + bigEndian(newestEvent)
    let counts = bigEndian(UInt32(runs.count)) + [0, 0, 0, 0]
    return runs.reduce(head + counts) { $0 + Self.bytes(of: $1) }.padded(to: 16)
  }

  private static func bytes(of run: Run) -> [UInt8] {
    let head = run.id + [run.level, 0] + bigEndian(UInt16(run.segments.count)) + bigEndian(run.pages)
    let counts = bigEndian(run.entries) + bigEndian(run.first) + bigEndian(run.last)
    return run.segments.reduce(head + counts) { (bytes, segment) in
      bytes + bigEndian(segment.firstPage) + bigEndian(segment.offset) + segment.linkBefore
    }
  }

  /// The page of `pages` that an entry stands on.
  static func page(of tag: [UInt8], pages: UInt32) -> Int {
    Int((tag.prefix(4).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } * UInt64(pages)) >> 32)
  }

  /// The entries on the smallest number of pages.
  static func pages(of entries: [Entry]) -> [[Entry]] {
    var count: UInt32 = 1
    while true {
      var pages = [[Entry]](repeating: [], count: Int(count))
      for entry in entries { pages[page(of: entry.tag, pages: count)].append(entry) }
      if pages.allSatisfy({ $0.count <= 164 }) { return pages }
      count += 1
    }
  }
}

extension ScenarioBuilder {
  /// How a checkpoint departs from what a right writer writes next.
  struct Checkpoint {
    /// Earlier generations, newest first.
    var history: [[UInt8]] = []
    /// One run takes the place of all.
    var merges = false
    /// The pages stand in a batch of their own before the checkpoint.
    var pagesApart = false
    /// Terms carried; all, if `nil`.
    var terms: [UInt32]?
    var dataKeyEdit = FrameEdit.none
    var anchorEdit = FrameEdit.none
    /// Changes the entries of the new run, page by page, before its pages are made.
    var entries: (inout [[IndexDraft.Entry]]) -> Void = { _ in }
    /// For the first page.
    var pageEdit = FrameEdit.none
    /// Changes what the root states.
    var index: (inout IndexDraft) -> Void = { _ in }
    var rootEdit = FrameEdit.none
  }

  /// Appends a checkpoint: live slots, data keys, anchor, the pages of a new run, root.
  @discardableResult
  mutating func checkpoint(_ plan: Checkpoint = Checkpoint()) -> Placed {
    let covered = plan.merges ? 0 : index.lastSequence
    var pages = IndexDraft.pages(of: entries(behind: covered, drops: plan.merges))
    plan.entries(&pages)
    let id = draw(8)
    var apart: IndexDraft.Segment?
    if plan.pagesApart { apart = pageFrames(pages, id, ends: true, plan.pageEdit) }
    let lastSequence = sequence
    for number in slots.keys.sorted() { slotFrame(number) }
    for term in plan.terms ?? dataKeys.keys.sorted() { dataKeyFrame(term, plan.dataKeyEdit) }
    anchorFrame(plan.history, plan.anchorEdit)
    let count = pages.reduce(0) { $0 + $1.count }
    if plan.merges { index.runs = [] }
    if count > 0 {
      let segment = apart ?? pageFrames(pages, id, ends: false, plan.pageEdit)
      index.runs.insert(
        IndexDraft.Run(
          id: id, level: plan.merges ? 1 : 0, pages: UInt32(pages.count), entries: UInt64(count), first: covered + 1,
          last: lastSequence, segments: [segment]), at: 0)
    } else if !index.runs.isEmpty {
      index.runs[0].last = lastSequence
    }
    if !index.runs.isEmpty, index.runs.count == 1 { index.runs[0].first = 1 }
    index.lastSequence = lastSequence
    index.lastVersion = version
    index.newestEvent = UInt64(newestEvent)
    var stated = index
    plan.index(&stated)
    return rootFrame(stated, ends: true, plan.rootEdit)
  }

  /// Appends a root.
  @discardableResult
  mutating func rootFrame(_ index: IndexDraft, ends: Bool = true, _ edit: FrameEdit = .none) -> Placed {
    frame(6, plaintext: index.plaintext, key: dataKey, term: term, ends: ends, edit)
  }

  /// Appends the pages of a run.
  mutating func pageFrames(
    _ pages: [[IndexDraft.Entry]], _ id: [UInt8], ends: Bool, _ edit: FrameEdit = .none
  ) -> IndexDraft.Segment {
    let segment = IndexDraft.Segment(firstPage: 0, offset: UInt64(end), linkBefore: link)
    for (number, entries) in pages.enumerated() {
      let head = id + bigEndian(UInt32(number)) + bigEndian(UInt16(entries.count)) + [0, 0]
      var plaintext = entries.reduce(head) { $0 + $1.bytes }
      plaintext += [UInt8](repeating: 0, count: max(0, 3952 - plaintext.count))
      let isLast = ends && number == pages.count - 1
      frame(
        5, plaintext: Array(plaintext.prefix(3952)), key: dataKey, term: term, ends: isLast,
        number == 0 ? edit : .none)
    }
    return segment
  }

  /// One entry for each name written behind `sequence`, by ascending tag.
  mutating func entries(behind sequence: UInt64, drops: Bool) -> [IndexDraft.Entry] {
    var newest: [[UInt8]: Observed] = [:]
    for record in observed where record.sequence > sequence { newest[record.name] = record }
    let key = lookupKey
    var entries: [IndexDraft.Entry] = []
    for record in newest.values where !(drops && record.isDeletion) {
      let tag = Array(authenticate(record.name, key: key).prefix(12))
      entries.append(
        IndexDraft.Entry(
          tag: tag, offset: record.offset, isDeletion: record.isDeletion,
          authTagPrefix: Array(record.authTag.prefix(6))))
    }
    return entries.sorted { $0.tag.lexicographicallyPrecedes($1.tag) }
  }
}
