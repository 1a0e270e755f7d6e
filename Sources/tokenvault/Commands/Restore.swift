import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Brings a backup back.
struct Restore: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", _superCommandName: "tokenvault",
    abstract: "Bring the vault back to the state of a backup.",
    discussion: """
      The backup is opened frame by frame first. Where there is no vault, its bytes are put in place; where there is one, \
      damaged or not, a new generation takes its place, and processes that have it open follow. A backup that is older than \
      the pin, or than a vault that is whole, is refused with exit 76 unless --accept-rollback says that it is meant: the \
      reason is then kept in the vault. Tokens that were revoked or refreshed since the backup come back, and so do keys and \
      passphrases that were removed since. The file that is replaced is gone: copy it first, if it may be needed.
      """)

  @Argument(help: "The backup.")
  var from: String
  @Option(help: ArgumentHelp("The pin to hold the backup against. [$TOKENVAULT_PIN]", valueName: "file"))
  var pin: String?
  @Flag(help: "Go back behind the pin or the vault. Needs --reason.")
  var acceptRollback = false
  @Flag(help: "Check everything, and change nothing.")
  var dryRun = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    guard !acceptRollback || settings.context.reason != nil else {
      throw CommandFailure(.usage, "--accept-rollback needs a reason", remedy: "say why, with --reason")
    }
    guard let source = settings.source else {
      throw CommandFailure(VaultError(.noKey, "restore needs the backup's key", remedy: Settings.sources))
    }
    var options = RestoreOptions()
    options.pin = try PinPlace.path(pin).map { try PinFile.read($0) }
    options.acceptsRollback = acceptRollback
    options.lockTimeout = settings.lockTimeout
    options.isTrial = dryRun
    options.event = AuditEvent.ofVault(.restored, by: settings.context)
    let credential = try source.place.credential(source.kind) { () throws(VaultError) in
      try Prompt(settings: settings).secret(source.kind == .key ? "Key: " : "Passphrase: ")
    }
    let report = try restore(settings, credential, options)
    guard settings.json else { return settings.note(sentence(report)) }
    let members: [(String, JSONValue)] = [
      ("generation", .unsigned(report.generation)), ("names", .integer(Int64(report.names))),
      ("seq", .unsigned(report.version)), ("copied", .bool(report.isCopy)), ("rollback", .bool(report.isRollback)),
      ("dry_run", .bool(dryRun)),
    ]
    try Output.line(JSONValue.object(members).text)
  }

  private func restore(
    _ settings: Settings, _ credential: borrowing Credential, _ options: RestoreOptions
  ) throws -> RestoreReport {
    var progress = ProgressLine(settings.progress, unit: "frames")
    defer { progress.end() }
    return try Vault.restore(from: from, credential: credential, to: settings.vault, options: options) {
      progress.show("restore", done: Int(clamping: $0.done), total: Int(clamping: $0.total))
    }
  }

  private func sentence(_ report: RestoreReport) -> String {
    let form = report.isCopy ? "as it is in the backup" : "as generation \(report.generation)"
    let back = report.isRollback ? ", a step back that was accepted" : ""
    return "\(dryRun ? "would restore" : "restored") \(counted(report.names, "name", "names")) \(form)\(back)"
  }
}
