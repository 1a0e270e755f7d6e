import Glibc
import TokenVault
import VaultEngine

/// A file that only its owner can read, for secrets which somebody asked to have in the clear. It is written piece by piece, be it
/// as long as it likes, and appears under its name when it is whole and on the disk, and not before.
final class PrivateOutput {
  private let path: String
  private let temporary: String
  private let replacing: Bool
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isNamed: Bool

  /// Bytes of the buffer.
  private static let room = 1 << 16

  /// `O_TMPFILE`, which the module lacks: a file without a name, of which nothing is left if the process is killed.
  private static let unnamed: Int32 = 0o20000000 | O_DIRECTORY

  /// - Parameter replacing: puts it in the place of a file that is there.
  /// - Throws: ``ExitCode/conflict`` when there is something at `path` and it must stay; ``ExitCode/cannotCreate``.
  init(at path: String, replacing: Bool) throws(CommandFailure) {
    if !replacing, FileFacts.exists(path) { throw Self.isThere(path) }
    (self.path, self.replacing) = (path, replacing)
    temporary = FileReplacement.temporaryName(of: path)
    FileReplacement.sweep(temporary)
    var descriptor: Int32 = -1
    if FileFacts.exists("/proc/self/fd") {
      descriptor = unsafe open(FileFacts.folder(of: path), Self.unnamed | O_WRONLY | O_CLOEXEC, 0o600)
    }
    let needsName = descriptor < 0
    if needsName {
      descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    }
    let number = errno
    let isHeld =
      descriptor >= 0 && FileReplacement.hold(descriptor)
      && (!needsName || FileReplacement.isNamed(temporary, descriptor))
    self.descriptor = descriptor
    // What is another's is not taken away when this one goes.
    isNamed = needsName && isHeld
    buffer.reserveCapacity(Self.room)
    guard descriptor >= 0 else {
      throw CommandFailure(.cannotCreate, "\(path) can't be made: \(systemMessage(number))")
    }
    guard isHeld else { throw FileReplacement.isBusy(path) }
  }

  /// What is said of a path where something is.
  static func isThere(_ path: String) -> CommandFailure {
    CommandFailure(
      .conflict, "there is something at \(path) already; it was left alone",
      remedy: "give another path, or --force to put the file in its place")
  }

  /// Adds bytes.
  ///
  /// - Throws: ``ExitCode/io``.
  func write(_ bytes: Span<UInt8>) throws(CommandFailure) {
    if buffer.count + bytes.count > Self.room { try flush() }
    guard bytes.count <= Self.room else { return try writeThrough(bytes) }
    // Never beyond its capacity: what an array grows out of is not wiped.
    for index in bytes.indices { buffer.append(bytes[index]) }
  }

  private func writeThrough(_ bytes: Span<UInt8>) throws(CommandFailure) {
    let number = Output.write(bytes, to: descriptor)
    guard number == 0 else { throw failed(number) }
  }

  private func flush() throws(CommandFailure) {
    defer {
      for index in buffer.indices { buffer[index] = 0 }
      buffer.removeAll(keepingCapacity: true)
    }
    try writeThrough(buffer.span)
  }

  private func failed(_ number: Int32) -> CommandFailure {
    CommandFailure(.io, "\(path) can't be written: \(systemMessage(number))")
  }

  private func notNamed(_ number: Int32) -> CommandFailure {
    number == EEXIST ? Self.isThere(path) : failed(number)
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
      guard unsafe linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else {
        throw replacing && errno == EEXIST ? FileReplacement.isBusy(path) : notNamed(errno)
      }
      isNamed = replacing
    } else if !replacing {
      guard unsafe link(temporary, path) == 0 else { throw notNamed(errno) }
    }
    if replacing {
      guard unsafe rename(temporary, path) == 0 else {
        throw CommandFailure(.cannotCreate, "\(path) can't be made: \(systemMessage(errno))")
      }
      isNamed = false
    }
    FileFacts.syncFolder(of: path)
  }

  deinit {
    // The lock goes with the descriptor: not before the name.
    if isNamed { _ = unsafe unlink(temporary) }
    if descriptor >= 0 { close(descriptor) }
  }
}
