internal import Glibc
internal import Synchronization

/// The lock beside a vault: `flock` on `<vault>.lock`, which is never renamed and never deleted. The kernel releases it when
/// its holder dies.
///
/// The vault file is locked with it: should somebody delete the lock file while it is held, the next writer makes another and
/// takes that, and the two must not write at once all the same.
final class FileLock: StorageLock {
  private let files: LockFiles
  private let keeper: KeptLockFiles?

  private init(_ files: LockFiles, _ keeper: KeptLockFiles?) {
    self.files = files
    self.keeper = keeper
  }

  deinit {
    files.release()
    keeper?.keep(files)
  }

  var vault: FileIdentity? { files.vault?.identity }

  func note(count: Int) -> [UInt8] { (try? files.beside.read(at: 0, count: count)) ?? [] }

  func leave(_ note: [UInt8]) { try? files.beside.write(note.span, at: 0) }

  /// Takes the lock of `vault`, whose lock file is at `path`, asking again until `wait` is over, at growing intervals of 0.1
  /// to 5 ms.
  ///
  /// - Parameter keeper: has the files of the writer's last lock, and gets them back.
  /// - Throws: `locked`, `not-a-vault-file`, `cannot-create`, `io`.
  static func take(
    _ path: String, of vault: String, _ mode: LockMode, wait: Duration, _ keeper: KeptLockFiles
  ) throws(VaultError) -> FileLock? {
    if mode == .exclusive, let kept = keeper.take(), try kept.hold(mode) { return FileLock(kept, keeper) }
    let deadline = ContinuousClock.now + wait
    var pause: UInt32 = 100
    while true {
      guard let beside = try open(path, mode) else { return nil }
      if try beside.hold(mode) {
        let files = LockFiles(beside: beside, vault: try openVault(vault, mode))
        if try files.vault?.hold(mode) ?? true { return FileLock(files, mode == .exclusive ? keeper : nil) }
        files.release()
      }
      guard ContinuousClock.now < deadline else {
        throw VaultError(
          .locked, "another process has been writing to the vault for longer than the wait allowed",
          remedy: "try again, or wait longer with --lock-timeout")
      }
      usleep(pause)
      pause = min(pause * 2, 5_000)
    }
  }

  /// A reader makes no lock file: where there is none, or none that may be opened, there is no writer to ask about.
  private static func open(_ path: String, _ mode: LockMode) throws(VaultError) -> OpenFile? {
    if mode == .shared { return try? OpenFile.adopt(SystemCall.open(path, O_RDONLY), path) }
    do {
      return try OpenFile.adopt(SystemCall.open(path, O_RDWR | O_CREAT), path)
    } catch {
      switch error.code {
      case .notAVaultFile: throw VaultError(.notAVaultFile, "the lock file \(path) is a symbolic link")
      case .readOnly, .diskFull: throw error
      default:
        throw VaultError(
          .cannotCreate, "the lock file can't be opened: \(error.sentence)",
          remedy: "see that this user may write to the vault's directory", systemError: error.systemError)
      }
    }
  }

  /// The vault file; `nil` while it is being made. Network file systems lock for writing only what may be written.
  private static func openVault(_ path: String, _ mode: LockMode) throws(VaultError) -> OpenFile? {
    do {
      return try OpenFile.adopt(SystemCall.open(path, mode == .exclusive ? O_RDWR : O_RDONLY), path)
    } catch {
      guard error.code == .noVault || error.code == .notAVaultFile else { throw error }
      return nil
    }
  }
}

/// The files that a lock is taken on.
private struct LockFiles: Sendable {
  let beside: OpenFile
  /// `nil` while it is being made.
  let vault: OpenFile?

  /// Takes both locks, if nobody holds one and both files are still those at their paths.
  func hold(_ mode: LockMode) throws(VaultError) -> Bool {
    guard let vault else { return false }
    if try beside.hold(mode), try vault.hold(mode) { return true }
    release()
    return false
  }

  func release() {
    SystemCall.unlock(beside.descriptor)
    if let vault { SystemCall.unlock(vault.descriptor) }
  }
}

/// Keeps the files of a writer's lock open from one commit to the next, which spares it a third of its system calls.
final class KeptLockFiles: Sendable {
  private let files = Mutex<LockFiles?>(nil)

  init() {}

  fileprivate func take() -> LockFiles? { files.withLock { $0.take() } }

  fileprivate func keep(_ files: LockFiles) { self.files.withLock { $0 = files } }
}

extension OpenFile {
  /// Takes the lock on the file, if nobody holds it and the file is still the one at its path: another one may have taken its
  /// place, and then this lock excludes nobody.
  fileprivate func hold(_ mode: LockMode) throws(VaultError) -> Bool {
    guard try SystemCall.tryLock(descriptor, mode, path) else { return false }
    return try SystemCall.identity(at: path) == identity
  }
}
