internal import Synchronization
public import VaultFormat
internal import VaultCrypto

/// An open vault: names with values in one encrypted, append-only file.
///
/// Safe to share between threads and tasks; several handles, in several processes, may share a file. What is guaranteed:
///
/// 1. *A batch is all or nothing*, for every reader, through every crash.
/// 2. *A commit that returned is on the disk*, as far as the disk honours a flush.
/// 3. *A read sees every commit that had returned before it began*, in whatever process. It takes no lock, and may see a
///    batch of another process a moment before that is on the disk.
/// 4. *A snapshot does not change.*
///
/// Reading blocks the thread for as long as the disk takes, and waits for no writer. Commits that are made at the same time
/// share a write and a sync. Called without `async`, they block the thread, which does not belong on Swift's cooperative
/// threads then; the `TokenVault` module has asynchronous calls for all.
///
/// A child of fork(2) can't use a handle of its parent's, and does no harm to the file.
public final class Vault: Sendable {
  private let published: PublishedView
  let commits: CommitQueue
  private let forks = ForkGuard()
  private let environment: Environment
  private let options: VaultOptions
  /// Where the vault is.
  public let path: String

  private init(_ environment: Environment, _ view: View, _ options: VaultOptions) {
    (self.environment, self.options) = (environment, options)
    path = environment.storage.path
    let follower = Follower(storage: environment.storage, isWritable: !options.readOnly)
    published = PublishedView(view, follower)
    commits = CommitQueue(environment, options, follower, published)
  }

  deinit { if forks.isSameProcess { commits.close() } }

  // MARK: Opening

  /// Opens the vault at `path`.
  ///
  /// - Parameters:
  ///   - path: a regular file that only its owner may open. Symbolic links are not followed.
  ///   - credential: opens one of the vault's key slots. A passphrase takes about a third of a second.
  /// - Throws: `no-vault`, `not-a-vault-file`, `unsafe-permissions`; what is damaged, by its code and place; `wrong-key`, and
  ///   only if the structure is whole; `unsupported-version`, `unsupported-feature`, `limit-exceeded`; `io`.
  public static func open(
    at path: String, credential: borrowing Credential, options: VaultOptions = VaultOptions()
  ) throws(VaultError) -> Vault {
    try open(.system(path: path), credential: credential, options: options)
  }

  package static func open(
    _ environment: Environment, credential: borrowing Credential, options: VaultOptions = VaultOptions()
  ) throws(VaultError) -> Vault {
    let file = try environment.storage.open(writable: !options.readOnly)
    let view = try ReadingAgain.reading(environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, with: credential, pin: options.pin, readsWhole: options.readsWhole)
    }
    return Vault(environment, view, options)
  }

  /// Makes a new vault at `path`, with one key slot for `credential`.
  ///
  /// The file appears under its name when it is whole and on the disk, and not before.
  ///
  /// - Throws: `conflict` when there is something at the path; `cannot-create`, `disk-full`, `locked`, `io`.
  public static func create(
    at path: String, credential: borrowing Credential, options: VaultOptions = VaultOptions()
  ) throws(VaultError) -> Vault {
    try create(.system(path: path), credential: credential, options: options)
  }

  package static func create(
    _ environment: Environment, credential: borrowing Credential, options: VaultOptions = VaultOptions(),
    passphraseCost: KeySlot.Kind = .defaultScrypt
  ) throws(VaultError) -> Vault {
    let view = try Creation.create(
      environment, credential: credential, cost: passphraseCost, wait: options.lockTimeout)
    return Vault(environment, view, options)
  }

  /// Whether this handle only reads.
  package var isReadOnly: Bool { options.readOnly }

  /// Another handle on the vault, with the keys of this one and no need of the credential, that may write.
  ///
  /// - Parameter wait: how long its writes wait for other processes.
  /// - Throws: as ``entry(named:)``; `read-only`, `unsafe-permissions`, `io` when the file can't be opened for writing.
  package func openedForWriting(lockTimeout wait: Duration) throws(VaultError) -> Vault {
    let keyring = try newestView().view.keyring
    var options = VaultOptions()
    options.lockTimeout = wait
    let file = try environment.storage.open(writable: true)
    let view = try ReadingAgain.reading(environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, succeeding: keyring)
    }
    return Vault(environment, view, options)
  }

  // MARK: Reading

  /// The newest value of `name`; `nil`, which is not an error, when it was never put or has been deleted.
  ///
  /// - Parameter name: compared byte by byte.
  /// - Throws: `frame-damaged` when this record is; others stay readable.
  public func entry(named name: Span<UInt8>) throws(VaultError) -> VaultEntry? {
    var stamp: UInt64 = 0
    return try entry(named: name, stamp: &stamp)
  }

  /// The same, for whoever keeps something that he made of the vault.
  ///
  /// - Parameter stamp: is set to a number that is another after every write.
  package func entry(named name: Span<UInt8>, stamp: inout UInt64) throws(VaultError) -> VaultEntry? {
    let newest = try newestView()
    stamp = newest.view.stamp
    do {
      return try newest.entry(named: name)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      return try published.rebuildIndex().entry(named: name)
    }
  }

  /// The vault as it is now, to be read as often as one likes without a change.
  ///
  /// The first of a handle brings the whole index into memory: about a tenth of a second for a million names.
  public func snapshot() throws(VaultError) -> VaultSnapshot {
    let newest = try newestView()
    return VaultSnapshot(try newest.view.index.isComplete ? newest.view : published.completeIndex())
  }

  /// The view that a read uses: it holds every commit that had returned before this call.
  func newestView() throws(VaultError) -> SharedView {
    try forks.check()
    let newest = try published.newest()
    return newest.view.isIndexWorthLoading ? SharedView(try published.completeIndex()) : newest
  }

  // MARK: Writing

  /// Writes a batch and brings it to the disk, with one write and one sync, which it shares with batches that others commit
  /// at the same time. Blocks the thread.
  ///
  /// - Returns: the version of each write, in the order of the batch.
  /// - Throws: `conflict` or `not-found` when a condition does not hold, `locked`, `disk-full`: nothing was written, and the
  ///   handle goes on. `io`: the file was cut back to the last commit as far as the disk let it be, and the handle
  ///   acknowledges nothing more; then `handle-failed`. `read-only`, `limit-exceeded`.
  @discardableResult
  public func commit(_ batch: consuming VaultBatch) throws(VaultError) -> [UInt64] {
    guard try isWorthCommitting(batch) else { return [] }
    return try commits.commit(batch)
  }

  /// The same for tasks, which it suspends.
  ///
  /// - Throws: `cancelled` too, when the task was cancelled before the write had begun: then nothing of it was or will be
  ///   written. Once it has begun, cancelling does not stop it.
  @discardableResult
  public func commit(_ batch: consuming VaultBatch) async throws(VaultError) -> [UInt64] {
    guard try isWorthCommitting(batch) else { return [] }
    return try await commits.commit(batch)
  }

  /// Hands over a batch and returns at once, so that the next one is prepared while this one is sealed and written. What is
  /// handed over later, and committed later by the same thread, comes after it. Where too much waits already, it blocks.
  ///
  /// - Returns: what tells whether the batch is on the disk: nothing is promised before.
  /// - Throws: `handle-failed`, `limit-exceeded`; everything else ``PendingCommit/wait()`` tells.
  public func submit(_ batch: consuming VaultBatch) throws(VaultError) -> PendingCommit {
    guard try isWorthCommitting(batch) else { return PendingCommit(nil) }
    return PendingCommit(try commits.submit(batch))
  }

  /// Requests that nobody has taken yet.
  package var waitingRequests: Int { commits.waiting.count }

  private func isWorthCommitting(_ batch: borrowing VaultBatch) throws(VaultError) -> Bool {
    try forks.check()
    guard batch.count <= VaultLimits.batch else {
      throw VaultError(.limitExceeded, "a batch has \(batch.count) writes; \(VaultLimits.batch) is the limit")
    }
    if batch.isEmpty { try published.checkUsable() }
    return !batch.isEmpty
  }

  /// Waits for the commits that were begun, gives back space that was allocated ahead, and ends the handle. Later calls fail
  /// with `handle-failed`; snapshots stay readable.
  ///
  /// A handle that is simply dropped loses nothing: every commit that returned is on the disk.
  public func close() throws(VaultError) {
    try forks.check()
    commits.close()
    published.fail(VaultError(.handleFailed, "the handle was closed"))
  }
}
