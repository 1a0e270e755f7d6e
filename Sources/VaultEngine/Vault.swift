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
/// Calls block the thread that makes them, for as long as the disk or another process's lock takes. They don't belong on
/// Swift's cooperative threads; the `TokenVault` module has asynchronous calls.
public final class Vault: Sendable {
  let handle: Mutex<Handle>
  /// Where the vault is.
  public let path: String

  private init(_ handle: consuming Handle, path: String) {
    self.handle = Mutex(handle)
    self.path = path
  }

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
    let handle = try Handle(environment, with: credential, options: options)
    return Vault(handle, path: environment.storage.path)
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
    return Vault(try Handle(environment, view, options), path: environment.storage.path)
  }

  // MARK: Reading

  /// The newest value of `name`; `nil`, which is not an error, when it was never put or has been deleted.
  ///
  /// - Parameter name: compared byte by byte.
  /// - Throws: `frame-damaged` when this record is; others stay readable.
  public func entry(named name: Span<UInt8>) throws(VaultError) -> VaultEntry? {
    let view = try freshView()
    do {
      return try view.entry(named: name)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      return try handle.withLock { (handle) throws(VaultError) in
        try handle.rebuildIndex()
        return handle.view
      }.entry(named: name)
    }
  }

  /// The vault as it is now, to be read as often as one likes without a change.
  ///
  /// The first of a handle brings the whole index into memory: about a tenth of a second for a million names.
  public func snapshot() throws(VaultError) -> VaultSnapshot {
    VaultSnapshot(
      try handle.withLock { (handle) throws(VaultError) in
        try handle.refresh()
        try handle.completeIndex()
        return handle.view
      })
  }

  private func freshView() throws(VaultError) -> View {
    try handle.withLock { (handle) throws(VaultError) in
      try handle.refresh()
      if handle.view.isIndexWorthLoading { try handle.completeIndex() }
      return handle.view
    }
  }

  // MARK: Writing

  /// Writes a batch and brings it to the disk, with one write and one sync.
  ///
  /// - Returns: the version of each write, in the order of the batch.
  /// - Throws: `conflict` or `not-found` when a condition does not hold, `locked`, `disk-full`: nothing was written, and the
  ///   handle goes on. `io`: the file was cut back to the last commit as far as the disk let it be, and the handle
  ///   acknowledges nothing more; then `handle-failed`. `read-only`.
  @discardableResult
  public func commit(_ batch: borrowing VaultBatch) throws(VaultError) -> [UInt64] {
    try handle.withLock { (handle) throws(VaultError) in try handle.commit(batch) }
  }

  /// Ends the handle. Later calls fail with `handle-failed`; snapshots stay readable.
  ///
  /// A handle that is simply dropped loses nothing: every commit that returned is on the disk.
  public func close() throws(VaultError) { handle.withLock { $0.close() } }
}
