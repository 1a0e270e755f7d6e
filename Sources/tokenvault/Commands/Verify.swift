import ArgumentParser
import JSONText
import TokenVault
import VaultEngine
import VaultFormat

/// Checks a vault.
struct Verify: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", _superCommandName: "tokenvault",
    abstract: "Check the vault, without changing it; exit 65 when it is damaged.",
    discussion: """
      With a key or passphrase every frame is opened. Without, only what can be seen from outside is checked: lengths,
      checksums, links, and how the file ends.
      """)

  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let report = try report(settings)
    try Output.write(settings.json ? Self.json(report, settings) + "\n" : Self.table(report, settings))
    guard report.isDamaged else { return }
    throw Self.failure(report)
  }

  /// Without a source nobody is asked: to check the structure needs no key.
  private func report(_ settings: Settings) throws -> VerifyReport {
    guard settings.source != nil else { return try Vault.verify(at: settings.vault, credential: nil) }
    return try Vault.verify(at: settings.vault, credential: settings.credential())
  }

  private static func failure(_ report: VerifyReport) -> CommandFailure {
    let count = report.findings.count
    var failure = CommandFailure(
      .damaged, count == 1 ? "the vault is damaged: 1 finding" : "the vault is damaged: \(count) findings",
      remedy: "nothing was changed; keep the file, and restore a backup")
    if let first = report.findings.first {
      failure.kind = first.code.description
      failure.offset = first.offset
      failure.sequence = first.sequence
    }
    return failure
  }

  private static func table(_ report: VerifyReport, _ settings: Settings) -> String {
    var table = Table()
    table.add(["vault", TerminalText.safe(settings.vault)])
    table.add(["checked", report.usedKey ? "everything" : "structure only: no key or passphrase was given"])
    table.add(["frames", "\(report.frames) in \(report.batches) batches, \(report.records) of them records"])
    if let names = report.liveNames { table.add(["names", "\(names) live"]) }
    table.add(["bytes", "\(report.bytes)"])
    if report.tornBytes > 0 {
      table.add(["torn tail", "\(report.tornBytes) bytes of an interrupted write; nothing that was acknowledged"])
    }
    if report.zeroBytes > 0 { table.add(["allocated", "\(report.zeroBytes) zero bytes ahead"]) }
    table.add(["generation", "\(report.generation)"])
    table.add(["head", "\(report.head) at sequence \(report.sequence)"])
    table.add(["result", report.isDamaged ? "damaged" : "whole"])
    return table.text + findings(report)
  }

  private static func findings(_ report: VerifyReport) -> String {
    guard !report.findings.isEmpty else { return "" }
    var table = Table(["FINDING", "BYTE", "FRAME", "WHAT"])
    for finding in report.findings {
      table.add([
        finding.code.description, finding.offset.map { "\($0)" } ?? "-", finding.sequence.map { "\($0)" } ?? "-",
        TerminalText.safe(finding.sentence),
      ])
    }
    return "\n" + table.text
  }

  private static func json(_ report: VerifyReport, _ settings: Settings) -> String {
    let findings = report.findings.map { (finding) in
      JSONValue.object([
        ("code", .string(finding.code.description)), ("offset", finding.offset.map { .unsigned($0) } ?? .null),
        ("sequence", finding.sequence.map { .unsigned($0) } ?? .null), ("message", .string(finding.sentence)),
      ])
    }
    return JSONValue.object([
      ("vault", .string(settings.vault)), ("damaged", .bool(report.isDamaged)), ("used_key", .bool(report.usedKey)),
      ("frames", .unsigned(report.frames)), ("batches", .unsigned(report.batches)),
      ("records", .unsigned(report.records)), ("names", report.liveNames.map { .integer(Int64($0)) } ?? .null),
      ("bytes", .unsigned(report.bytes)), ("torn_bytes", .unsigned(report.tornBytes)),
      ("zero_bytes", .unsigned(report.zeroBytes)), ("generation", .unsigned(report.generation)),
      ("sequence", .unsigned(report.sequence)), ("head", .string(report.head)), ("findings", .array(findings)),
    ]).text
  }
}
