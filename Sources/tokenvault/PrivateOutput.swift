import Glibc
import TokenVault
import VaultEngine

/// A file for secrets that is written piece by piece, be it as long as it likes; it appears under its name when it is whole, and
/// not before. For what is in memory as a whole there is ``PrivateFile``.
final class PrivateOutput {
  private let path: String
  private let temporary: String
  private let replacing: Bool
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isNamed: Bool

  /// `O_TMPFILE`, which the module lacks: a file without a name, of which nothing is left if the process is killed.
  private static let unnamed: Int32 = 0o20000000 | O_DIRECTORY

  /// - Parameter replacing: puts it in the place of a file that is there.
  /// - Throws: ``ExitCode/conflict`` when there is something at `path` and it must stay; ``ExitCode/cannotCreate``.
  init(at path: String, replacing: Bool) throws(CommandFailure) {
    if !replacing, FileFacts.exists(path) { throw Self.exists(path) }
    (self.path, self.replacing) = (path, replacing)
    temporary = path + ".\(getpid()).tmp"
    var descriptor: Int32 = -1
    if FileFacts.exists("/proc/self/fd") {
      descriptor = unsafe open(FileFacts.folder(of: path), Self.unnamed | O_WRONLY | O_CLOEXEC, 0o600)
    }
    isNamed = descriptor < 0
    if descriptor < 0 {
      descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    }
    self.descriptor = descriptor
    guard descriptor >= 0 else {
      throw CommandFailure(.cannotCreate, "\(path) can't be made: \(systemMessage(errno))")
    }
  }

  private static func exists(_ path: String) -> CommandFailure {
    CommandFailure(
      .conflict, "there is something at \(path) already; it was left alone",
      remedy: "give another path, or --force to replace it")
  }

  /// Adds bytes.
  ///
  /// - Throws: ``ExitCode/io``.
  func write(_ bytes: Span<UInt8>) throws(CommandFailure) {
    for index in bytes.indices { buffer.append(bytes[index]) }
    if buffer.count >= 1 << 16 { try flush() }
  }

  private func flush() throws(CommandFailure) {
    let number = Output.write(buffer.span, to: descriptor)
    for index in buffer.indices { buffer[index] = 0 }
    buffer.removeAll(keepingCapacity: true)
    guard number == 0 else { throw failed(number) }
  }

  private func failed(_ number: Int32) -> CommandFailure {
    CommandFailure(.io, "\(path) can't be written: \(systemMessage(number))")
  }

  private func notNamed(_ number: Int32) -> CommandFailure {
    number == EEXIST ? Self.exists(path) : failed(number)
  }

  /// Brings it to the disk and gives it its name.
  ///
  /// - Throws: ``ExitCode/conflict`` when something has come to be at the path meanwhile; ``ExitCode/io``.
  func finish() throws(CommandFailure) {
    try flush()
    // A umask may take the owner's own rights, and a default access list give others some.
    guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0 else { throw failed(errno) }
    // Unlike rename(2), link(2) and linkat(2) never take the place of anything.
    if !isNamed {
      let name = replacing ? temporary : path
      let source = "/proc/self/fd/\(descriptor)"
      guard unsafe linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else { throw notNamed(errno) }
      isNamed = replacing
    } else if !replacing {
      guard unsafe link(temporary, path) == 0 else { throw notNamed(errno) }
    }
    if replacing {
      guard unsafe rename(temporary, path) == 0 else { throw failed(errno) }
      isNamed = false
    }
    FileFacts.syncFolder(of: path)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if isNamed { _ = unsafe unlink(temporary) }
  }
}
