internal import CSystemShims
internal import Glibc

/// An exclusive lock on one byte of a file beside a vault, or on all, held by an open file description of its own: threads of a
/// process exclude each other as processes do.
///
/// The kernel drops it when the last descriptor is closed, one that a child inherited included, however its holders end. The
/// file is empty, and is never renamed or deleted.
package final class ByteLock: Sendable {
  private let file: OpenFile
  private let position: Int64
  /// Bytes that are locked; 0 for all from the position on.
  private let count: Int64

  private init(_ file: OpenFile, _ position: Int64, _ count: Int64) {
    (self.file, self.position, self.count) = (file, position, count)
  }

  /// The file beside a vault of which a byte is locked for each account whose token is being refreshed.
  package static func refreshes(of vault: String) -> String { vault + ".refresh" }

  deinit { release() }

  /// What a child process must inherit to hold the lock too.
  package var descriptor: Int32 { file.descriptor }

  /// Gives the lock up, for everybody who has inherited it.
  package func release() { _ = tv_unlock_bytes(file.descriptor, position, count) }

  /// Takes the lock without waiting; `nil` when somebody has it. Makes the file, if there is none.
  ///
  /// - Parameter position: of the byte, 0 or more; the file need not have that many.
  /// - Throws: `not-a-vault-file`, `unsafe-permissions`, `cannot-create`, `read-only`, `disk-full`, `io`.
  package static func take(_ path: String, at position: Int64) throws(VaultError) -> ByteLock? {
    try take(open(path), at: position)
  }

  /// The same for a file that was opened before.
  ///
  /// - Parameter count: of the bytes; 0 for all from the position on.
  static func take(_ file: OpenFile, at position: Int64, count: Int64 = 1) throws(VaultError) -> ByteLock? {
    guard tv_lock_bytes(file.descriptor, position, count) == 0 else {
      guard errno == EAGAIN || errno == EACCES || errno == EINTR else { throw SystemCall.failure("fcntl", file.path) }
      return nil
    }
    let lock = ByteLock(file, position, count)
    // Should another file have taken its place, this one excludes nobody.
    return try SystemCall.identity(at: file.path) == file.identity ? lock : nil
  }

  /// Waits until nobody has a byte of the file locked, and keeps all others from it.
  ///
  /// - Returns: `nil` where there is no such file, and so nobody who has; it is not made.
  /// - Throws: `locked` when the wait is over; as ``take(_:at:)``.
  static func takeAll(_ path: String, wait: Duration) throws(VaultError) -> ByteLock? {
    let end = ContinuousClock.now + wait
    while try SystemCall.identity(at: path) != nil {
      if let lock = try take(open(path), at: 0, count: 0) { return lock }
      guard .now < end else {
        throw VaultError(
          .locked, "tokens are being refreshed, and what their providers answer could not be stored under other keys",
          remedy: "try again, or wait longer with --lock-timeout; 'fuser -v \(path)' tells who is at it")
      }
      usleep(5_000)
    }
    return nil
  }

  /// Whether somebody has the lock at this moment. It makes no file; false also where that can't be learned.
  package static func isHeld(_ path: String, at position: Int64) -> Bool {
    guard let file = try? OpenFile.adopt(SystemCall.open(path, O_RDONLY), path) else { return false }
    return tv_byte_is_locked(file.descriptor, position) == 1
  }

  private static func open(_ path: String) throws(VaultError) -> OpenFile {
    let file: OpenFile
    do {
      file = try OpenFile.adopt(SystemCall.open(path, O_RDWR | O_CREAT), path)
    } catch {
      switch error.code {
      case .notAVaultFile:
        throw VaultError(
          .notAVaultFile, "the lock file \(path) is a symbolic link", remedy: "see who made it, and remove it")
      case .readOnly, .diskFull: throw error
      default:
        throw VaultError(
          .cannotCreate, "the lock file can't be opened: \(error.sentence)",
          remedy: "see that it belongs to this user, who may write to the vault's directory",
          systemError: error.systemError)
      }
    }
    try check(SystemCall.status(of: file.descriptor, path).st_mode, path)
    return file
  }

  /// Who can open the file can hold it, and keep everybody waiting.
  private static func check(_ mode: mode_t, _ path: String) throws(VaultError) {
    guard mode & S_IFMT == S_IFREG else {
      throw VaultError(
        .notAVaultFile, "the lock file \(path) is not a regular file", remedy: "see who made it, and remove it")
    }
    guard mode & 0o077 == 0 else {
      throw VaultError(
        .unsafePermissions,
        "the lock file \(path) can be held by others than its owner (mode \(String(mode & 0o777, radix: 8)))",
        remedy: "chmod 600 '\(path)'")
    }
  }
}
