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
  /// - Throws: ``ExitCode/cannotCreate``, ``ExitCode/io``; what was there is then still there.
  static func write(_ text: String, to path: String, mode: mode_t) throws(CommandFailure) {
    try checkIsFile(path)
    var template = Array("\(path).tmp-XXXXXX".utf8CString)
    // Mode 0600.
    let descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else {
      throw CommandFailure(.cannotCreate, "no file can be made beside \(path): \(systemMessage(errno))")
    }
    let temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let bytes = Array(text.utf8)
    var number = Output.write(bytes.span, to: descriptor)
    if number == 0, fchmod(descriptor, mode) != 0 { number = errno }
    if number == 0, fsync(descriptor) != 0 { number = errno }
    if close(descriptor) != 0, number == 0 { number = errno }
    if number == 0, unsafe rename(temporary, path) != 0 { number = errno }
    guard number == 0 else {
      _ = unsafe unlink(temporary)
      throw CommandFailure(.io, "\(path) can't be written: \(systemMessage(number))")
    }
    FileFacts.syncFolder(of: path)
  }
}
