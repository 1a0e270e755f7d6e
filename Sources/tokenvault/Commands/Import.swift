import ArgumentParser
import Glibc
import JSONText
import TokenVault
import VaultCrypto
import VaultEngine

/// Takes tokens over from elsewhere.
struct Import: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", _superCommandName: "tokenvault",
    abstract: "Take tokens over from elsewhere: rows of other programs' tables, or lines of tokens.",
    discussion: """
      Reads lines of JSON, from standard input unless a file is named.

      sqlite-tokens     user_id, encrypted_data, iv, created_at, updated_at: AES-256-CBC
      reddit-accounts   user_id, refresh_token_encrypted, reddit_id, scopes, ...: AES-256-GCM; they become accounts
      jsonl             tokens in the clear, as 'put --jsonl' takes them
      sealed            what 'export --to sealed' wrote

      Binary columns are in hexadecimal (also X'..' and \\x..) or base64. Times are kept.

        sqlite3 tokens.db "select json_object('user_id', user_id, 'encrypted_data', hex(encrypted_data), 'iv', hex(iv),
          'created_at', created_at, 'updated_at', updated_at) from tokens" |
          tokenvault import --from sqlite-tokens --legacy-key env:ENCRYPTION_KEY --rejects rejects.jsonl

        psql -At -c 'select row_to_json(a) from reddit_accounts a' |
          tokenvault import --from reddit-accounts --legacy-key env:REDDIT_ENCRYPTION_KEY --rejects rejects.jsonl

      Without --profile the first ten rows tell how they were sealed. What can't be imported is rejected, with exit 6, and all \
      else is imported. Users that have an entry already are left alone: an import that was interrupted is simply run again.
      """)

  @Option(help: ArgumentHelp("What the lines are: \(Self.list(ImportSource.self)).", valueName: "kind"))
  var from: String
  @Argument(help: "File with the lines; standard input unless told.")
  var file: String?
  @Option(help: ArgumentHelp("Where the other program's key or secret is read from.", valueName: "src"))
  var legacyKey: String?
  @Option(help: ArgumentHelp("Where the key is read from that the lines were exported under.", valueName: "src"))
  var exportKey: String?
  @Option(
    help: ArgumentHelp(
      "How the rows were sealed: auto, or a profile and its parameters, such as gcm-scrypt,n=16384,secret=hex.",
      valueName: "name"))
  var profile: String = "auto"
  @Option(help: ArgumentHelp("Provider of rows that name none. [reddit-accounts: reddit]", valueName: "name"))
  var provider: String?
  @Option(
    help: ArgumentHelp("Where a user has an entry already: \(Self.list(ImportConflict.self)).", valueName: "what"))
  var onConflict: String = "skip"
  @Option(help: ArgumentHelp("Write rejected rows to this file, as lines of JSON.", valueName: "file"))
  var rejects: String?
  @Flag(help: "Put the file of rejected rows in the place of one that is there.")
  var force = false
  @Flag(help: "Take rows of sqlite-tokens over as they are; 'upgrade' opens them later.")
  var keepSealed = false
  @Flag(help: "Say what would be done, and change nothing.")
  var dryRun = false
  @OptionGroup var globals: GlobalOptions

  private static func list<Value: CaseIterable & RawRepresentable<String>>(_ type: Value.Type) -> String {
    Value.allCases.map(\.rawValue).joined(separator: ", ")
  }

  func validate() throws {
    guard let source = ImportSource(rawValue: from) else {
      throw ValidationError("--from is one of \(Self.list(ImportSource.self))")
    }
    guard ImportConflict(rawValue: onConflict) != nil else {
      throw ValidationError("--on-conflict is one of \(Self.list(ImportConflict.self))")
    }
    if legacyKey != nil, exportKey != nil { throw ValidationError("--legacy-key and --export-key exclude each other") }
    if source == .jsonl, legacyKey != nil || exportKey != nil { throw ValidationError("--from jsonl takes no key") }
    if source.isLegacy, exportKey != nil { throw ValidationError("--export-key goes with --from sealed") }
    if source == .sealed, exportKey == nil, legacyKey == nil {
      throw ValidationError("--from sealed needs --export-key")
    }
    if force, rejects == nil { throw ValidationError("--force goes with --rejects") }
    if !source.isLegacy, profile != "auto" { throw ValidationError("--profile goes with rows of other programs") }
  }

  func run(_ settings: Settings) throws {
    guard let source = ImportSource(rawValue: from), let conflict = ImportConflict(rawValue: onConflict) else { return }
    var options = ImportOptions()
    (options.provider, options.onConflict, options.dryRun) = (provider, conflict, dryRun)
    options.keepSealed = keepSealed
    if profile != "auto" { options.form = try LegacyForm(parsing: profile) }
    try checkStandardInput(settings)
    let input = try InputFile(file)
    let rejects = try RejectList(self.rejects, replacing: force, settings)
    var progress = ProgressLine(settings.progress, unit: "rows")
    var last: ImportReport?
    let report: ImportReport
    do {
      report = try settings.use(readOnly: dryRun) { (vault) in
        let key = try key(of: source, settings)
        return try TokenStore(vault).importRows(
          source, from: .descriptor(input.descriptor), opening: key, options: options, by: settings.context
        ) { (row) throws(VaultError) in
          try rejects.add(row)
        } progress: { (report) in
          last = report
          progress.show(
            "import", done: report.rows,
            part: report.bytesTotal.map { Double(report.bytesDone) / Double(max($0, 1)) })
        }
      }
    } catch {
      progress.end()
      try? rejects.finish()
      throw Self.telling(last, rejects.failure ?? error)
    }
    progress.end()
    try rejects.finish()
    try tell(report, rejects, settings)
  }

  private func checkStandardInput(_ settings: Settings) throws {
    guard file == nil || file == "-" else { return }
    let sources = [legacyKey, exportKey].compactMap { $0 }
    let places = try sources.map { try KeySource(parsing: $0) } + [settings.source?.place].compactMap { $0 }
    guard !places.contains(.standardInput) else {
      throw CommandFailure(
        .usage, "standard input can't be both the rows and a key",
        remedy: "name the file, or give the key in another way")
    }
    if isatty(STDIN_FILENO) == 1 { settings.note("reading lines of JSON from the terminal, end with ctrl-D") }
  }

  private func key(of source: ImportSource, _ settings: Settings) throws -> ImportKey {
    if source == .sealed, let place = exportKey ?? legacyKey {
      return .export(try ForeignKey.export(from: place, settings))
    }
    guard let legacyKey else { return .none }
    return .legacy(try ForeignKey.legacy(from: legacyKey, settings))
  }

  private func tell(_ report: ImportReport, _ rejects: RejectList, _ settings: Settings) throws {
    if settings.json {
      try Output.line(json(report))
    } else {
      if let form = report.form, !keepSealed {
        settings.note("profile: \(form) (opens \(report.tried.opened) of the first \(report.tried.of) rows)")
      }
      settings.note((dryRun ? "would import: " : "imported: ") + Self.counts(report))
    }
    guard report.rejected > 0 else { return }
    throw CommandFailure(
      .finding,
      "\(counted(report.rejected, "row was", "rows were")) rejected; all others were taken",
      remedy: self.rejects.map { "they are in \($0), each with its reason" }
        ?? "with --rejects FILE they are kept, each with its reason")
  }

  private static func counts(_ report: ImportReport) -> String {
    "\(report.stored) stored, \(report.replaced) replaced, \(report.skipped) skipped as they are there already, "
      + "\(report.rejected) rejected, of \(counted(report.rows, "row", "rows"))"
  }

  private func json(_ report: ImportReport) -> String {
    JSONValue.object([
      ("from", .string(from)), ("rows", .integer(Int64(report.rows))), ("stored", .integer(Int64(report.stored))),
      ("replaced", .integer(Int64(report.replaced))), ("skipped", .integer(Int64(report.skipped))),
      ("rejected", .integer(Int64(report.rejected))), ("profile", JSONValue(report.form.map { "\($0)" })),
      ("dry_run", .bool(dryRun)),
    ]).text
  }

  /// The failure that ended it, and what is stored all the same.
  private static func telling(_ report: ImportReport?, _ error: any Error) -> any Error {
    var failure: CommandFailure
    switch error {
    case let error as CommandFailure: failure = error
    case let error as VaultError: failure = CommandFailure(error)
    default: return error
    }
    let stored = report.map { $0.stored + $0.replaced } ?? 0
    guard stored > 0 else { return failure }
    failure.sentence += "; \(stored) before that stored, and running it again does no harm"
    return failure
  }
}

/// The rows of an import.
final class InputFile {
  let descriptor: Int32

  /// - Parameter path: `nil` or `-` for standard input.
  init(_ path: String?) throws(CommandFailure) {
    guard let path, path != "-" else {
      descriptor = STDIN_FILENO
      return
    }
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw CommandFailure(
        errno == ENOENT ? .usage : .io, "the file of rows can't be opened: \(systemMessage(errno))")
    }
  }

  deinit { if descriptor > 2 { close(descriptor) } }
}

/// Rows that were rejected: in a file, or the first of them on standard error, without what is in them.
final class RejectList {
  private let file: PrivateOutput?
  private let replacing: Bool
  private let settings: Settings
  private var count = 0
  /// Why the file could not be written.
  private(set) var failure: CommandFailure?

  init(_ path: String?, replacing: Bool, _ settings: Settings) throws(CommandFailure) {
    file = try path.map { (path) throws(CommandFailure) in try PrivateOutput(at: path, replacing: replacing) }
    self.settings = settings
    self.replacing = replacing
  }

  func add(_ row: RejectedRow) throws(VaultError) {
    count += 1
    guard let file else {
      if count <= 20 { settings.note("line \(row.line): \(row.code): \(row.sentence)") }
      return
    }
    do throws(CommandFailure) {
      try file.write((row.json + [UInt8(ascii: "\n")]).span)
    } catch {
      failure = error
      throw VaultError(.io, "the file of rejected rows can't be written")
    }
  }

  /// Gives the file its name, or says how many rows were not listed. Without any there is no file, unless it takes the place of
  /// another: then it is empty.
  func finish() throws(CommandFailure) {
    if file == nil, count > 20 { settings.note("and \(count - 20) more rows rejected") }
    if count > 0 || replacing { try file?.finish() }
  }
}
