internal import VaultCrypto
internal import VaultFormat

/// An index page whose frame is bad, and which is passed over.
struct BadPage: Sendable {
  let offset: UInt64
  let sequence: UInt64
}

/// Which index pages may be bad without harm, because the index is only a shorter way to what the frames say (FORMAT.md,
/// "Reading by the index, and when it is bad"): those that the newest root names, in batches before the root's.
///
/// What is passed over can't hide a change of what stands around it: the root is authentic and tells the link before each
/// segment of pages, and the root's batch tells the link before itself.
struct PageExcuse: Sendable {
  private let generation: Generation
  /// With every data key that the newest checkpoint carries.
  private let keyring: Keyring
  /// Where the batches end, as a walk from the root's batch has found.
  private let end: Chain
  /// The pages of each segment.
  private let ranges: [Range<UInt64>]
  /// The link before each segment, by the segment's offset.
  private let links: [(offset: UInt64, link: Link)]
  /// Where the root's batch begins.
  private let rootBatch: UInt64

  /// Opens the newest root of a file.
  ///
  /// - Returns: `nil` when there is none, or it breaks the rules of a root: then it names nothing.
  /// - Throws: the error of a data key or a root that does not open.
  init?(_ structure: Opening.Structure, _ window: inout FileWindow, _ keyring: Keyring) throws(VaultError) {
    generation = structure.generation
    guard let start = structure.walk.newestCheckpoint,
      let (root, keyring) = try Self.root(ofBatchAt: start, &window, keyring, in: structure.generation)
    else { return nil }
    self.keyring = keyring
    end = structure.walk.committed
    rootBatch = start
    ranges = root.runs.flatMap(\.pageRanges)
    links = root.runs.flatMap { $0.segments.map { ($0.offset, $0.linkBefore) } }
  }

  /// Opens data keys and root of a checkpoint, with keys of their own: a replay must meet them in the order of the file.
  private static func root(
    ofBatchAt start: UInt64, _ window: inout FileWindow, _ known: Keyring, in generation: Generation
  ) throws(VaultError) -> (IndexRoot, Keyring)? {
    let keyring = try known.keyring(for: generation.header)
    var offset = start
    while true {
      let header = try window.header(at: offset, in: generation)
      try window.load(at: offset, count: header.frameLength)
      do throws(FormatError) {
        let frame = try Frame(header, in: window.bytes(at: offset, count: header.frameLength))
        if header.type == .dataKey {
          let plaintext = try keyring.open(frame, in: generation)
          _ = try keyring.accept(dataKey: plaintext.span)
        } else if header.type == .indexRoot {
          let plaintext = try keyring.open(frame, in: generation)
          let root = try IndexRoot(parsing: plaintext.span)
          try root.check(isIn: header)
          return (root, keyring)
        }
      } catch {
        guard error.code == .indexDamaged else { throw VaultError(error.at(offset: offset, sequence: header.sequence)) }
        return nil
      }
      offset += UInt64(header.frameLength)
    }
  }

  /// Whether a page that the root names begins at `offset`, in a batch before the root's.
  func names(_ offset: UInt64) -> Bool {
    offset < rootBatch
      && ranges.contains { $0.contains(offset) && (offset - $0.lowerBound) % UInt64(IndexPage.frameLength) == 0 }
  }

  /// Walks from the first frame to the end of the batches and passes over bad pages.
  ///
  /// - Throws: what is damaged besides; `chain-broken` if it does not lead to the end that was found before.
  func walk(_ window: inout FileWindow) throws(VaultError) -> Walk {
    let walk = try Walk(&window, from: Chain(startOf: generation), in: generation, excusing: self)
    guard walk.committed == end else {
      throw VaultError(
        walk.failure ?? FormatError(.chainBroken, "the file does not lead to its last batch", offset: end.offset))
    }
    return walk
  }

  // MARK: For a walk

  /// Moves `chain` over the bad pages that stand there, if one does.
  ///
  /// - Returns: those pages, and whether a batch ended with one of them; `nil` if the frame that stands there is to be taken
  ///   as any other.
  /// - Throws: `chain-broken` when the link up to here is not the one that the root knows, or the frame behind the pages can't
  ///   follow them; `frame-damaged` when there is none.
  func passOver(
    _ chain: inout Chain, _ window: inout FileWindow, _ hasher: inout LinkHasher
  ) throws(VaultError) -> (pages: [BadPage], endBatch: Bool)? {
    let start = chain
    guard links.allSatisfy({ $0.offset != start.offset || $0.link == start.link }) else {
      throw VaultError(
        FormatError(
          .chainBroken, "the index root was made after another history than the one before these pages",
          offset: start.offset, sequence: start.sequence + 1))
    }
    guard names(start.offset), try !isRight(at: start, &window, &hasher) else { return nil }
    var pages = [BadPage(offset: start.offset, sequence: start.sequence + 1)]
    var next = start.offset + UInt64(IndexPage.frameLength)
    while names(next), try !isRightByItself(at: next, sequence: start.sequence + UInt64(pages.count) + 1, &window) {
      pages.append(BadPage(offset: next, sequence: start.sequence + UInt64(pages.count) + 1))
      next += UInt64(IndexPage.frameLength)
    }
    let following = try window.header(at: next, in: generation)
    let endBatch = try format { () throws(FormatError) in
      try chain.passOver(badPages: pages.count, before: following)
    }
    return (pages, endBatch)
  }

  private func isRight(
    at chain: Chain, _ window: inout FileWindow, _ hasher: inout LinkHasher
  ) throws(VaultError) -> Bool {
    try holds(at: chain.offset, &window) { (frame) throws(FormatError) in
      var trial = chain
      _ = try trial.accept(frame.header, in: frame.bytes, hasher: &hasher)
    }
  }

  /// The link before a page behind a bad one is not known.
  private func isRightByItself(
    at offset: UInt64, sequence: UInt64, _ window: inout FileWindow
  ) throws(VaultError) -> Bool {
    try holds(at: offset, &window) { (frame) throws(FormatError) in
      guard frame.header.type == .indexPage, frame.header.sequence == sequence else {
        throw frame.header.damaged("it is not the page that belongs here")
      }
      _ = try frame.checkedTrailer()
    }
  }

  /// Whether a frame stands at `offset` that `check` lets pass, and opens if it is a page. Under which term is for the replay
  /// to judge.
  private func holds(
    at offset: UInt64, _ window: inout FileWindow, _ check: (borrowing Frame) throws(FormatError) -> Void
  ) throws(VaultError) -> Bool {
    try window.load(at: offset, count: FrameHeader.length)
    guard let header = try? window.shapedHeader(at: offset, in: generation) else { return false }
    try window.load(at: offset, count: header.frameLength)
    do throws(FormatError) {
      let frame = try Frame(header, in: window.bytes(at: offset, count: header.frameLength))
      try check(frame)
      if header.type == .indexPage { _ = try keyring.open(frame, in: generation) }
      return true
    } catch {
      guard error.code != .cryptoFailure else { throw VaultError(error) }
      return false
    }
  }
}

extension [BadPage] {
  /// What is left of `range` between these pages, which stand in their order.
  func gaps(in range: Range<UInt64>) -> [Range<UInt64>] {
    var gaps: [Range<UInt64>] = []
    var start = range.lowerBound
    for page in self where range.contains(page.offset) {
      if page.offset > start { gaps.append(start..<page.offset) }
      start = page.offset + UInt64(IndexPage.frameLength)
    }
    if start < range.upperBound { gaps.append(start..<range.upperBound) }
    return gaps
  }
}

// MARK: Opening

extension Opening {
  /// The same as ``structure(_:)`` for whoever has keys. Where the walk from the first frame fails before the newest index
  /// root, the walk from that root's batch stands for it (FORMAT.md, "Opening"): what failed may be a page that the root,
  /// once opened, excuses.
  ///
  /// - Throws: as ``structure(_:)``.
  static func keyedStructure(_ window: inout FileWindow) throws(VaultError) -> Structure {
    do {
      return try structure(&window)
    } catch {
      guard error.code.isDamage, let found = try structureFromRoot(&window, behind: error) else { throw error }
      return found
    }
  }

  /// Replays a file with a page that does not open, or that stopped the walk from the first frame.
  ///
  /// - Parameter failure: of the replay or of that walk.
  /// - Returns: `nil` when that is nothing that can be excused.
  static func excusedView(
    of file: any StorageFile, _ structure: Structure, _ window: inout FileWindow, _ keyring: Keyring,
    after failure: VaultError, comparing index: IndexComparison?
  ) throws(VaultError) -> View? {
    if structure.damage == nil {
      guard failure.code == .frameDamaged, let offset = failure.offset,
        try window.header(at: offset, in: structure.generation).type == .indexPage
      else { return nil }
    }
    guard let excuse = try PageExcuse(structure, &window, keyring) else { return nil }
    let walk = try excuse.walk(&window)
    guard let first = walk.badPages.first else { return nil }
    index?.startOver(
      noting: FormatError(
        .indexDamaged, "\(walk.badPages.count) of the index's pages can't be read, the first of them here",
        offset: first.offset, sequence: first.sequence))
    let keyring = try keyring.keyring(for: structure.generation.header)
    var view = View(file: file, generation: structure.generation, keyring: keyring, excuse: excuse)
    try view.replay(walk, &window, comparing: index)
    return view
  }
}
