import ArgumentParser
import JSONText
import TokenVault
import VaultEngine
import VaultFormat

/// Checks a vault.
struct Verify: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", _superCommandName: "tokenvault",
    abstract: "Check the vault, without changing it; exit 65 when it is damaged, 6 when its index is.",
    discussion: """
      With a key or passphrase every frame is opened. Without, only what can be seen from outside is checked: lengths, \
      checksums, links, and how the file ends.

      A damaged index is told only with a key: nothing is lost with it, and every token is served.
      """)

  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let report = try report(settings)
    try Output.write(settings.json ? Self.json(report, settings) + "\n" : Self.table(report, settings))
    if let failure = Self.failure(report) { throw failure }
  }

  /// Without a source nobody is asked: to check the structure needs no key.
  private func report(_ settings: Settings) throws -> VerifyReport {
    guard settings.source != nil else { return try Vault.verify(at: settings.vault, credential: nil) }
    return try Vault.verify(at: settings.vault, credential: settings.credential())
  }

  private static func failure(_ report: VerifyReport) -> CommandFailure? {
    guard let first = report.findings.first(where: { !report.isDamaged || $0.code != .indexDamaged }) else {
      return nil
    }
    let count = report.findings.count
    let found = count == 1 ? "1 finding" : "\(count) findings"
    var failure =
      report.isDamaged
      ? CommandFailure(
        .damaged, "the vault is damaged: \(found)", remedy: "nothing was changed; keep the file, and restore a backup")
      : CommandFailure(
        ExitCode(first.code), first.code == .indexDamaged ? "the index is damaged, the vault is not: \(found)" : found,
        remedy: first.code == .indexDamaged ? indexRemedy : nil)
    failure.kind = first.code.description
    failure.offset = first.offset
    failure.sequence = first.sequence
    return failure
  }

  private static func table(_ report: VerifyReport, _ settings: Settings) -> String {
    var table = Table()
    table.add(["vault", TerminalText.safe(settings.vault)])
    table.add(["checked", report.usedKey ? "everything" : "structure only: " + Self.whyNotAll(settings)])
    table.add(["frames", "\(report.frames) in \(report.batches) batches, \(report.records) of them records"])
    if let names = report.liveNames { table.add(["names", "\(names) live"]) }
    table.add(["bytes", "\(report.bytes)"])
    if report.tornBytes > 0 {
      table.add(["torn tail", "\(report.tornBytes) bytes of an interrupted write; nothing that was acknowledged"])
    }
    if report.zeroBytes > 0 { table.add(["allocated", "\(report.zeroBytes) zero bytes ahead"]) }
    if !report.head.isEmpty {
      table.add(["generation", "\(report.generation)"])
      table.add(["head", "\(report.head) at sequence \(report.sequence)"])
    }
    let isIndexDamaged = report.findings.contains { $0.code == .indexDamaged }
    table.add(["result", report.isDamaged ? "damaged" : isIndexDamaged ? "whole, but for its index" : "whole"])
    if !report.isDamaged, isIndexDamaged { table.add(["to do", indexRemedy]) }
    return table.text + findings(report)
  }

  private static let indexRemedy =
    "compact the vault, which makes the index anew; until then opening it reads the whole file"

  /// Damage is looked for before a key is tried, so that it never reads as a wrong key.
  private static func whyNotAll(_ settings: Settings) -> String {
    settings.source == nil
      ? "no key or passphrase was given" : "the key or passphrase was not tried, because of the damage"
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
