import ArgumentParser
import Glibc
import JSONText
import TokenVault
import VaultCrypto
import VaultEngine

/// Gives tokens out.
struct Export: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", _superCommandName: "tokenvault",
    abstract: "Give tokens out: in the clear, sealed under another key, or as items for DynamoDB.",
    discussion: """
      One object a line, on standard output or in a file that only you can read. An event of it, with --actor and --reason, is in \
      the vault before the first line is written.

      jsonl      tokens in the clear, as 'put --jsonl' and 'import --from jsonl' read them; needs --reveal
      sealed     whole entries, accounts too, under --export-key; 'import --from sealed' reads them
      dynamodb   items for a table with the key user_id, sealed under --export-key

        tokenvault keygen > export.key
        tokenvault export --to sealed --export-key file:export.key --out tokens.sealed
        tokenvault export --to jsonl --reveal --provider reddit --reason 'move to the new host' | ssh ...

      Revoked accounts are in the form sealed alone. What another program sealed is left out and listed, with exit 6: 'upgrade' \
      comes first.
      """)

  @Option(help: ArgumentHelp("What is written: \(Self.forms).", valueName: "form"))
  var to: String
  @Flag(help: "Yes, write tokens in the clear.")
  var reveal = false
  @Option(help: ArgumentHelp("Where the key is read from that the lines are sealed under.", valueName: "src"))
  var exportKey: String?
  @Option(help: ArgumentHelp("Write to this file, which appears when it is whole.", valueName: "file"))
  var out: String?
  @Flag(help: "Put the file in the place of one that is there.")
  var force = false
  @Option(help: ArgumentHelp("Only user ids that begin so.", valueName: "text"))
  var prefix: String = ""
  @Option(help: ArgumentHelp("Only this provider's.", valueName: "name"))
  var provider: String?
  @OptionGroup var globals: GlobalOptions

  private static let forms = ExportForm.allCases.map(\.rawValue).joined(separator: ", ")

  func validate() throws {
    guard let form = ExportForm(rawValue: to) else { throw ValidationError("--to is one of \(Self.forms)") }
    if form.isSealed, exportKey == nil { throw ValidationError("--to \(to) needs --export-key, a key of its own") }
    if !form.isSealed, exportKey != nil { throw ValidationError("--export-key goes with the forms that are sealed") }
    if !form.isSealed, !reveal {
      throw ValidationError("--to jsonl writes tokens in the clear: say so with --reveal, or use --to sealed")
    }
    if form.isSealed, reveal { throw ValidationError("--reveal goes with --to jsonl") }
    if force, out == nil { throw ValidationError("--force goes with --out") }
  }

  func run(_ settings: Settings) throws {
    guard let form = ExportForm(rawValue: to) else { return }
    if out == nil, settings.json {
      throw CommandFailure(
        .usage, "with --json the summary goes to standard output: name a file for the lines with --out")
    }
    let key = try exportKey.map { try ForeignKey.export(from: $0, settings) }
    let file = try out.map { try PrivateOutput(at: $0, replacing: force) }
    var options = ExportOptions()
    options.prefix = Array(prefix.utf8)
    options.provider = provider.map { Array($0.utf8) }
    var progress = ProgressLine(settings.progress, unit: "entries")
    let report = try settings.write { (store) in
      defer { progress.end() }
      var lines = BufferedOutput(file)
      let report = try lines.collecting { (write) throws(VaultError) in
        try store.export(as: form, under: key, options: options, by: settings.context) {
          progress.show("export", done: $0.progress.done, total: $0.progress.total)
        } write: { (line) throws(VaultError) in
          try write(line)
        }
      }
      return report
    }
    try file?.finish()
    try tell(report, settings)
  }

  private func tell(_ report: ExportReport, _ settings: Settings) throws {
    if settings.json {
      let leftOut = report.leftOut.map { (entry) in
        JSONValue.object(entry.id.members + [("code", .string(entry.code)), ("message", .string(entry.sentence))])
      }
      try Output.line(
        JSONValue.object([
          ("exported", .integer(Int64(report.exported))), ("revoked", .integer(Int64(report.revoked))),
          ("left_out", .array(leftOut)),
        ]).text)
    } else {
      var text = "exported \(counted(report.exported, "entry", "entries"))"
      if report.revoked > 0 { text += "; \(report.revoked) revoked left out" }
      settings.note(text)
    }
    guard !report.leftOut.isEmpty else { return }
    for entry in report.leftOut.prefix(20) where !settings.json {
      let provider = entry.id.provider.isEmpty ? "" : " (\(TerminalText.safe(entry.id.provider)))"
      settings.note("left out: \(TerminalText.safe(entry.id.user))\(provider): \(entry.code), \(entry.sentence)")
    }
    throw CommandFailure(
      .finding, "\(report.leftOut.count) could not be exported; all others were",
      remedy: "what another program sealed is opened by 'tokenvault upgrade'")
  }
}

/// Lines on their way to a file or standard output, many at a time.
struct BufferedOutput {
  private let file: PrivateOutput?
  private var buffer: [UInt8] = []

  init(_ file: PrivateOutput?) { self.file = file }

  /// Gives `body` something to write with, and sees to it that all of it is written.
  mutating func collecting<Result>(
    _ body: ((Span<UInt8>) throws(VaultError) -> Void) throws(VaultError) -> Result
  ) throws -> Result {
    var failure: CommandFailure?
    let result: Result
    do {
      result = try body { (line) throws(VaultError) in
        do throws(CommandFailure) {
          try write(line)
        } catch {
          failure = error
          throw VaultError(.io, "the output can't be written")
        }
      }
    } catch {
      throw failure ?? error as any Error
    }
    if file == nil { try flush() }
    return result
  }

  private mutating func write(_ line: Span<UInt8>) throws(CommandFailure) {
    if let file { return try file.write(line) }
    for index in line.indices { buffer.append(line[index]) }
    if buffer.count >= 1 << 16 { try flush() }
  }

  private mutating func flush() throws(CommandFailure) {
    try Output.write(buffer.span)
    for index in buffer.indices { buffer[index] = 0 }
    buffer.removeAll(keepingCapacity: true)
  }
}

/// Keys that are not a vault's, from where they are kept.
enum ForeignKey {
  /// The secret of another program.
  static func legacy(from source: String, _ settings: Settings) throws -> LegacySecret {
    var text = try read(source, settings, "Legacy key: ")
    if text.count != Credential.keyLength { text.removeLineEnd() }
    return try LegacySecret(text)
  }

  /// The key of an export.
  static func export(from source: String, _ settings: Settings) throws -> ExportKey {
    try ExportKey(read(source, settings, "Export key: "))
  }

  private static func read(_ source: String, _ settings: Settings, _ prompt: String) throws -> SecretBytes {
    let source = try KeySource(parsing: source)
    if source == .standardInput, settings.source?.place == .standardInput {
      throw CommandFailure(
        .usage, "standard input can't be both keys", remedy: "give one of them with file:, env:, fd: or cmd:")
    }
    return try source.read { () throws(VaultError) in try Prompt(settings: settings).secret(prompt) }
  }
}
