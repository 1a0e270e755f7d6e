internal import VaultCrypto
internal import VaultFormat

/// The steps of a commit. A value without a thread: ``CommitQueue`` puts a lock around it.
///
/// The order of the steps is what makes commits atomic and durable (spec/DESIGN.md, "Commit").
struct Writer: ~Copyable, Sendable {
  private let environment: Environment
  private let options: VaultOptions
  private let published: PublishedView
  private let follower: Follower
  private let sealing: Sealing
  private var hasSwept = false
  /// The file of which all that stood behind its last batch was judged, so that a look at the beginning says enough.
  private var judgedFile: FileIdentity?
  private var spaceAhead = SpaceAhead()
  /// The end of the newest batch that this handle wrote.
  private var ownEnd: UInt64 = 0

  init(
    _ environment: Environment, _ options: VaultOptions, _ follower: Follower, _ published: PublishedView,
    _ sealing: Sealing
  ) {
    self.environment = environment
    self.sealing = sealing
    self.options = options
    self.follower = follower
    self.published = published
  }

  // MARK: Commit

  /// Writes all requests whose conditions hold as one batch, and syncs it. Each of them gets its outcome.
  ///
  /// - Parameters:
  ///   - whenSealed: is called, if it comes to that, when the next group can be sealed.
  ///   - isIndexSealed: whether the next group brings the checkpoint that is due behind this batch.
  mutating func commit(_ group: inout CommitGroup, whenSealed: () -> Void, isIndexSealed: (Chain) -> Bool) {
    guard !group.isEmpty else { return group.succeed([]) }
    do {
      try published.checkUsable()
      try checkWritable()
      let lock = try environment.storage.lock(.exclusive, wait: options.lockTimeout)
      defer { withExtendedLifetime(lock) {} }
      try prepareToAppend(lock)
      for batch in group.takeIndex(after: published.shared.view.chain) { try append(index: batch, lock) }
      try checkpointIfDue(lock)
      guard let sealed = try seal(&group) else { return }
      try settleLastBatch(lock)
      published.beginAppend(.records(sealed))
      whenSealed()
      try append(.records(sealed), roomBehind: group.roomBehind, lock)
      group.succeed(sealed.records)
      if published.shared.view.isCheckpointDue, !isIndexSealed(published.shared.view.chain) {
        group.resume()
        // What was asked for is on the disk: that the index is not is no failure of it, and the next writer makes up for it.
        try? checkpointIfDue(lock)
      }
    } catch {
      group.fail(error)
    }
  }

  /// Writes a checkpoint with other key slots: all that adding, removing or changing a key takes.
  ///
  /// - Parameter change: turns the slots that the file has into those that it is to have, by number, and says which one is the
  ///   handle's own from then on, if it is another. It runs under the lock.
  mutating func changeSlots(
    _ change: (View, [KeySlot.Sealed], inout AnyRandomSource) throws(VaultError) -> (
      slots: [KeySlot.Sealed], own: UInt32?
    )
  ) throws(VaultError) {
    try published.checkUsable()
    try checkWritable()
    let lock = try environment.storage.lock(.exclusive, wait: options.lockTimeout)
    defer { withExtendedLifetime(lock) {} }
    try prepareToAppend(lock)
    var random = try sealing.random()
    let view = published.view
    let (slots, own) = try change(view, view.sealedSlots(), &random)
    try writeCheckpoint(slots: slots, lock)
    // Before anybody can put another generation in the place of this one, whose keys would be told of the slot before.
    if let own { view.keyring.slot = own }
  }

  private func checkWritable() throws(VaultError) {
    guard !options.readOnly else { throw VaultError(.readOnly, "the vault was opened for reading alone") }
    guard !published.shared.view.generation.header.mustStayReadOnly else {
      throw VaultError(
        .unsupportedFeature, "the file uses a feature that this program does not know and may only read",
        remedy: "use a newer release of tokenvault")
    }
  }

  /// Names from which on the whole index is better had in memory than looked up page by page.
  private static let manyNames = 256

  /// Seals a group behind the last batch. A bad page of the index is met here, if at all.
  private func seal(_ group: inout CommitGroup) throws(VaultError) -> BatchSealer.Sealed? {
    var shared = published.shared
    if group.count >= Self.manyNames || shared.view.isIndexWorthLoading {
      shared = SharedView(try published.completeIndex())
    }
    do {
      return try group.seal(after: shared.view, sealing)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      return try group.seal(after: published.rebuildIndex(), sealing)
    }
  }

  /// Under the lock, between two batches: appends a checkpoint, and the pages batches before it, if so much was written since
  /// the last that opening takes long.
  private mutating func checkpointIfDue(_ lock: (any StorageLock)?) throws(VaultError) {
    if published.shared.view.isCheckpointDue { try writeCheckpoint(lock) }
  }

  /// - Parameter slots: as ``Checkpoint`` takes them.
  private mutating func writeCheckpoint(
    slots: [KeySlot.Sealed]? = nil, _ lock: (any StorageLock)?
  ) throws(VaultError) {
    var random = try sealing.random()
    var checkpoint = try makeCheckpoint(slots, &random)
    while let batch = try checkpoint.nextBatch(after: published.view, random: &random) {
      try append(index: .index(batch), lock)
    }
  }

  private mutating func append(index batch: AppendedBatch, _ lock: (any StorageLock)?) throws(VaultError) {
    try settleLastBatch(lock)
    published.beginAppend(batch)
    try append(batch, lock)
  }

  private func makeCheckpoint(
    _ slots: [KeySlot.Sealed]?, _ random: inout AnyRandomSource
  ) throws(VaultError) -> Checkpoint {
    do {
      return try Checkpoint(after: published.view, slots: slots, random: &random)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      return try Checkpoint(after: published.rebuildIndex(), slots: slots, random: &random)
    }
  }

  /// Under the lock: the file at the path, all of its batches, and no torn tail.
  private mutating func prepareToAppend(_ lock: (any StorageLock)?) throws(VaultError) {
    if !hasSwept {
      environment.storage.sweep()
      hasSwept = true
    }
    let shared = published.shared
    let standing = try follower.standing(of: shared.view, under: lock)
    if standing == .same, judgedFile == shared.view.file.identity { return }
    try prepareToAppend(shared.view, standing, lock)
  }

  private mutating func prepareToAppend(
    _ known: View, _ found: Follower.Standing, _ lock: (any StorageLock)?
  ) throws(VaultError) {
    var (view, standing) = (known, found)
    switch standing {
    case .same, .grown: break
    case .changed: view = try follower.startingOver(view, isEndSynced: published.isEndSynced, holdingLock: true)
    case .replaced: view = try follower.replacement(of: view, holdingLock: true)
    }
    if standing == .changed || standing == .replaced {
      published.adopt(view)
      judgedFile = nil
      standing = .same
    }
    guard standing == .grown || judgedFile != view.file.identity else { return }
    try catchUp(view, lock)
  }

  /// Takes in what others wrote behind `view`, and cuts off what one of them left unfinished.
  private mutating func catchUp(_ view: View, _ lock: (any StorageLock)?) throws(VaultError) {
    let isJudged = judgedFile == view.file.identity
    let found: (view: View, torn: Tail?)
    do {
      found = try follower.caughtUp(view, holdingLock: true, wholeTail: !isJudged)
    } catch {
      // What was appended may hold a bad page of the index, which only opening anew excuses.
      guard error.code.isDamage else { throw error }
      let anew = try follower.startingOver(view, isEndSynced: published.isEndSynced, holdingLock: true)
      found = try follower.caughtUp(anew, holdingLock: true, wholeTail: true)
    }
    if found.view.chain != view.chain { published.adopt(found.view) }
    if let tail = found.torn {
      try environment.storage.keepTorn(tail.torn.span, from: found.view.chain.sequence + 1)
      // Cut, and the cut synced, before anything is appended: never written over in place.
      try latching { () throws(VaultError) in
        try Self.cutBack(found.view.file, to: found.view.chain.offset, lock)
      }
    }
    judgedFile = found.view.file.identity
  }

  /// The writer before may have died between its write and its sync: what it wrote is synced before anything builds on it.
  ///
  /// The note is asked for even of a batch that this handle has synced itself: another may have cut off since what it could not
  /// write, and that cut may not be on the disk. See ``cutBack(_:to:_:)``.
  private func settleLastBatch(_ lock: (any StorageLock)?) throws(VaultError) {
    if lock?.note(count: SyncNote.length) != SyncNote.saying(published.shared.view) {
      try writeLastBatchAgain(published.view)
    }
    if !published.isEndSynced { published.noteSync() }
  }

  private func writeLastBatchAgain(_ view: View) throws(VaultError) {
    let start = view.lastBatch
    let bytes = try view.file.read(at: start.offset, count: Int(view.chain.offset - start.offset))
    guard try start.following(bytes.span, in: view.generation) == view.chain else {
      throw VaultError(.chainBroken, "the last batch is not the one that was read a moment ago", offset: start.offset)
    }
    do {
      try view.file.write(bytes.span, at: start.offset)
    } catch {
      // A part of the same bytes changes nothing: without room, the handle may go on once there is some.
      if error.code != .diskFull { published.fail(error) }
      throw error
    }
    try latching { () throws(VaultError) in try view.file.sync() }
    // Whoever made the file may have died, or failed, between giving it its name and syncing that.
    try latching { () throws(VaultError) in try environment.storage.syncName() }
  }

  /// One write, one sync, and the batch is published.
  private mutating func append(
    _ sealed: AppendedBatch, roomBehind room: Int = 0, _ lock: (any StorageLock)?
  ) throws(VaultError) {
    do throws(VaultError) {
      try write(sealed.bytes, roomBehind: room, lock)
    } catch {
      published.abandonAppend()
      throw error
    }
    published.endAppend(sealed)
    ownEnd = sealed.end.offset
    lock?.leave(SyncNote.saying(published.shared.view))
  }

  /// Whatever fails, the file is cut back to what was committed while the lock is still held.
  private mutating func write(
    _ bytes: [UInt8], roomBehind room: Int, _ lock: (any StorageLock)?
  ) throws(VaultError) {
    let shared = published.shared
    let (file, end) = (shared.view.file, shared.view.chain.offset)
    do {
      try allocateAhead(for: bytes.count, roomBehind: room, at: end, in: file)
      try file.write(bytes.span, at: end)
    } catch {
      let cut: Void? = try? Self.cutBack(file, to: end, lock)
      // Without room nothing was promised and nothing is left: the handle may go on once there is room.
      if error.code != .diskFull || cut == nil { published.fail(error) }
      throw error
    }
    do {
      try file.sync()
    } catch {
      published.fail(error)
      // The last batch may share a block with what could not be written: the next writer writes it again.
      lock?.leave(SyncNote.none)
      try? Self.cutBack(file, to: end, lock)
      throw error
    }
  }

  /// That there is no room for more than the batch, and what is asked for behind it, is not an error.
  private mutating func allocateAhead(
    for count: Int, roomBehind room: Int, at offset: UInt64, in file: any StorageFile
  ) throws(VaultError) {
    guard !spaceAhead.covers(offset + UInt64(count + room), of: file.identity),
      let range = spaceAhead.zeros(for: count, roomBehind: room, at: offset, length: try file.length())
    else { return }
    let zeros = [UInt8](repeating: 0, count: range.count)
    do {
      try file.write(zeros.span, at: range.lowerBound)
      spaceAhead.note(range.upperBound, of: file.identity)
    } catch {
      guard error.code == .diskFull, room == 0 else { throw error }
      spaceAhead.giveUp()
    }
  }

  /// Cuts the file back to the end of the last committed batch, and syncs the cut.
  ///
  /// Another handle, which wrote that batch itself, would take a file of just that length for its own and append to it, while a
  /// cut that is not synced, or whose sync failed, may not be on the disk. So the note is taken back before: without it every
  /// writer writes the last batch again and syncs that, and the cut with it, before it builds on the file. Nothing is left in
  /// the file to tell of the cut: a sector that is half cut is not one that an interrupted append leaves.
  ///
  /// - Throws: `io`, also when the note can't be taken back: nothing is cut then.
  private static func cutBack(
    _ file: any StorageFile, to end: UInt64, _ lock: (any StorageLock)?
  ) throws(VaultError) {
    let note = lock?.note(count: SyncNote.length) ?? []
    lock?.leave(SyncNote.none)
    guard !SyncNote.isNote(note) || lock?.note(count: SyncNote.length) == SyncNote.none else {
      throw VaultError(
        .io, "the lock file can't be written, and so nothing was cut off", remedy: "see that the disk is well")
    }
    try file.resize(to: end)
    try file.sync()
    // What it said of the last batch is as true as before.
    lock?.leave(note)
  }

  private func latching(_ body: () throws(VaultError) -> Void) throws(VaultError) {
    do {
      try body()
    } catch {
      published.fail(error)
      throw error
    }
  }

  // MARK: The end of the handle

  /// Cuts off the space that this handle allocated ahead, if the last batch is still its own and nobody else is writing.
  ///
  /// A cut of zeros need not be synced: whatever stands there after a crash is zeros, or what was written later.
  mutating func returnSpace() {
    guard spaceAhead.isUsed, (try? published.checkUsable()) != nil else { return }
    spaceAhead = SpaceAhead()
    guard let lock = try? environment.storage.lock(.exclusive, wait: .zero) else { return }
    withExtendedLifetime(lock) {
      let view = published.view
      guard view.chain.offset == ownEnd, (try? follower.standing(of: view)) == .same else { return }
      try? view.file.resize(to: ownEnd)
    }
  }
}
