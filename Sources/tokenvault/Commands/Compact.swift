import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Makes the vault's file small again.
struct Compact: GenerationCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact", _superCommandName: "tokenvault",
    abstract: "Make the file small again: leave out what was replaced, deleted or is over.",
    discussion: """
      What stays is the newest value of every name, and all events. Others may read and write the vault meanwhile. The new \
      file is read back and compared before it takes the old one's place.

      It changes no key and revokes nothing: whoever has a copy of the old file, and a key to it, still has every token that \
      it held.
      """)
  static let done = "compacted"
  static let event = AuditEvent.Kind.compacted

  @Option(help: ArgumentHelp("Keep so many of the newest values of each name.", valueName: "n"))
  var keepHistory = 1
  @Option(help: ArgumentHelp("Drop events that are older than this: 90d, 52w. [all are kept]", valueName: "dur"))
  var auditKeep: TimeSpan?
  @Flag(help: "Say what would be dropped and freed, and change nothing.")
  var dryRun = false
  @Flag(
    help:
      "Overwrite the old file. That can't erase what an SSD, a copy-on-write file system or a backup keeps elsewhere.")
  var shred = false
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if keepHistory < 1 { throw ValidationError("--keep-history takes a number from 1 on") }
    if dryRun, shred { throw ValidationError("--dry-run and --shred exclude each other") }
  }

  func run(_ settings: Settings) throws {
    let now = Vault.currentTime()
    var retention = Retention.tokens(at: now)
    retention.versions = keepHistory
    if let auditKeep { retention.eventsSince = now - auditKeep.milliseconds * 1000 }
    let credential = try settings.credential()
    let options = options(settings, shreds: shred)
    let report = try showingProgress(settings) { (progress) in
      try dryRun
        ? Vault.tryCompaction(
          at: settings.vault, credential: credential, keeping: retention, options: options, progress: progress)
        : Vault.compact(
          at: settings.vault, credential: credential, keeping: retention, options: options, progress: progress)
    }
    try dryRun ? foretell(report, settings) : tell(report, settings, shreds: shred)
  }

  private func foretell(_ report: MaintenanceReport, _ settings: Settings) throws {
    guard !settings.json else { return try Output.line(Self.json(report, settings).text) }
    let freed = report.bytesBefore > report.bytesAfter ? report.bytesBefore - report.bytesAfter : 0
    var table = Table()
    table.add(["names", "\(report.names)"])
    table.add(["dropped", "\(report.superseded) old values and deletions, \(report.events) events"])
    table.add(["over", "\(report.over) names"])
    table.add(["bytes", "\(report.bytesBefore) now, about \(report.bytesAfter) then"])
    table.add(["freed", "about \(freed) bytes"])
    try Output.write(table.text)
  }
}
