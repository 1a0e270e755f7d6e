internal import Glibc

/// The lock beside a vault: `flock` on `<vault>.lock`, which is never renamed and never deleted. The kernel releases it when
/// its holder dies.
///
/// The vault file is locked with it: should somebody delete the lock file while it is held, the next writer makes another and
/// takes that, and the two must not write at once all the same.
final class FileLock: StorageLock {
  /// Closing them releases both locks.
  private let files: [OpenFile]

  private init(_ files: [OpenFile]) { self.files = files }

  deinit {
    for file in files { SystemCall.unlock(file.descriptor) }
  }

  func note(count: Int) -> [UInt8] { (try? files[0].read(at: 0, count: count)) ?? [] }

  func leave(_ note: [UInt8]) { try? files[0].write(note.span, at: 0) }

  /// Takes the lock of `vault`, whose lock file is at `path`, asking again until `wait` is over, at growing intervals of 0.1
  /// to 5 ms.
  ///
  /// - Throws: `locked`, `not-a-vault-file`, `cannot-create`, `io`.
  static func take(_ path: String, of vault: String, _ mode: LockMode, wait: Duration) throws(VaultError) -> FileLock? {
    let deadline = ContinuousClock.now + wait
    var pause: UInt32 = 100
    while true {
      guard let beside = try open(path, mode) else { return nil }
      if try beside.hold(mode) {
        guard let file = try openVault(vault, mode) else { return FileLock([beside]) }
        if try file.hold(mode) { return FileLock([beside, file]) }
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

extension OpenFile {
  /// Takes the lock on the file, if nobody holds it and the file is still the one at its path: another one may have taken its
  /// place, and then this lock excludes nobody.
  fileprivate func hold(_ mode: LockMode) throws(VaultError) -> Bool {
    guard try SystemCall.tryLock(descriptor, mode, path) else { return false }
    return try SystemCall.status(at: path).map { (status) in FileIdentity(status) } == identity
  }
}
