internal import Synchronization
internal import VaultCrypto
internal import VaultFormat

/// The sorted runs of an index in its file (FORMAT.md, "Index"), read page by page.
///
/// Whatever is wrong with a page is `index-damaged`: the frames are there still, and a replay of the whole file finds what
/// the page would have said.
struct IndexRuns {
  private let file: any StorageFile
  private let generation: Generation
  private let keyring: Keyring

  /// The runs of the generation that `view` is of.
  init(of view: View) {
    file = view.file
    generation = view.generation
    keyring = view.keyring
  }

  /// Pages that are read at once.
  private static let piece: UInt32 = 64

  /// The newest entry of a tag in `runs`, newest first, and the run that has it; `nil` when none has one.
  func entry(of tag: LookupTag, in runs: [IndexRoot.Run]) throws(VaultError) -> (IndexEntry, IndexRoot.Run)? {
    for run in runs {
      let number = IndexPage.number(of: tag, pages: run.pages)
      if let entry = try pages(number..<number + 1, of: run)[0].entries.first(where: { $0.tag == tag }) {
        return (entry, run)
      }
    }
    return nil
  }

  /// Gives all entries of a run to `body`, by ascending tag.
  func forEachEntry(of run: IndexRoot.Run, _ body: (IndexEntry) -> Void) throws(VaultError) {
    var count: UInt64 = 0
    for first in stride(from: 0, to: run.pages, by: Int(Self.piece)) {
      for page in try pages(first..<min(first + Self.piece, run.pages), of: run) {
        page.entries.forEach(body)
        count += UInt64(page.entries.count)
      }
    }
    guard count == run.entries else {
      throw VaultError(.indexDamaged, "a run of the index has \(count) entries instead of \(run.entries)")
    }
  }

  /// All entries of a run, by ascending tag.
  func entries(of run: IndexRoot.Run) throws(VaultError) -> [IndexEntry] {
    var entries: [IndexEntry] = []
    entries.reserveCapacity(Int(run.entries))
    try forEachEntry(of: run) { entries.append($0) }
    return entries
  }

  // MARK: Pages

  /// Pages of a run, each checked to be the one that it should be.
  private func pages(_ numbers: Range<UInt32>, of run: IndexRoot.Run) throws(VaultError) -> [IndexPage] {
    var pages: [IndexPage] = []
    for range in run.stretches(of: numbers) {
      let offset = range.offset
      let bytes = try file.read(at: offset, count: range.numbers.count * IndexPage.frameLength)
      for number in range.numbers {
        let place = Int(number - range.numbers.lowerBound) * IndexPage.frameLength
        let end = min(place + IndexPage.frameLength, bytes.count)
        pages.append(
          try page(
            number, of: run, in: bytes.span.extracting(min(place, end)..<end), at: offset + UInt64(place)))
      }
    }
    return pages
  }

  private func page(
    _ number: UInt32, of run: IndexRoot.Run, in bytes: Span<UInt8>, at offset: UInt64
  ) throws(VaultError) -> IndexPage {
    let page: IndexPage
    do throws(FormatError) {
      let header = try FrameHeader(parsing: bytes, at: offset, in: generation)
      guard header.type == .indexPage else { throw header.damaged("it is no page of the index") }
      let plaintext = try keyring.open(Frame(header, in: bytes), in: generation)
      page = try IndexPage(parsing: plaintext.span)
    } catch {
      guard error.code != .cryptoFailure else { throw VaultError(error) }
      throw VaultError(.indexDamaged, "a page of the index can't be read: \(error.sentence)", offset: offset)
    }
    guard page.run == run.id, page.number == number,
      page.entries.allSatisfy({
        $0.offset < offset && IndexPage.number(of: $0.tag, pages: run.pages) == number
      })
    else { throw VaultError(.indexDamaged, "a page of the index does not hold what it should", offset: offset) }
    return page
  }
}

/// How many pages were read because an index is not in memory: tells when it is worth having there.
final class IndexUse: Sendable {
  private let pages = Atomic(0)

  /// Notes a lookup in so many runs.
  func note(_ runs: Int) { pages.add(runs, ordering: .relaxed) }

  /// Whether the pages read one by one are a good part of all.
  func isWorthLoading(_ root: IndexRoot) -> Bool {
    let all = root.runs.reduce(16) { $0 + Int($1.pages) }
    return pages.load(ordering: .relaxed) > all / 4
  }
}

extension IndexRoot.Run {
  /// Where pages stand, as far as they stand side by side.
  fileprivate func stretches(of numbers: Range<UInt32>) -> [(numbers: Range<UInt32>, offset: UInt64)] {
    segments.enumerated().compactMap { (place, segment) in
      let end = place + 1 < segments.count ? segments[place + 1].firstPage : pages
      let shared = numbers.clamped(to: segment.firstPage..<end)
      guard !shared.isEmpty else { return nil }
      let offset = segment.offset + UInt64(IndexPage.frameLength) * UInt64(shared.lowerBound - segment.firstPage)
      return (shared, offset)
    }
  }
}
