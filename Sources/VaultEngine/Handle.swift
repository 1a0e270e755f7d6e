internal import VaultCrypto
public import VaultFormat

/// How a vault is opened.
public struct VaultOptions: Sendable {
  /// How long a write waits for other processes before it fails with `locked`.
  public var lockTimeout: Duration = .seconds(10)
  /// Opens for reading alone: nothing on the disk is changed, whatever is found there.
  public var readOnly = false
  /// Replays every frame of the file, though its index would spare that.
  package var readsWhole = false
  /// What the vault is held against when it is opened: another history, or an older state, is refused with `rollback`. That
  /// reads the whole file. A history that does not reach back to the pin's generation is let pass: see
  /// ``VerifyReport/isRollbackExcluded``.
  public var pin: Pin?

  /// Waits ten seconds; writes are allowed.
  public init() {}
}

/// One process's open vault, and the steps of a commit. A value without a thread: ``Vault`` puts a lock around it.
///
/// The order of the steps is what makes commits atomic and durable (spec/DESIGN.md, "Commit").
struct Handle: ~Copyable, Sendable {
  private let environment: Environment
  private let options: VaultOptions
  /// Made for the first write: reading needs none.
  private var random: AnyRandomSource?
  /// What is known of the file.
  private(set) var view: View
  /// The last batch in the file was written and synced by this handle: it need not be written again.
  private var endIsOwn = false
  private var hasSwept = false
  /// Why this handle acknowledges nothing more.
  private var failure: VaultError?

  /// Opens the vault at the environment's path.
  init(
    _ environment: Environment, with credential: borrowing Credential, options: VaultOptions
  ) throws(VaultError) {
    let file = try environment.storage.open(writable: !options.readOnly)
    let view = try Self.readingAgain(environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, with: credential, pin: options.pin, readsWhole: options.readsWhole)
    }
    try self.init(environment, view, options)
  }

  /// A handle on a file that was just opened.
  init(_ environment: Environment, _ view: View, _ options: VaultOptions) throws(VaultError) {
    self.environment = environment
    self.options = options
    self.view = view
  }

  private func checkUsable() throws(VaultError) {
    guard let failure else { return }
    guard failure.code != .handleFailed else { throw failure }
    throw VaultError(
      .handleFailed, "an earlier write failed (\(failure.sentence)); this handle acknowledges nothing more",
      remedy: "open the vault again", systemError: failure.systemError)
  }

  /// Acknowledges nothing more.
  mutating func close() {
    if failure == nil { failure = VaultError(.handleFailed, "the handle was closed") }
  }

  // MARK: Seeing what others wrote

  /// Makes every commit visible that had returned before this call, in whatever process.
  mutating func refresh() throws(VaultError) {
    try checkUsable()
    try followReplacement(holdingLock: false)
    switch try lookAtEnd() {
    case .same: return
    case .changed: try startOver(holdingLock: false)
    case .grown:
      let storage = environment.storage
      do {
        try Self.readingAgain(storage) { () throws(VaultError) in _ = try catchUp() }
      } catch {
        // What was appended may hold a bad page and the root that excuses it, for which the whole file is asked.
        guard error.code.isDamage else { throw error }
        try startOver(holdingLock: false)
      }
    }
  }

  /// What stands where the last known batch ended.
  private enum End {
    /// That batch, and nothing but space allocated ahead behind it.
    case same
    /// That batch, and something behind it.
    case grown
    /// Something else, or nothing.
    case changed
  }

  private func lookAtEnd() throws(VaultError) -> End {
    let offset = view.chain.offset - UInt64(FrameTrailer.length)
    let found = try view.file.read(at: offset, count: FrameTrailer.length + FrameHeader.sync.count)
    guard found.count >= FrameTrailer.length,
      FixedBytes<16>(found.span.extracting(first: FrameTrailer.length)) == view.lastTrailer
    else { return .changed }
    return found.span.extracting(FrameTrailer.length..<found.count).isZero ? .same : .grown
  }

  /// Reads the file anew, because the last known batch is not in it any more.
  ///
  /// A reader may see a batch a moment before it is durable. When its sync fails, its writer cuts it off again, and another
  /// batch may have taken its place. Every batch before it was synced, and so was one that this handle wrote: where such a
  /// one is missing, somebody has cut off what was committed.
  private mutating func startOver(holdingLock: Bool) throws(VaultError) {
    let (storage, keyring, file) = (environment.storage, view.keyring, view.file)
    let known = endIsOwn ? view.chain : view.lastBatch
    var found = try Self.readingAgain(holdingLock ? nil : storage) { () throws(VaultError) in
      try Opening.view(of: file, succeeding: keyring)
    }
    var leads = try Self.leads(from: known, to: found)
    if !leads, !found.isWhole {
      // A bad page of the index may stand between, which only a replay of the whole file passes over.
      found = try Opening.view(of: file, succeeding: keyring, readsWhole: true)
      leads = try Self.leads(from: known, to: found)
    }
    guard leads else {
      throw VaultError(
        .tailDamaged, "batches that were committed are not in the file any more: somebody cut them off",
        offset: min(known.offset, found.chain.offset))
    }
    view = found
    endIsOwn = false
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

  /// Moves to the file that stands at the path now, if another generation has taken this one's place.
  private mutating func followReplacement(holdingLock: Bool) throws(VaultError) {
    let identity = try environment.storage.identity()
    guard identity != view.file.identity else { return }
    guard identity != nil else {
      throw VaultError(.noVault, "the vault at \(environment.storage.path) is gone: somebody removed or renamed it")
    }
    let file = try environment.storage.open(writable: !options.readOnly)
    let keyring = view.keyring
    let found = try Self.readingAgain(holdingLock ? nil : environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, succeeding: keyring)
    }
    guard found.succeeds(view) else {
      throw VaultError(
        .rollback, "an older copy of the vault has been put in its place",
        remedy: "open the vault anew, if that was meant")
    }
    view = found
    endIsOwn = false
  }

  /// Takes in the batches behind the view.
  ///
  /// - Returns: the torn tail behind them, if there is one.
  private mutating func catchUp() throws(VaultError) -> Tail? {
    var window = try FileWindow(view.file)
    let walk = try Walk(&window, from: view.chain, in: view.generation)
    try view.replay(walk, &window)
    if walk.batches > 0 { endIsOwn = false }
    let tail = try Tail(&window, behind: walk, in: view.generation)
    let (keyring, generation) = (view.keyring, view.generation)
    return try tail.judge { (frame) in keyring.opening(of: frame, in: generation) } == .torn ? tail : nil
  }

  /// The same under the lock. What was appended may hold a bad page of the index, which only opening anew excuses.
  private mutating func catchUpOrStartOver() throws(VaultError) -> Tail? {
    do {
      return try catchUp()
    } catch {
      guard error.code.isDamage else { throw error }
      try startOver(holdingLock: true)
      return try catchUp()
    }
  }

  /// Reads the whole file, because its index is bad.
  mutating func rebuildIndex() throws(VaultError) {
    let (file, keyring) = (view.file, view.keyring)
    view = try Self.readingAgain(environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, succeeding: keyring, readsWhole: true)
    }
  }

  /// Brings the whole index into memory.
  mutating func completeIndex() throws(VaultError) {
    do {
      try view.completeIndex()
    } catch {
      guard error.code == .indexDamaged else { throw error }
      try rebuildIndex()
    }
  }

  // MARK: Commit

  /// Writes a batch and syncs it.
  ///
  /// - Returns: the version of each write, in order.
  mutating func commit(_ batch: borrowing VaultBatch) throws(VaultError) -> [UInt64] {
    try checkUsable()
    guard !options.readOnly else { throw VaultError(.readOnly, "the vault was opened for reading alone") }
    guard !view.generation.header.mustStayReadOnly else {
      throw VaultError(
        .unsupportedFeature, "the file uses a feature that this program does not know and may only read",
        remedy: "use a newer release of tokenvault")
    }
    guard batch.count <= VaultLimits.batch else {
      throw VaultError(.limitExceeded, "a batch has \(batch.count) writes; \(VaultLimits.batch) is the limit")
    }
    guard !batch.isEmpty else { return [] }
    let lock = try environment.storage.lock(.exclusive, wait: options.lockTimeout)
    defer { withExtendedLifetime(lock) {} }
    try prepareToAppend()
    try checkpointIfDue()
    if batch.count > 256 { try completeIndex() }
    var random = try randomSource()
    let sealed: BatchSealer.Sealed
    do {
      sealed = try BatchSealer.seal(batch, after: view, at: environment.now(), random: &random)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      try rebuildIndex()
      sealed = try BatchSealer.seal(batch, after: view, at: environment.now(), random: &random)
    }
    try writeLastBatchAgain()
    try append(sealed.bytes)
    view.append(sealed)
    endIsOwn = true
    // What was asked for is on the disk: that the index is not is no failure of it, and the next writer makes up for it.
    try? checkpointIfDue()
    return sealed.records.map(\.version)
  }

  /// Writes a checkpoint, if so much was written since the last that opening takes long.
  private mutating func checkpointIfDue() throws(VaultError) {
    guard view.isCheckpointDue else { return }
    var random = try randomSource()
    var checkpoint: Checkpoint
    do {
      checkpoint = try Checkpoint(after: view, random: &random)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      try rebuildIndex()
      checkpoint = try Checkpoint(after: view, random: &random)
    }
    while let batch = try checkpoint.nextBatch(after: view, random: &random) {
      try writeLastBatchAgain()
      try append(batch.bytes)
      view.append(batch)
      endIsOwn = true
    }
  }

  private mutating func randomSource() throws(VaultError) -> AnyRandomSource {
    if let random { return random }
    let made = try crypto(environment.makeRandom)
    random = made
    return made
  }

  /// Under the lock: the file at the path, all of its batches, and no torn tail.
  private mutating func prepareToAppend() throws(VaultError) {
    if !hasSwept {
      environment.storage.sweep()
      hasSwept = true
    }
    try followReplacement(holdingLock: true)
    if try lookAtEnd() == .changed { try startOver(holdingLock: true) }
    guard try view.file.length() > view.chain.offset, let tail = try catchUpOrStartOver() else { return }
    try environment.storage.keepTorn(tail.torn.span, from: view.chain.sequence + 1)
    // Cut, and the cut synced, before anything is appended: never written over in place.
    try latching { (view) throws(VaultError) in try Self.cutBack(view) }
  }

  /// The writer before may have died between its write and its sync: what it wrote is synced before anything builds on it.
  private mutating func writeLastBatchAgain() throws(VaultError) {
    guard !endIsOwn else { return }
    let start = view.lastBatch
    let bytes = try view.file.read(at: start.offset, count: Int(view.chain.offset - start.offset))
    guard try start.following(bytes.span, in: view.generation) == view.chain else {
      throw VaultError(.chainBroken, "the last batch is not the one that was read a moment ago", offset: start.offset)
    }
    do {
      try view.file.write(bytes.span, at: start.offset)
    } catch {
      // A part of the same bytes changes nothing: without room, the handle may go on once there is some.
      if error.code != .diskFull { failure = error }
      throw error
    }
    try latching { (view) throws(VaultError) in try view.file.sync() }
    if start.isInFirstBatch {
      // Whoever made the file may have died between giving it its name and syncing that.
      try latching { [environment] (_) throws(VaultError) in try environment.storage.syncName() }
    }
    endIsOwn = true
  }

  /// One write, one sync. Whatever fails, the file is cut back to what was committed while the lock is still held.
  private mutating func append(_ bytes: [UInt8]) throws(VaultError) {
    do {
      try view.file.write(bytes.span, at: view.chain.offset)
    } catch {
      let cut: Void? = try? Self.cutBack(view)
      // Without room nothing was promised and nothing is left: the handle may go on once there is room.
      if error.code != .diskFull || cut == nil { failure = error }
      throw error
    }
    do {
      try view.file.sync()
    } catch {
      failure = error
      try? Self.cutBack(view)
      throw error
    }
  }

  /// Cuts the file back to the end of the last committed batch, and syncs the cut.
  ///
  /// In two steps, because another handle, which wrote that batch itself, would take a file of just that length for its own
  /// and append to it, while a cut whose sync failed may not be on the disk. The first four bytes of a frame, the same in
  /// all frames, are left until the cut is: they make every writer cut and sync before it builds on the file.
  private static func cutBack(_ view: View) throws(VaultError) {
    let end = view.chain.offset
    let mark = end + UInt64(FrameHeader.sync.count)
    if try view.file.length() > mark {
      try view.file.resize(to: mark)
      try view.file.sync()
    }
    try view.file.resize(to: end)
    try view.file.sync()
  }

  private mutating func latching(_ body: (View) throws(VaultError) -> Void) throws(VaultError) {
    do {
      try body(view)
    } catch {
      failure = error
      throw error
    }
  }
}
