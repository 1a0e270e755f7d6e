import Glibc
import TokenVault
import VaultEngine

/// A pin in a file: its text, and a line end.
enum PinFile {
  /// Reads what `path` names: a file, a pipe, or `/dev/stdin`.
  ///
  /// - Throws: ``ExitCode/config`` when there is none, it is no pin, or others than its owner may change it.
  static func read(_ path: String) throws(CommandFailure) -> Pin {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw CommandFailure(
        .config, "the pin \(path) can't be read: \(systemMessage(errno))",
        remedy: "name the file that 'tokenvault pin write' made; if it is gone, find out who removed it")
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw CommandFailure(.io, "the pin \(path) can't be examined: \(systemMessage(errno))")
    }
    guard status.st_mode & S_IFMT != S_IFREG || status.st_mode & 0o022 == 0 else {
      throw CommandFailure(
        .config, "the pin \(path) can be changed by others than its owner, and so proves nothing",
        remedy: "chmod 600 \(CommandLineText.quoted(path)), once you know that it is the one you wrote")
    }
    guard let pin = Pin(text: try text(of: descriptor, path)) else {
      throw CommandFailure(.config, "\(path) holds no pin: a pin is \(textLength) lower-case hexadecimal digits")
    }
    return pin
  }

  private static let textLength = 192

  /// The first line, without its end; at most one byte more than a pin has.
  private static func text(of descriptor: Int32, _ path: String) throws(CommandFailure) -> String {
    do {
      var bytes = try SecretBytes.reading(descriptor, limit: textLength + 1)
      bytes.removeLineEnd()
      return bytes.withSpan { (span) in String(decoding: span.indices.map { span[$0] }, as: UTF8.self) }
    } catch {
      switch error {
      case .tooLong: return ""
      case .system(let number):
        throw CommandFailure(.io, "the pin \(path) can't be read: \(systemMessage(number))")
      case .memory(let sentence): throw CommandFailure(.failure, sentence)
      }
    }
  }

  /// Puts `pin` in the place of what `path` held, in one step: whoever reads finds the former pin or this one.
  ///
  /// - Throws: ``ExitCode/cannotCreate``, ``ExitCode/io``; the former pin is then still there.
  static func write(_ pin: Pin, to path: String) throws(CommandFailure) {
    try FileReplacement.write(pin.text + "\n", to: path, mode: 0o600)
  }
}

/// Where a pin is kept: as `--pin` or `$TOKENVAULT_PIN` say. There is no place by default, because one beside the vault would
/// be put back together with it.
enum PinPlace {
  /// - Parameter given: the argument or option, if there is one.
  static func path(_ given: String?) -> String? { given ?? Variable.text("TOKENVAULT_PIN") }

  /// The same for a command that can't do without.
  ///
  /// - Throws: ``ExitCode/usage`` when nobody named one.
  static func named(_ given: String?) throws(CommandFailure) -> String {
    if let path = path(given) { return path }
    throw CommandFailure(
      .usage, "no file for the pin was named",
      remedy: "name one that does not lie beside the vault, or set $TOKENVAULT_PIN")
  }
}
