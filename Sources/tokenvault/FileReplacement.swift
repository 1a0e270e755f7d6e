import Glibc
import TokenVault

/// Files that are replaced in one step: whoever reads finds the former text or the new one.
enum FileReplacement {
  /// - Throws: ``ExitCode/cannotCreate`` when there is something at `path` that is no file.
  static func checkIsFile(_ path: String) throws(CommandFailure) {
    if let status = FileFacts.status(path), ![S_IFREG, S_IFLNK].contains(status.st_mode & S_IFMT) {
      throw CommandFailure(.cannotCreate, "\(path) is no file; it was left alone")
    }
  }

  /// Puts `text` in the place of what `path` held, and has it on the disk.
  ///
  /// - Parameter mode: of the new file, whatever the umask.
  /// - Throws: ``ExitCode/cannotCreate``, also while another process does the same; ``ExitCode/io``. What was there is then still
  ///   there.
  static func write(_ text: String, to path: String, mode: mode_t) throws(CommandFailure) {
    try checkIsFile(path)
    let temporary = temporaryName(of: path)
    sweep(temporary)
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandFailure(.cannotCreate, "no file can be made beside \(path): \(systemMessage(errno))")
    }
    guard hold(descriptor), isNamed(temporary, descriptor) else {
      close(descriptor)
      throw isBusy(path)
    }
    let bytes = Array(text.utf8)
    var number = Output.write(bytes.span, to: descriptor)
    if number == 0, fchmod(descriptor, mode) != 0 { number = errno }
    if number == 0, fsync(descriptor) != 0 { number = errno }
    if number == 0, unsafe rename(temporary, path) != 0 { number = errno }
    if number != 0 { _ = unsafe unlink(temporary) }
    // The lock goes with it: not before the name.
    close(descriptor)
    guard number == 0 else {
      throw CommandFailure(.io, "\(path) can't be written: \(systemMessage(number))")
    }
    FileFacts.syncFolder(of: path)
  }

  /// The name under which a file is made that is to take the place of the one at `path`. Always the same, so that what a killed
  /// process left is found by the next.
  static func temporaryName(of path: String) -> String { path + ".tokenvault.tmp" }

  /// Keeps others from taking the file for one that was left behind, as long as the descriptor is open.
  static func hold(_ descriptor: Int32) -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// Whether it is this file that the name leads to: before it was held, another may have taken it for one that was left behind.
  static func isNamed(_ temporary: String, _ descriptor: Int32) -> Bool {
    var (held, named) = (stat(), stat())
    guard unsafe fstat(descriptor, &held) == 0, unsafe lstat(temporary, &named) == 0 else { return false }
    return held.st_mode & S_IFMT == S_IFREG && held.st_dev == named.st_dev && held.st_ino == named.st_ino
  }

  /// What is said when another process makes the same file.
  static func isBusy(_ path: String) -> CommandFailure {
    CommandFailure(.cannotCreate, "another process is writing \(path) at this moment", remedy: "try again")
  }

  /// Removes a file that a killed process left under the name; nothing that somebody is at work on.
  static func sweep(_ temporary: String) {
    let descriptor = unsafe open(temporary, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    if hold(descriptor), isNamed(temporary, descriptor) { _ = unsafe unlink(temporary) }
  }
}
