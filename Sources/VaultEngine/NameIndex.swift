internal import VaultCrypto
internal import VaultFormat

/// Where the newest put of every live name stands. A value: a copy is a snapshot, and costs little.
///
/// It is either complete in memory, or in memory only for what was written behind the newest index root, while the rest is
/// looked up in the runs that the root lists: so that a vault of millions is opened in milliseconds, and a process that
/// stays reads a name without reading pages.
struct NameIndex: Sendable {
  /// What is known of a tag without asking the file.
  enum Answer {
    /// The newest record of the name.
    case place(IndexEntry)
    /// Never put, or deleted.
    case absent
    /// The runs in the file tell.
    case inRuns
  }

  /// A put or a deletion as the file has it.
  struct Step: Sendable {
    let entry: IndexEntry
    /// Where it says that its name's newest put stood before; 0 if nowhere.
    let previous: UInt64
  }

  /// Live names; if ``isComplete`` is false, what was written behind the root, deletions too.
  private var table = TagTable()
  /// Whether no run needs to be asked.
  private(set) var isComplete: Bool
  /// The newest root. Where there is none yet, or a bad one, the next checkpoint writes all entries.
  private(set) var root: IndexRoot?
  /// Puts and deletions behind the newest root: the next run. Those of one tag are in the order of the file. Empty without a root.
  private(set) var sinceRoot: [IndexEntry] = []

  /// Of nothing yet.
  ///
  /// - Parameter isComplete: whether every frame of the file will be taken in, and not only those from a root's batch on.
  init(isComplete: Bool) { self.isComplete = isComplete }

  /// Live names; only of a complete index.
  var count: Int { table.count }

  func answer(for tag: LookupTag) -> Answer {
    guard let entry = table[tag] else { return isComplete ? .absent : .inRuns }
    return entry.isDeletion ? .absent : .place(entry)
  }

  /// Makes room for so many names, before any is taken in.
  mutating func expect(_ count: Int) {
    if table.count == 0 { table = TagTable(expecting: count) }
  }

  /// Takes in puts and deletions that stand one behind the other in the file.
  ///
  /// All at once, and so by ascending tag: a table larger than the processor's caches is then gone over from front to back, and
  /// not looked up in here and there.
  ///
  /// - Returns: the first that is wrong about the put before it, as far as that is known here.
  mutating func take(_ steps: [Step]) -> Step? {
    let entries = steps.map(\.entry)
    if root != nil { sinceRoot += entries }
    var wrong: Step?
    func compare(_ step: Step, with before: IndexEntry?) {
      let put = before.map { $0.isDeletion ? 0 : $0.offset } ?? 0
      guard step.previous != put, step.entry.offset < wrong?.entry.offset ?? .max else { return }
      wrong = step
    }
    var (first, newest) = ([Step](), [IndexEntry]())
    first.reserveCapacity(steps.count)
    newest.reserveCapacity(steps.count)
    for number in RunMerge.order(of: entries) {
      if let before = newest.last, before.tag == entries[number].tag {
        compare(steps[number], with: before)
        newest[newest.count - 1] = entries[number]
      } else {
        first.append(steps[number])
        newest.append(entries[number])
      }
    }
    let isComplete = isComplete
    table.merge(newest, removingDeletions: isComplete) { (number, before) in
      if before != nil || isComplete { compare(first[number], with: before) }
    }
    return wrong
  }

  /// Takes in the puts and deletions of a batch, in the order of the file.
  mutating func take(_ batch: [IndexEntry]) {
    let newest = RunMerge.run(of: batch)
    if root != nil { sinceRoot += newest }
    table.merge(newest, removingDeletions: isComplete)
  }

  /// Takes in a root, which covers everything taken in so far.
  ///
  /// - Parameter root: `nil`, of a complete index alone, for one that breaks the rules of a root.
  mutating func take(_ root: IndexRoot?) {
    precondition(isComplete || root != nil)
    self.root = root
    sinceRoot = []
    if !isComplete { table = TagTable() }
  }

  /// Makes the index complete.
  ///
  /// - Parameter covered: all live entries that the root covers.
  mutating func complete(with covered: TagTable) {
    var table = covered
    for entry in sinceRoot {
      if entry.isDeletion { table.remove(entry.tag) } else { table.insert(entry) }
    }
    self.table = table
    isComplete = true
  }

  /// All live entries of a complete index, by ascending tag.
  var entries: [IndexEntry] {
    precondition(isComplete)
    return table.entries
  }

  /// Gives all live entries of a complete index to `body`, by ascending tag.
  func forEach(_ body: (IndexEntry) -> Void) {
    precondition(isComplete)
    table.forEach(body)
  }

  /// The same as ``entries`` by offset: the order in which a disk gives them fastest.
  var inFileOrder: [IndexEntry] { entries.sorted { $0.offset < $1.offset } }
}
