import ArgumentParser
import Glibc
import TokenVault
import VaultEngine

/// Says which tokens of the vault are in a text.
struct LeakCheck: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "leak-check", _superCommandName: "tokenvault",
    abstract: "Say whose tokens are in a text, a list of tokens or of SHA-256 hashes; exit 6 if there are any.",
    discussion: """
      The text comes in on standard input or from FILE, in any size: a log, a dump, a paste, or one token or hash a line. \
      Looked for are the access and refresh tokens that the vault holds, and those that it held, as far as its file or its \
      audit still tells of them. Tokens are never shown, only where they stand and whose they are.

        journalctl -u bot | tokenvault leak-check

      A token is found between bytes that tokens don't have: in JSON, headers, URLs, environment files. Not found is what is \
      split over lines, compressed, encrypted, in base64 or in UTF-16.
      """)

  @Argument(help: "The text; standard input if it is missing or '-'.")
  var file: String?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let path = file == "-" ? nil : file
    if path == nil, settings.source?.place == .standardInput {
      throw CommandFailure(
        .usage, "standard input can't be both the key and the text",
        remedy: "give the key with file:, env:, fd: or cmd:, or the text as a file")
    }
    let input = try TextInput(path)
    let known = try settings.knownTokens()
    if path == nil, isatty(STDIN_FILENO) == 1 {
      settings.note("reading the text from the terminal, end with ctrl-D")
    }
    var list = LeakList(settings)
    var progress = ProgressLine(settings.progress, unit: "bytes")
    var done = 0
    var failure: CommandFailure?
    do throws(VaultError) {
      try LeakScanner(known).scan { (output) throws(VaultError) in
        done += try input.read(into: &output)
        progress.show("leak-check", done: done, total: input.size)
      } found: { (finding) throws(VaultError) in
        progress.end()
        do throws(CommandFailure) {
          try list.add(finding)
        } catch {
          failure = error
          throw VaultError(.io, "the list can't be written")
        }
      }
    } catch {
      progress.end()
      throw failure ?? CommandFailure(error)
    }
    progress.end()
    try list.end()
  }
}

/// A text that is read once, from its beginning to its end.
struct TextInput: ~Copyable {
  private let descriptor: Int32
  private let name: String
  /// Bytes of it, if it is a file.
  let size: Int?

  /// - Parameter path: `nil` for standard input.
  /// - Throws: ``ExitCode/io`` when it can't be opened.
  init(_ path: String?) throws(CommandFailure) {
    name = path ?? "standard input"
    var opened = STDIN_FILENO
    if let path {
      opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
      guard opened >= 0 else {
        throw CommandFailure(.io, "\(path) can't be opened: \(systemMessage(errno))")
      }
    }
    descriptor = opened
    var status = stat()
    let isFile = unsafe fstat(opened, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    size = isFile ? Int(status.st_size) : nil
  }

  deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

  /// Appends what comes next; gives the number of bytes, 0 at the end.
  ///
  /// - Throws: `io`.
  func read(into output: inout OutputSpan<UInt8>) throws(VaultError) -> Int {
    let before = output.count
    do throws(ReadFailure) {
      try output.appendSome(from: descriptor)
    } catch {
      guard case .system(let number) = error else { throw VaultError(.io, "\(name) can't be read") }
      throw VaultError(.io, "\(name) can't be read: \(systemMessage(number))", systemError: number)
    }
    return output.count - before
  }
}
