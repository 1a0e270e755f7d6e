import Glibc
import TokenVault
import VaultEngine

/// A file for secrets, which appears under its name when it is whole, and not before.
final class PrivateFile {
  private let path: String
  private let temporary: String
  private let replacing: Bool
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isOpen = true

  /// - Parameter replacing: puts it in the place of a file that is there.
  /// - Throws: ``ExitCode/conflict`` when there is something at `path` and it must stay; ``ExitCode/cannotCreate``.
  init(at path: String, replacing: Bool) throws(CommandFailure) {
    if !replacing, FileFacts.exists(path) { throw Self.exists(path) }
    (self.path, self.replacing) = (path, replacing)
    temporary = path + ".\(getpid()).tmp"
    descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
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

  /// Brings it to the disk and gives it its name.
  ///
  /// - Throws: ``ExitCode/conflict`` when something has come to be at the path meanwhile; ``ExitCode/io``.
  func finish() throws(CommandFailure) {
    try flush()
    guard fsync(descriptor) == 0 else { throw failed(errno) }
    isOpen = false
    guard close(descriptor) == 0 else { throw failed(errno) }
    if replacing {
      guard unsafe rename(temporary, path) == 0 else { throw failed(errno) }
    } else {
      // Unlike rename(2), link(2) never takes the place of anything.
      guard unsafe link(temporary, path) == 0 else { throw errno == EEXIST ? Self.exists(path) : failed(errno) }
      _ = unsafe unlink(temporary)
    }
    FileFacts.syncFolder(of: path)
  }

  deinit {
    if isOpen { close(descriptor) }
    // Nothing is there any more once it has its name.
    _ = unsafe unlink(temporary)
  }
}
