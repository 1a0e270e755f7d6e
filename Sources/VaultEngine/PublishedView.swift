internal import Synchronization
internal import VaultFormat

/// A view that is handed from one to another by reference: a copy counts a dozen references up and down.
final class SharedView: Sendable {
  let view: View

  init(_ view: View) { self.view = view }

  /// See ``View/entry(named:)``.
  func entry(named name: Span<UInt8>) throws(VaultError) -> VaultEntry? { try view.entry(named: name) }
}

/// What a handle's readers see, and whether it may still be used. Readers never wait for its writer, and it never for them.
///
/// A batch that the handle itself writes is published once it is synced. While it is being written, the file has grown, and
/// that says nothing of others: they are excluded by the lock, and all that they committed before was published when the
/// writer took it. So a read then takes the published view as it is.
final class PublishedView: Sendable {
  private struct State {
    private(set) var view: View
    /// The same, made when somebody asks for it.
    private var shared: SharedView?
    /// The last batch of the view is known to be on the disk: nobody need write it again.
    var isEndSynced = false
    /// What this handle is writing behind the view.
    var appending: AppendedBatch?
    /// The view with that batch, if somebody has asked for it.
    var ahead: View?
    /// Counts the views, and the writes that were begun and ended: what was read while it changed may be half a write.
    var edition = 0
    /// The file's, when the view was last found to be the newest.
    var stamp: FileStamp?
    /// Why the handle acknowledges nothing more.
    var failure: VaultError?

    init(_ view: View) { self.view = view }

    mutating func sharedView() -> SharedView {
      if let shared { return shared }
      let made = SharedView(view)
      shared = made
      return made
    }

    /// Changes the view in place, unless somebody still reads the one before.
    mutating func change(_ body: (inout View) -> Void) {
      shared = nil
      ahead = nil
      body(&view)
      edition += 1
    }

    mutating func publish(_ view: View, isEndSynced: Bool) {
      change { $0 = view }
      self.isEndSynced = isEndSynced
      stamp = nil
    }

    func checkUsable() throws(VaultError) {
      guard let failure else { return }
      guard failure.code != .handleFailed else { throw failure }
      throw VaultError(
        .handleFailed, "an earlier write failed (\(failure.sentence)); this handle acknowledges nothing more",
        remedy: "open the vault again", systemError: failure.systemError)
    }
  }

  private let state: Mutex<State>
  private let follower: Follower
  /// Readers that find the same news read it once.
  private let catchingUp = Mutex(())

  init(_ view: View, _ follower: Follower) {
    state = Mutex(State(view))
    self.follower = follower
  }

  /// - Throws: `handle-failed` once a write has failed, or the handle was closed.
  func checkUsable() throws(VaultError) {
    try state.withLock { (state) throws(VaultError) in try state.checkUsable() }
  }

  // MARK: Reading

  /// The newest view: it holds every commit that had returned before this call, in whatever process.
  ///
  /// One fstat(2) where nothing has happened for a while; else an lstat(2) and a pread(2), and what is new is read. Where the
  /// file has just come to rest, and every tenth of a second, it also tries whether the lock is free.
  ///
  /// - Throws: `handle-failed`; `no-vault` when the file is gone; what is damaged; `rollback`; `io`.
  func newest() throws(VaultError) -> SharedView {
    while true {
      let seen = try look()
      if seen.isNewest { return seen.shared }
      var stamp = try seen.shared.view.file.stamp()
      if let stamp, stamp == seen.stamp { return seen.shared }
      // A file's time changes before its bytes do: the stamp counts only if nobody was writing between it and the look.
      if stamp != nil, follower.isBeingWritten() { stamp = nil }
      let standing = try follower.standing(of: seen.shared.view)
      if standing == .same {
        state.withLock { (state) in if state.edition == seen.edition { state.stamp = stamp } }
        return seen.shared
      }
      if let view = try catchUp(seen, standing, stamp) { return view }
    }
  }

  /// What a reader takes along; the rest of the state is not copied for every read.
  private struct Seen {
    let shared: SharedView
    let edition: Int
    let stamp: FileStamp?
    let isEndSynced: Bool
    /// This handle is writing, and so nobody else is.
    let isNewest: Bool
  }

  private func look() throws(VaultError) -> Seen {
    try state.withLock { (state) throws(VaultError) in
      try state.checkUsable()
      return Seen(
        shared: state.sharedView(), edition: state.edition, stamp: state.stamp, isEndSynced: state.isEndSynced,
        isNewest: state.appending != nil)
    }
  }

  /// - Parameter stamp: of the file, from before anybody looked; `nil` where it does not count.
  /// - Returns: `nil` when another has published a view meanwhile, or this handle's writer has begun to write.
  private func catchUp(
    _ seen: Seen, _ standing: Follower.Standing, _ stamp: FileStamp?
  ) throws(VaultError) -> SharedView? {
    try catchingUp.withLock { (_) throws(VaultError) in
      guard edition == seen.edition else { return nil }
      do throws(VaultError) {
        let view = try follower.successor(of: seen.shared.view, standing, isEndSynced: seen.isEndSynced)
        return state.withLock { (state) in
          guard state.edition == seen.edition else { return nil }
          state.publish(view, isEndSynced: false)
          // As long as nobody touches this file, what follows its last batch, a torn append too, is what was judged just now.
          // Of a file that took its place the stamp says nothing.
          if view.file.identity == seen.shared.view.file.identity { state.stamp = stamp }
          return state.sharedView()
        }
      } catch {
        guard edition == seen.edition else { return nil }
        throw error
      }
    }
  }

  private var edition: Int { state.withLock { $0.edition } }

  // MARK: The index

  /// Brings the whole index into memory, about a tenth of a second for a million names, and publishes it.
  ///
  /// - Returns: a view that holds every commit that had returned before this call.
  /// - Throws: what is damaged, if the index is bad and the whole file can't be replayed; `io`.
  func completeIndex() throws(VaultError) -> View {
    try catchingUp.withLock { (_) throws(VaultError) in
      while true {
        let seen = view
        guard let root = seen.index.root, !seen.index.isComplete else { return seen }
        let covered: TagTable
        do throws(VaultError) {
          covered = try seen.entriesInRuns(of: root)
        } catch {
          guard error.code == .indexDamaged else { throw error }
          return try replayWhole(seen)
        }
        // What was committed meanwhile is in memory already, unless there is another root.
        let complete = state.withLock { (state) -> View? in
          guard state.view.index.root == root, state.view.generation.header == seen.generation.header else {
            return nil
          }
          state.change { $0.completeIndex(with: covered) }
          return state.view
        }
        if let complete { return complete }
      }
    }
  }

  /// Replays the whole file, because a page of the index is bad, and publishes what it says.
  ///
  /// - Throws: what is damaged.
  func rebuildIndex() throws(VaultError) -> View {
    try catchingUp.withLock { (_) throws(VaultError) in
      let seen = view
      return seen.isWhole ? seen : try replayWhole(seen)
    }
  }

  private func replayWhole(_ seen: View) throws(VaultError) -> View {
    let whole = try ReadingAgain.reading(follower.storage) { () throws(VaultError) in
      try Opening.view(of: seen.file, succeeding: seen.keyring, readsWhole: true)
    }
    state.withLock { (state) in
      // Where another batch was published meanwhile, whoever needs it replays the file again.
      guard state.view.chain == seen.chain, whole.chain == seen.chain else { return }
      state.change { $0 = whole }
    }
    return whole
  }

  // MARK: For the writer

  /// The view as it was last published; the writer alone makes others while it holds the lock.
  var view: View { state.withLock { $0.view } }

  /// The same without a copy. As long as somebody has it, the next batch is taken in by a copy of all that it changes.
  var shared: SharedView { state.withLock { $0.sharedView() } }

  /// Whether the last batch of the view is known to be on the disk.
  var isEndSynced: Bool { state.withLock { $0.isEndSynced } }

  /// Publishes what the writer found when it had taken the lock.
  func adopt(_ view: View) { state.withLock { $0.publish(view, isEndSynced: false) } }

  /// The last batch is on the disk.
  func noteSync() { state.withLock { $0.isEndSynced = true } }

  /// From now on, what appears behind the view is this handle's own.
  func beginAppend(_ batch: AppendedBatch) {
    state.withLock {
      $0.appending = batch
      $0.edition += 1
    }
  }

  /// Takes in the batch that was written and synced.
  func endAppend(_ batch: AppendedBatch) {
    state.withLock {
      let ahead = $0.ahead.take()
      $0.change { if let ahead, ahead.chain == batch.end { $0 = ahead } else { $0.append(batch) } }
      $0.isEndSynced = true
      $0.appending = nil
      $0.stamp = nil
    }
  }

  /// Nothing stands behind the view after all.
  func abandonAppend() {
    state.withLock {
      $0.appending = nil
      $0.ahead = nil
      $0.edition += 1
    }
  }

  /// The view as it will be when the batch is on the disk that is being written; `nil` when none is, or the next one is its
  /// writer's own.
  var viewAhead: View? {
    let (view, appending, edition) = state.withLock { ($0.view, $0.appending, $0.edition) }
    guard let appending, !appending.isFollowed else { return nil }
    var ahead = view
    ahead.append(appending)
    // Taking a large batch in once is enough.
    state.withLock { if $0.edition == edition { $0.ahead = ahead } }
    return ahead
  }

  /// Ends the handle: every later call says why. The first reason stays.
  func fail(_ error: VaultError) { state.withLock { if $0.failure == nil { $0.failure = error } } }
}
