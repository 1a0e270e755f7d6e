import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// What a replay takes into an index, many records at once, against a dictionary that takes them one by one.
@Suite struct NamesReplayTests {
  /// A file's puts and deletions as they should be.
  private struct History {
    private(set) var random: SeededRandom
    private(set) var newest: [LookupTag: IndexEntry] = [:]
    private var names: [LookupTag] = []
    private var offset: UInt64 = 64

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// - Parameter shift: how far off the place is that the record names as the one before it.
    mutating func next(shift: UInt64 = 0) -> OpenedRecord {
      let isNew = names.isEmpty || random.next() % 3 != 0
      let tag: LookupTag = isNew ? FixedBytes(random.array(12).span) : names[Int(random.next() % UInt64(names.count))]
      if isNew { names.append(tag) }
      let before = newest[tag].map { $0.isDeletion ? 0 : $0.offset } ?? 0
      let isDeletion = before != 0 && random.next() % 4 == 0
      let record = Record(
        isDeletion ? .delete : .put, time: 1, version: offset, previous: before + shift, nameLength: 1, valueLength: 0)
      let opened = OpenedRecord(
        record: record, tag: tag, sequence: offset / 16, offset: offset, authTagPrefix: FixedBytes(random.array(6).span)
      )
      newest[tag] = opened.entry
      offset += 16 * (1 + random.next() % 9)
      return opened
    }

    var live: [IndexEntry] { newest.values.filter { !$0.isDeletion }.sorted { $0.tag.precedes($1.tag) } }
  }

  private func root(at sequence: UInt64) -> IndexRoot {
    IndexRoot(lastSequence: sequence, lastVersion: sequence, newestEvent: 0, runs: [])
  }

  // Defends: however many records come between two roots, few or more than are taken in at once, the index is what one record
  // after the other makes of it, and the next run holds what came behind the newest root.
  @Test(arguments: [1, 900, 5000, 40_000])
  func takesAllIn(recordsBetweenRoots: Int) throws {
    var history = History(seed: UInt64(recordsBetweenRoots))
    var names = NamesReplay(into: NameIndex(isComplete: true))
    var sinceRoot: [LookupTag: IndexEntry] = [:]
    #expect(!names.hasRoot)
    for number in 0..<70_000 {
      if number % recordsBetweenRoots == 0, number % 977 == 0 {
        names.take(nil)
        names.take(root(at: UInt64(number)))
        sinceRoot = [:]
      }
      let opened = history.next()
      names.take(opened)
      sinceRoot[opened.tag] = opened.entry
    }
    #expect(names.hasRoot)
    let index = try names.finish()
    #expect(index.entries == history.live)
    #expect(RunMerge.run(of: index.sinceRoot) == sinceRoot.values.sorted { $0.tag.precedes($1.tag) })
  }

  // Defends: of several records that point to another place than their name's newest put, in one stretch or in several, the first
  // in the file is named, whatever their tags; and nothing behind it makes that another.
  @Test(arguments: [[3, 4], [20_000, 32_000], [32_767, 32_768], [31_000, 69_000]])
  func namesTheFirstThatIsWrong(wrong: [Int]) {
    var history = History(seed: UInt64(wrong[0]))
    var names = NamesReplay(into: NameIndex(isComplete: true))
    var first: OpenedRecord?
    for number in 0..<70_000 {
      let opened = history.next(shift: wrong.contains(number) ? 16 : 0)
      if wrong.contains(number) { first = first ?? opened }
      names.take(opened)
      if number % 25_000 == 24_999 { names.take(root(at: UInt64(number))) }
    }
    let error = #expect(throws: VaultError.self) { _ = try names.finish() }
    #expect(error?.code == .chainBroken && error?.offset == first?.offset)
    #expect(error?.sentence.contains("byte \(first?.record.previous ?? 0)") == true)
  }

  // Defends: an index that knows only what came behind a root does not take a name that it has never met for one that is not
  // there, forgets what a root covers, and still asks of a name that it has met.
  @Test func knowsWhatItHasMet() throws {
    var history = History(seed: 8)
    var names = NamesReplay(into: NameIndex(isComplete: false))
    names.take(root(at: 1))
    // Each points to a place that was never shown.
    for _ in 0..<6000 { names.take(history.next(shift: 1 << 32)) }
    let error = #expect(throws: VaultError.self) { _ = try names.finish() }
    #expect(error?.code == .chainBroken)

    history = History(seed: 9)
    names = NamesReplay(into: NameIndex(isComplete: false))
    names.take(root(at: 1))
    var known: [LookupTag: IndexEntry] = [:]
    for number in 0..<12_000 {
      if number == 7000 {
        names.take(root(at: 2))
        known = [:]
      }
      let opened = history.next()
      known[opened.tag] = opened.entry
      names.take(opened)
    }
    let index = try names.finish()
    for (tag, entry) in history.newest {
      let expected = known[tag].map { $0.isDeletion ? "absent" : "\($0)" } ?? "in runs"
      let found =
        switch index.answer(for: tag) {
        case .place(let place): "\(place)"
        case .absent: "absent"
        case .inRuns: "in runs"
        }
      if found != expected { Issue.record("\(entry): \(found) instead of \(expected)") }
    }
  }
}
