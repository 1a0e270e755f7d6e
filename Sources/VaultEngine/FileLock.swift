internal import Glibc

/// The lock beside a vault: `flock` on `<vault>.lock`, which is never renamed and never deleted. The kernel releases it when
/// its holder dies.
final class FileLock: StorageLock {
  private let descriptor: Int32
  private let path: String

  private init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit {
    SystemCall.unlock(descriptor)
    _ = close(descriptor)
  }

  func note(count: Int) -> [UInt8] {
    let note = try? [UInt8](capacity: count) { (output) throws(VaultError) in
      try SystemCall.read(descriptor, at: 0, into: &output, path)
    }
    return note ?? []
  }

  func leave(_ note: [UInt8]) { try? SystemCall.write(descriptor, note.span, at: 0, path) }

  /// Takes the lock, asking again until `wait` is over, at growing intervals of 0.1 to 5 ms.
  ///
  /// - Throws: `locked`, `not-a-vault-file`, `cannot-create`, `io`.
  static func take(_ path: String, _ mode: LockMode, wait: Duration) throws(VaultError) -> FileLock? {
    let deadline = ContinuousClock.now + wait
    var pause: UInt32 = 100
    while true {
      guard let lock = try open(path, mode) else { return nil }
      if try SystemCall.tryLock(lock.descriptor, mode, path) {
        // Somebody may have deleted the file meanwhile: then this lock excludes nobody, and the next file must be tried.
        let held = FileIdentity(try SystemCall.status(of: lock.descriptor, path))
        if try SystemCall.status(at: path).map({ (status) in FileIdentity(status) }) == held { return lock }
        continue
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
  private static func open(_ path: String, _ mode: LockMode) throws(VaultError) -> FileLock? {
    if mode == .shared { return (try? SystemCall.open(path, O_RDONLY)).map { FileLock(descriptor: $0, path: path) } }
    do {
      return FileLock(descriptor: try SystemCall.open(path, O_RDWR | O_CREAT), path: path)
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
}
