import ArgumentParser
import JSONText
import TokenVault

/// Lists the tokens.
struct List: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", _superCommandName: "tokenvault",
    abstract: "List the tokens: names, sequences and times, no secrets.")

  @Option(help: ArgumentHelp("Only user ids that begin so.", valueName: "text"))
  var prefix: String = ""
  @Option(help: ArgumentHelp("Only this provider's.", valueName: "name"))
  var provider: String?
  @Option(help: ArgumentHelp("Only tokens that expire within this time, or have.", valueName: "dur"))
  var expiringWithin: TimeSpan?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let all = try settings.read { (store) in
      try store.list(prefix: Array(prefix.utf8), provider: provider.map { Array($0.utf8) })
    }
    let now = Timestamp.now
    let chosen = all.filter { (summary) in
      guard let expiringWithin else { return true }
      guard let expiresAt = summary.expiresAt else { return false }
      return expiresAt <= now + expiringWithin.seconds
    }
    try Output.write(settings.json ? Self.lines(chosen) : Self.table(chosen, now: now))
  }

  private static func lines(_ summaries: [TokenSummary]) -> String {
    var text = ""
    for summary in summaries {
      var members = summary.id.members
      members.append(("seq", .unsigned(summary.seq)))
      members.append(("updated", .string(Timestamp.full(summary.updated))))
      members.append(("expires_at", summary.expiresAt.map { .integer($0) } ?? .null))
      if let expiry = summary.expiry { members.append(("forgotten_at", .string(Timestamp.full(expiry)))) }
      members.append(("bytes", .integer(Int64(summary.bytes))))
      text += JSONValue.object(members).text + "\n"
    }
    return text
  }

  private static func table(_ summaries: [TokenSummary], now: Int64) -> String {
    guard !summaries.isEmpty else { return "" }
    var table = Table(["USER", "PROVIDER", "SEQ", "UPDATED", "EXPIRES"])
    for summary in summaries {
      let expiry = summary.expiresAt.map { Timestamp.distance(to: $0, from: now) }
      table.add([
        TerminalText.safe(summary.id.user),
        summary.id.provider.isEmpty ? "-" : TerminalText.safe(summary.id.provider),
        "\(summary.seq)", Timestamp.seconds(summary.updated), expiry ?? "-",
      ])
    }
    return table.text
  }
}
