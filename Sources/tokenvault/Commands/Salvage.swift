import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Takes out of a damaged vault what opens.
struct Salvage: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "salvage", _superCommandName: "tokenvault",
    abstract: "Take everything that opens out of a damaged vault into a new one.",
    discussion: """
      FROM is not changed. TO is another vault, with new keys and an id of its own; it opens with the key or passphrase given. \
      Bytes that don't open are kept in a file beside it. Tokens are listed of which a gap in the file may have held a newer \
      one, or the deletion: do not use such a token before you know better. That writes at the very end are missing shows \
      only if something of them is left; a pin tells. Exit 6 when something did not open. Look for a backup first.
      """)

  @Argument(help: "The damaged vault.")
  var from: String
  @Argument(help: "The vault to make.")
  var to: String
  @Option(help: ArgumentHelp("Where the bytes go that don't open. [default: TO.unopened]", valueName: "file"))
  var rest: String?
  @Flag(help: "Only look, and say what would be saved.")
  var dryRun = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    guard let source = settings.source else {
      throw CommandFailure(VaultError(.noKey, "salvage needs the vault's key", remedy: Settings.sources))
    }
    let rest = rest ?? to + ".unopened"
    let credential = try source.place.credential(source.kind) { () throws(VaultError) in
      try Prompt(settings: settings).secret(source.kind == .key ? "Key: " : "Passphrase: ")
    }
    let report = try salvage(settings, credential, rest: rest)
    let tokens = dryRun ? [] : try tokens(credential)
    try Output.write(
      settings.json
        ? Self.json(report, tokens) + "\n" : Self.table(report, tokens, rest: dryRun ? nil : rest))
    guard !report.gaps.isEmpty else { return }
    throw CommandFailure(
      .finding,
      "\(counted(report.gaps.count, "gap", "gaps")): \(counted(report.lostBytes, "byte", "bytes")) did not open",
      remedy: tokens.contains(where: report.mayBeStale) ? "see which tokens are perhaps out of date" : nil)
  }

  private func salvage(
    _ settings: Settings, _ credential: borrowing Credential, rest: String
  ) throws -> SalvageReport {
    var progress = ProgressLine(settings.progress, unit: "records")
    defer { progress.end() }
    return try Vault.salvage(
      at: from, credential: credential, to: dryRun ? nil : SalvageTargets(vault: to, rest: rest)
    ) {
      progress.show("salvage", done: $0.records, part: Double($0.done) / Double(max($0.total, 1)))
    }
  }

  private func tokens(_ credential: borrowing Credential) throws -> [TokenSummary] {
    var options = VaultOptions()
    options.readOnly = true
    return try TokenStore(Vault.open(at: to, credential: credential, options: options)).list()
  }

  private static func table(_ report: SalvageReport, _ tokens: [TokenSummary], rest: String?) -> String {
    var table = Table()
    table.add(["records", "\(report.records) saved"])
    table.add(["header", report.isHeaderLost ? "lost; a copy in the file stood for it" : "whole"])
    table.add(["gaps", "\(report.gaps.count), \(report.lostBytes) bytes"])
    if report.lostBytes > 0, let rest { table.add(["kept in", TerminalText.safe(rest)]) }
    let stale = tokens.filter(report.mayBeStale)
    // Who only looks has made no vault to ask.
    if rest != nil { table.add(["tokens", "\(tokens.count), \(stale.count) of them perhaps out of date"]) }
    return table.text + gapTable(report) + tokenTable(stale)
  }

  private static func gapTable(_ report: SalvageReport) -> String {
    guard !report.gaps.isEmpty else { return "" }
    var table = Table(["GAP FROM BYTE", "TO BYTE", "FRAMES", "MAY HAVE HELD WRITES"])
    for gap in report.gaps {
      let frames = gap.sequences.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "-"
      table.add(["\(gap.bytes.lowerBound)", "\(gap.bytes.upperBound)", frames, gap.mayHoldWrites ? "yes" : "no"])
    }
    return "\n" + table.text
  }

  private static func tokenTable(_ stale: [TokenSummary]) -> String {
    guard !stale.isEmpty else { return "" }
    var table = Table(["PERHAPS OUT OF DATE", "PROVIDER", "SEQ", "UPDATED"])
    for token in stale {
      table.add([
        TerminalText.safe(token.id.user), TerminalText.safe(token.id.provider), "\(token.seq)",
        Timestamp.seconds(token.updated),
      ])
    }
    return "\n" + table.text
  }

  private static func json(_ report: SalvageReport, _ tokens: [TokenSummary]) -> String {
    let gaps = report.gaps.map { (gap) in
      JSONValue.object([
        ("from", .unsigned(gap.bytes.lowerBound)), ("to", .unsigned(gap.bytes.upperBound)),
        ("first_sequence", gap.sequences.map { .unsigned($0.lowerBound) } ?? .null),
        ("last_sequence", gap.sequences.map { .unsigned($0.upperBound) } ?? .null),
        ("may_hold_writes", .bool(gap.mayHoldWrites)),
      ])
    }
    let values = tokens.map { (token) in
      JSONValue.object(
        token.id.members + [
          ("seq", .unsigned(token.seq)), ("perhaps_stale", .bool(report.mayBeStale(token))),
        ])
    }
    return JSONValue.object([
      ("records", .integer(Int64(report.records))), ("names", .integer(Int64(report.names))),
      ("header_lost", .bool(report.isHeaderLost)), ("lost_bytes", .unsigned(report.lostBytes)),
      ("stale_through", .unsigned(report.staleThrough)), ("gaps", .array(gaps)), ("tokens", .array(values)),
    ]).text
  }
}

extension SalvageReport {
  /// Whether a gap may have held a newer token, or its deletion.
  fileprivate func mayBeStale(_ token: TokenSummary) -> Bool { token.seq <= staleThrough }
}
