import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Checks the history of events.
struct AuditVerify: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", _superCommandName: "tokenvault audit",
    abstract: "Open every event in its place; exit 65 when damaged, 76 when the history is not the expected one.",
    discussion: """
      Keep the head that it shows, where those who can write to the vault can't: given to --expect later, it is in the vault's \
      history, or something was taken back. A pin says more and is as good: its file may be named instead.
      """)

  @Option(
    help: ArgumentHelp("A head that was shown before, or the file of a pin.", valueName: "head"))
  var expect: String?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let expected = try expect.map { (text) in try Self.expected(text) }
    let check: VaultCheck
    switch expected {
    case .head(let head)?: check = try VaultCheck(settings.vault, settings.credential(), head: head, settings.progress)
    case .pin(let pin)?: check = try VaultCheck(settings.vault, settings.credential(), pin: pin, settings.progress)
    case nil: check = try VaultCheck(settings.vault, settings.credential(), pin: nil, settings.progress)
    }
    if let events = check.report.events, !check.report.isDamaged {
      try Output.write(
        settings.json ? Self.json(events, check.report) + "\n" : Self.table(events, check.report))
    }
    if let failure = check.failure { throw failure }
  }

  private enum Expected {
    case head(Head)
    case pin(Pin)
  }

  /// A text that looks like a head is never taken for a path.
  private static func expected(_ text: String) throws(CommandFailure) -> Expected {
    if let head = Head(text) { return .head(head) }
    if let pin = Pin(text: text) { return .pin(pin) }
    guard FileFacts.exists(text) else {
      throw CommandFailure(
        .usage, "--expect takes a head, or the file of a pin, and this is neither",
        remedy: "give what 'tokenvault audit verify' has shown as head: numbers and 64 digits with colons between them")
    }
    return .pin(try PinFile.read(text))
  }

  private static func table(_ events: EventTally, _ report: VerifyReport) -> String {
    var table = Table()
    table.add(["events", "\(events.count)"])
    if let oldest = events.oldest { table.add(["oldest", Timestamp.seconds(oldest)]) }
    if let newest = events.newest { table.add(["newest", Timestamp.seconds(newest)]) }
    if let head = report.newestHead { table.add(["head", head.description]) }
    if let isKept = report.isRollbackExcluded {
      let isRolledBack = report.findings.contains { $0.code == .rollback }
      table.add(["expected", isKept ? "in the history" : isRolledBack ? "not in the history" : "can't be told"])
    }
    return table.text
  }

  private static func json(_ events: EventTally, _ report: VerifyReport) -> String {
    JSONValue.object([
      ("events", .integer(Int64(events.count))),
      ("oldest", events.oldest.map { .string(Timestamp.full($0)) } ?? .null),
      ("newest", events.newest.map { .string(Timestamp.full($0)) } ?? .null),
      ("head", JSONValue(report.newestHead?.description)),
      ("expected", report.isRollbackExcluded.map { .bool($0) } ?? .null),
    ]).text
  }
}
