import ArgumentParser
import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// Fills secrets into a template.
struct Inject: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "inject", _superCommandName: "tokenvault",
    abstract: "Copy a template with secrets in the places of its references.",
    discussion: """
      {{tv://ID}}                          the access token of the user ID
      {{ tv://ID/MEMBER?provider=NAME }}   another member, of a token that has a provider

      In the parts of a reference, white space, control characters and / ? # & % { } are written as % and two hexadecimal \
      digits. Other text in double braces stays as it is. A secret is put in as it is, with nothing quoted.

      When a token or a member is missing, nothing is written, to a file or to standard output.
      """)

  /// Bytes that a template may have.
  private static let limit = 64 << 20

  @Option(
    name: [.customShort("i"), .customLong("in")],
    help: ArgumentHelp("The template; or standard input.", valueName: "path"))
  var input: String?
  @Option(
    name: [.customShort("o"), .customLong("out")],
    help: ArgumentHelp("The file to write, for its owner alone; or standard output.", valueName: "path"))
  var output: String?
  @Flag(help: "Put the file in the place of one that is there.")
  var force = false
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if force, output == nil { throw ValidationError("--force goes with --out") }
  }

  func run(_ settings: Settings) throws {
    if input == nil { try settings.checkInputIsFree(for: "template") }
    if let output, !force, FileFacts.exists(output) { throw PrivateOutput.isThere(output) }
    let text = try contents(settings)
    let template = try SecretTemplate(parsing: text.span)
    guard template.places.isEmpty else {
      let filled = try fill(template, text, settings)
      return try write(filled.span)
    }
    settings.note("there is no reference in the template")
    try write(text.span)
  }

  private func write(_ bytes: Span<UInt8>) throws {
    guard let output else { return try Output.write(bytes) }
    let file = try PrivateOutput(at: output, replacing: force)
    try file.write(bytes)
    try file.finish()
  }

  private func fill(
    _ template: SecretTemplate, _ text: borrowing SecretBytes, _ settings: Settings
  ) throws -> SecretBytes {
    var filled: SecretBytes?
    try settings.read { (store) in filled = try template.filled(text.span, from: store, by: settings.context) }
    guard let filled else { throw CommandFailure(.failure, "the template was not filled") }
    return filled
  }

  private func contents(_ settings: Settings) throws -> SecretBytes {
    var descriptor = STDIN_FILENO
    if let input {
      descriptor = unsafe open(input, O_RDONLY | O_CLOEXEC | O_NOCTTY)
      guard descriptor >= 0 else { throw CommandFailure(.io, "\(input) can't be opened: \(systemMessage(errno))") }
    } else if isatty(STDIN_FILENO) == 1 {
      settings.note("reading the template from the terminal, end with ctrl-D")
    }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    do throws(ReadFailure) {
      return try SecretBytes.reading(descriptor, limit: Self.limit)
    } catch {
      switch error {
      case .tooLong: throw CommandFailure(.usage, "the template is longer than \(Self.limit) bytes")
      case .system(let number): throw CommandFailure(.io, "the template can't be read: \(systemMessage(number))")
      case .memory(let sentence): throw CommandFailure(.failure, sentence)
      }
    }
  }
}

extension Settings {
  /// - Throws: ``ExitCode/usage`` when standard input is the key already.
  func checkInputIsFree(for what: String) throws(CommandFailure) {
    guard source?.place == .standardInput else { return }
    throw CommandFailure(
      .usage, "standard input can't be both the key and the \(what)",
      remedy: "give the key with file:, env:, fd: or cmd:")
  }
}
