import ArgumentParser
import JSONText
import TokenVault
import VaultCrypto
import VaultEngine
import VaultFormat

/// Seals legacy records anew.
struct Upgrade: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade", _superCommandName: "tokenvault",
    abstract: "Seal tokens anew that another program had sealed, given that program's key.",
    discussion: """
      Records that were taken over as they were open only with the key of the program that sealed them. Here each becomes an \
      ordinary token. What does not open, or holds no token, stays as it is and is listed, with exit 6. The sealed forms stay \
      in the file as history until 'compact' drops them. It can be interrupted, and run again.
      """)

  @Option(help: ArgumentHelp("Where the other program's key or secret is read from.", valueName: "src"))
  var legacyKey: String
  @Option(
    help: ArgumentHelp(
      "Only records of this profile; others stay as they are, and are listed: \(Self.profiles).", valueName: "name"))
  var profile: String?
  @Flag(help: "Say what would be done, and change nothing.")
  var dryRun = false
  @OptionGroup var globals: GlobalOptions

  private static let profiles = LegacyProfile.names.joined(separator: ", ")

  func validate() throws {
    guard let profile, !LegacyProfile.names.contains(profile) else { return }
    throw ValidationError("--profile is one of \(Self.profiles)")
  }

  func run(_ settings: Settings) throws {
    let report = try settings.use(readOnly: dryRun) { (vault) in
      let secret = try ForeignKey.legacy(from: legacyKey, settings)
      var progress = ProgressLine(settings.progress, unit: "records")
      defer { progress.end() }
      return try TokenStore(vault).upgrade(with: secret, profile: profile, dryRun: dryRun) {
        progress.show("upgrade", done: $0)
      }
    }
    try Output.write(settings.json ? json(report) + "\n" : table(report))
    guard !report.kept.isEmpty else { return }
    throw CommandFailure(
      .finding, "\(report.kept.count) legacy records could not be upgraded; they stay as they are",
      remedy: "give the key and profile of those")
  }

  private func table(_ report: UpgradeReport) -> String {
    let done = dryRun ? "would be upgraded" : "upgraded"
    var text = "\(report.upgraded) \(done), \(report.kept.count) kept as they are\n"
    guard !report.kept.isEmpty else { return text }
    var table = Table(["USER", "PROVIDER", "SEQ", "WHY", "WHAT"])
    for kept in report.kept {
      table.add([
        kept.id.map { TerminalText.safe($0.user) } ?? "-", kept.id.map { TerminalText.safe($0.provider) } ?? "-",
        "\(kept.seq)", kept.code, kept.sentence,
      ])
    }
    text += table.text
    return text
  }

  private func json(_ report: UpgradeReport) -> String {
    let kept = report.kept.map { (kept) in
      JSONValue.object(
        (kept.id?.members ?? []) + [
          ("seq", .unsigned(kept.seq)), ("code", .string(kept.code)), ("message", .string(kept.sentence)),
        ])
    }
    return JSONValue.object([
      ("upgraded", .integer(Int64(report.upgraded))), ("dry_run", .bool(dryRun)), ("kept", .array(kept)),
    ]).text
  }
}
