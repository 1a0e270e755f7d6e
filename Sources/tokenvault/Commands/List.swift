import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Lists the tokens.
struct List: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", _superCommandName: "tokenvault",
    abstract: "List tokens and accounts: names, sequences and times, no secrets.",
    discussion: """
      Entries that can't be read are told on standard error, and all others listed; then the exit code is 65 for damage, and 6 \
      for what another program sealed, or what is no token.
      """)

  @Option(help: ArgumentHelp("Only user ids that begin so.", valueName: "text"))
  var prefix: String = ""
  @Option(help: ArgumentHelp("Only this provider's.", valueName: "name"))
  var provider: String?
  @Flag(help: "Only accounts that are revoked.")
  var revoked = false
  @Option(help: ArgumentHelp("Only tokens that expire within this time, or have.", valueName: "dur"))
  var expiringWithin: TimeSpan?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let now = Timestamp.now
    let filter = TokenFilter(
      prefix: Array(prefix.utf8), provider: provider.map { Array($0.utf8) }, revokedOnly: revoked,
      expiringUntil: expiringWithin.map { now + $0.seconds })
    let listing = try settings.read { (store) in try store.list(filter) }
    if settings.json {
      try Output.write(listing.tokens) { JSONValue.object($0.members).text + "\n" }
    } else {
      try Self.writeTable(listing.tokens, now: now)
    }
    if let failure = CommandFailure(listing.unreadable) { throw failure }
  }

  private static func writeTable(_ tokens: [TokenSummary], now: Int64) throws {
    guard !tokens.isEmpty else { return }
    let hasAccounts = tokens.contains { $0.providerAccount != nil }
    let headings = ["USER", "PROVIDER", "SEQ", "UPDATED", "EXPIRES"] + (hasAccounts ? ["ACCOUNT"] : [])
    var columns = Columns()
    columns.fit(headings)
    for token in tokens { columns.fit(row(token, now: now)) }
    try Output.write(columns.line(headings))
    try Output.write(tokens) { columns.line(row($0, now: now)) }
  }

  private static func row(_ token: TokenSummary, now: Int64) -> [String] {
    let expires = token.expiresAt.map { Timestamp.distance(to: $0, from: now) }
    let account = token.providerAccount.map { TerminalText.safe($0.name ?? $0.id) }
    return [
      TerminalText.safe(token.id.user), token.id.provider.isEmpty ? "-" : TerminalText.safe(token.id.provider),
      "\(token.seq)", Timestamp.seconds(token.updated), token.revoked == nil ? expires ?? "-" : "revoked",
      account ?? "",
    ]
  }
}

extension TokenSummary {
  /// For `--json`.
  fileprivate var members: [(String, JSONValue)] {
    var members = id.members
    members.append(("seq", .unsigned(seq)))
    members.append(("updated", .string(Timestamp.full(updated))))
    members.append(("expires_at", expiresAt.map { .integer($0) } ?? .null))
    if let expiry { members.append(("forgotten_at", .string(Timestamp.full(expiry)))) }
    if let providerAccount {
      members += providerAccount.members
      members += Timestamp.members([
        ("linked_at", linked), ("last_rotated_at", lastRotated), ("last_used_at", lastUsed), ("revoked_at", revoked),
      ])
    }
    members.append(("bytes", .integer(Int64(bytes))))
    return members
  }
}

extension CommandFailure {
  /// Entries that a list lacks; `nil` when there are none.
  fileprivate init?(_ unreadable: [UnreadableEntry]) {
    guard let first = unreadable.first else { return nil }
    let shown = unreadable.prefix(20)
    var lines = shown.map { "  byte \($0.offset): \($0.error.code), \($0.error.sentence)" }
    if unreadable.count > shown.count { lines.append("  and \(unreadable.count - shown.count) more") }
    let isDamaged = unreadable.contains { $0.error.code.isDamage && $0.error.code != .indexDamaged }
    self.init(
      isDamaged ? .damaged : .finding,
      "\(counted(unreadable.count, "entry", "entries")) can't be read; all others are listed\n"
        + lines.joined(separator: "\n"),
      remedy: isDamaged ? "'tokenvault verify' tells what else is damaged" : first.error.remedy)
    if !isDamaged { kind = first.error.code.description }
  }
}
