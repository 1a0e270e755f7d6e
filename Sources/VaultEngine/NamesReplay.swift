internal import VaultFormat

/// What a replay meets of names, on its way into an index: much at once, and beside the opening of what is behind it.
struct NamesReplay {
  private enum Item: Sendable {
    /// Puts and deletions one behind the other.
    case steps([NameIndex.Step])
    /// `nil` for a root that breaks the rules.
    case root(IndexRoot?)
  }

  private struct State: Sendable {
    var index: NameIndex
    /// The first that does not point to its name's newest put.
    var wrong: NameIndex.Step?

    mutating func take(_ item: Item) {
      switch item {
      case .steps(let steps): wrong = index.take(steps)
      case .root(let root): index.take(root)
      }
    }
  }

  /// How many records are taken in at once.
  private static let many = 1 << 15
  /// How many are worth a thread.
  private static let worthThread = 1 << 12

  /// Whether a root was taken in, now or before.
  private(set) var hasRoot: Bool
  private let state: Growing<State>
  private var steps: [NameIndex.Step] = []
  private var items: [Item] = []
  /// Steps in `items`.
  private var count = 0

  /// - Parameter index: of which nobody else should have a copy: that would be copied leaf by leaf.
  init(into index: NameIndex) {
    hasRoot = index.root != nil
    state = Growing(State(index: index))
  }

  /// Takes in the next record; an event is no concern of the index.
  mutating func take(_ opened: OpenedRecord) {
    guard opened.record.operation != .event else { return }
    steps.append(NameIndex.Step(entry: opened.entry, previous: opened.record.previous))
    if count + steps.count >= Self.many { hand() }
  }

  /// Takes in a root, which covers everything taken in so far.
  ///
  /// - Parameter root: `nil`, in an index that is complete, for one that breaks the rules of a root.
  mutating func take(_ root: IndexRoot?) {
    hasRoot = root != nil
    closeSteps()
    // Nothing is left of a root with nothing behind it.
    if case .root = items.last { items.removeLast() }
    items.append(.root(root))
  }

  /// The index with all that was taken in.
  ///
  /// - Throws: `chain-broken` for the first record that does not point to its name's newest put.
  mutating func finish() throws(VaultError) -> NameIndex {
    hand()
    let state = state.value
    if let wrong = state.wrong {
      throw OpenedRecord.misplaced(at: wrong.entry.offset, pointingTo: wrong.previous)
    }
    return state.index
  }

  private mutating func closeSteps() {
    guard !steps.isEmpty else { return }
    items.append(.steps(steps))
    count += steps.count
    steps = []
  }

  private mutating func hand() {
    closeSteps()
    let items = items
    state.change(aside: count >= Self.worthThread) { (state) in
      for item in items where state.wrong == nil { state.take(item) }
    }
    self.items = []
    count = 0
  }
}

extension OpenedRecord {
  /// What is thrown for a record that names another as the one before it than the file has.
  static func misplaced(at offset: UInt64, pointingTo previous: UInt64) -> VaultError {
    VaultError(.chainBroken, "the record points to byte \(previous) as the one before it", offset: offset)
  }
}
