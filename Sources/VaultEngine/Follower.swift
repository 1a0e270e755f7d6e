internal import VaultCrypto
internal import VaultFormat

/// Finds out what became of a file since a view of it was made. Reads, and writes nothing.
struct Follower: Sendable {
  let storage: any Storage
  /// Another generation is opened to be written, too.
  let isWritable: Bool

  // MARK: Looking

  /// What stands at the vault's path now.
  enum Standing {
    /// The file of the view, its last batch, and nothing but space allocated ahead behind it.
    case same
    /// The same, and something behind it.
    case grown
    /// The same file with something else, or nothing, where the last batch was.
    case changed
    /// Another file.
    case replaced
  }

  /// Compares what is on the disk with `view`, with an lstat(2) and a pread(2).
  ///
  /// - Parameter lock: for whoever holds it: it knows what is at the path.
  /// - Throws: `no-vault` when there is nothing at the path; `io`.
  func standing(of view: View, under lock: (any StorageLock)? = nil) throws(VaultError) -> Standing {
    var identity = lock?.vault
    if identity == nil { identity = try storage.identity() }
    guard identity == view.file.identity else {
      guard identity != nil else {
        throw VaultError(.noVault, "the vault at \(storage.path) is gone: somebody removed or renamed it")
      }
      return .replaced
    }
    let offset = view.chain.offset - UInt64(FrameTrailer.length)
    let found = try view.file.read(at: offset, count: FrameTrailer.length + FrameHeader.sync.count)
    guard found.count >= FrameTrailer.length,
      FixedBytes<16>(found.span.extracting(first: FrameTrailer.length)) == view.lastTrailer
    else { return .changed }
    return found.span.extracting(FrameTrailer.length..<found.count).isZero ? .same : .grown
  }

  // MARK: Reading on

  /// For a reader: the view that holds every commit that had returned before this call.
  ///
  /// - Parameter isEndSynced: the last batch of `view` is known to be on the disk.
  /// - Throws: what is damaged; `rollback`, `tail-damaged` when committed batches are gone; `io`.
  func successor(of view: View, _ standing: Standing, isEndSynced: Bool) throws(VaultError) -> View {
    switch standing {
    case .same: return view
    case .replaced: return try replacement(of: view, holdingLock: false)
    case .changed: return try startingOver(view, isEndSynced: isEndSynced, holdingLock: false)
    case .grown:
      do {
        return try ReadingAgain.reading(storage) { () throws(VaultError) in
          try caughtUp(view, holdingLock: false).view
        }
      } catch {
        // What was appended may hold a bad page and the root that excuses it, for which the whole file is asked.
        guard error.code.isDamage else { throw error }
        return try startingOver(view, isEndSynced: isEndSynced, holdingLock: false)
      }
    }
  }

  /// Takes in the batches behind `view`, and judges what is left behind them.
  ///
  /// - Parameter wholeTail: looks for a torn tail through all zeros. A power cut alone leaves one that begins with zeros, and
  ///   no process outlives that: whoever has looked at all of the tail once need look at its beginning only.
  /// - Returns: the view, and the torn tail if there is one.
  func caughtUp(
    _ view: View, holdingLock: Bool, wholeTail: Bool = false
  ) throws(VaultError) -> (view: View, torn: Tail?) {
    var window = try FileWindow(view.file)
    let walk = try Walk(&window, from: view.chain, in: view.generation)
    var next = view
    try next.replay(walk, &window)
    let hasTail = try Self.hasTail(&window, at: walk.committed.offset)
    guard wholeTail || hasTail else { return (next, nil) }
    let tail = try Tail(&window, behind: walk, in: view.generation)
    let (keyring, generation) = (next.keyring, next.generation)
    do throws(VaultError) {
      let verdict = try tail.judge { (frame) in keyring.opening(of: frame, in: generation) }
      return (next, verdict == .torn ? tail : nil)
    } catch {
      // A batch that somebody is writing at this moment: what is complete is served.
      guard !holdingLock, error.code.isDamage, isBeingWritten() else { throw error }
      return (next, nil)
    }
  }

  private static func hasTail(_ window: inout FileWindow, at offset: UInt64) throws(VaultError) -> Bool {
    try window.load(at: offset, count: FrameHeader.length)
    return !window.bytes(at: offset, count: FrameHeader.length).isZero
  }

  /// Whether somebody holds the lock; takes it shared for a moment if not, and never waits for it.
  func isBeingWritten() -> Bool {
    do throws(VaultError) {
      _ = try storage.lock(.shared, wait: .zero)
      return false
    } catch {
      return error.code == .locked
    }
  }

  /// Reads the file anew, because the last known batch is not in it any more, or what follows can't be read by itself.
  ///
  /// A reader may see a batch a moment before it is durable. When its sync fails, its writer cuts it off again, and another
  /// batch may have taken its place. Every batch before it was synced: where such a one is missing, somebody has cut off what
  /// was committed.
  func startingOver(_ view: View, isEndSynced: Bool, holdingLock: Bool) throws(VaultError) -> View {
    var found = try ReadingAgain.reading(holdingLock ? nil : storage) { () throws(VaultError) in
      try Opening.view(of: view.file, succeeding: view.keyring)
    }
    let known = isEndSynced ? view.chain : view.lastBatch
    var leads = try Self.leads(from: known, to: found)
    if !leads, !found.isWhole {
      // A bad page of the index may stand between, which only a replay of the whole file passes over.
      found = try Opening.view(of: view.file, succeeding: view.keyring, readsWhole: true)
      leads = try Self.leads(from: known, to: found)
    }
    guard leads else {
      throw VaultError(
        .tailDamaged, "batches that were committed are not in the file any more: somebody cut them off",
        offset: min(known.offset, found.chain.offset))
    }
    return found
  }

  /// Whether the file's batches go on from `start` to the end of `view`, or beyond it if somebody is writing.
  private static func leads(from start: Chain, to view: View) throws(VaultError) -> Bool {
    var window = try FileWindow(view.file)
    var isMet = false
    let walk = try Walk(&window, from: start, in: view.generation, excusing: view.excuse) { (header) in
      if header.sequence == view.chain.sequence + 1, header.previousLink == view.chain.link { isMet = true }
    }
    return isMet || walk.committed == view.chain
  }

  /// Opens the file that has taken the place of the one that `view` is of.
  func replacement(of view: View, holdingLock: Bool) throws(VaultError) -> View {
    let file = try storage.open(writable: isWritable)
    let found = try ReadingAgain.reading(holdingLock ? nil : storage) { () throws(VaultError) in
      try Opening.view(of: file, succeeding: view.keyring)
    }
    guard found.succeeds(view) else {
      throw VaultError(
        .rollback, "an older copy of the vault has been put in its place",
        remedy: "open the vault anew, if that was meant")
    }
    return found
  }
}
