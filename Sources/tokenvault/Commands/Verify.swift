import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Checks a vault.
struct Verify: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", _superCommandName: "tokenvault",
    abstract: "Check the vault, without changing it; exit 65 when damaged, 76 when rolled back, 6 for its index.",
    discussion: """
      With a key or passphrase every frame is opened. Without, only what can be seen from outside is checked: lengths, \
      checksums, links, and how the file ends.

      A damaged index is told only with a key: nothing is lost with it, and every token is served.

      An older copy of the vault is whole, and so is one that was cut at an older write. Only a pin shows these: see \
      'tokenvault help pin'.
      """)

  @Option(help: ArgumentHelp("Hold the vault against the pin in this file. [$TOKENVAULT_PIN]", valueName: "file"))
  var pin: String?
  @Flag(help: "Fail when no pin is named, for jobs that must not check without one. [$TOKENVAULT_REQUIRE_PIN]")
  var requirePin = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let path = PinPlace.path(pin)
    if path == nil, try requirePin || Variable.flag("TOKENVAULT_REQUIRE_PIN") {
      throw CommandFailure(
        .config, "a pin is required, and none was named", remedy: "name it with --pin or $TOKENVAULT_PIN")
    }
    let pin = try path.map { (path) throws(CommandFailure) in try PinFile.read(path) }
    let check = try check(settings, pin)
    try Output.write(settings.json ? Self.json(check, settings) + "\n" : Self.table(check, settings))
    if let failure = check.failure { throw failure }
  }

  /// Without a source nobody is asked: to check the structure needs no key.
  private func check(_ settings: Settings, _ pin: Pin?) throws -> VaultCheck {
    guard settings.source != nil else { return try VaultCheck(settings.vault, nil, pin: pin, settings.progress) }
    return try VaultCheck(settings.vault, settings.credential(), pin: pin, settings.progress)
  }

  private static func table(_ check: VaultCheck, _ settings: Settings) -> String {
    let report = check.report
    var table = Table()
    table.add(["vault", TerminalText.safe(settings.vault)])
    table.add(["checked", report.usedKey ? "everything" : "structure only: " + Self.whyNotAll(settings)])
    let batches = counted(report.batches, "batch", "batches")
    table.add(["frames", "\(report.frames) in \(batches), \(report.records) of them records"])
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
    if let isKept = report.isRollbackExcluded {
      table.add(["pin", isKept ? "kept to" : isRolledBack(report) ? "not kept to" : "can't be told"])
    }
    table.add(["time", "\(milliseconds(report)) ms, \(Int(report.framesPerSecond)) frames/s"])
    table.add(["result", result(report)])
    if !report.isDamaged, report.findings.contains(where: { $0.code == .indexDamaged }) {
      table.add(["to do", VaultCheck.indexRemedy])
    }
    return table.text + findings(report)
  }

  private static func result(_ report: VerifyReport) -> String {
    if report.isDamaged { return "damaged" }
    if isRolledBack(report) { return "whole, but not what was pinned" }
    return report.findings.contains { $0.code == .indexDamaged } ? "whole, but for its index" : "whole"
  }

  private static func isRolledBack(_ report: VerifyReport) -> Bool { report.findings.contains { $0.code == .rollback } }

  private static func milliseconds(_ report: VerifyReport) -> Int64 { Int64(report.duration / .milliseconds(1)) }

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

  private static func json(_ check: VaultCheck, _ settings: Settings) -> String {
    let report = check.report
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
      ("sequence", .unsigned(report.sequence)), ("head", .string(report.head)),
      ("pin_kept", report.isRollbackExcluded.map { .bool($0) } ?? .null),
      ("milliseconds", .integer(milliseconds(report))), ("frames_per_second", .integer(Int64(report.framesPerSecond))),
      ("findings", .array(findings)),
    ]).text
  }
}
