import ArgumentParser
import JSONText
import TokenVault

/// Shows what is known of a token.
struct Show: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", _superCommandName: "tokenvault",
    abstract: "Show what is known of a token and its account, its secrets concealed.")

  @OptionGroup var entry: EntryOptions
  @Flag(help: "Show the secrets too.")
  var reveal = false
  @OptionGroup var globals: GlobalOptions

  /// Members that tell nothing that would have to be kept secret.
  private static let open: Set<String> = ["token_type", "scope", "expires_in", "expires_at"]

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    guard let known = try settings.read({ (store) in try known(of: id, in: store, settings) }) else {
      throw CommandFailure.noSuchName
    }
    try Output.write(settings.json ? json(known) + "\n" : table(known))
  }

  /// All that is shown, of one and the same write.
  private typealias Known = (account: Account, stored: StoredToken, refresh: RefreshState)

  private func known(of id: TokenID, in store: TokenStore, _ settings: Settings) throws -> Known? {
    while true {
      let token = try reveal ? store.token(for: id, by: settings.context) : store.tokenUnread(for: id)
      guard let stored = token, let account = try store.account(of: id) else { return nil }
      let refresh = try store.refreshState(of: id)
      if account.seq == stored.seq { return (account, stored, refresh) }
    }
  }

  private func table(_ known: Known) -> String {
    let (account, stored, refresh) = known
    var table = Table()
    table.add(["user_id", TerminalText.safe(stored.id.user)])
    if !stored.id.provider.isEmpty { table.add(["provider", TerminalText.safe(stored.id.provider)]) }
    table.add(["seq", "\(stored.seq)"])
    table.add(["updated", Timestamp.seconds(stored.updated)])
    if let expiry = stored.expiry { table.add(["forgotten", Self.time(expiry / 1_000_000)]) }
    if let expiresAt = stored.expiresAt { table.add(["expires", Self.time(expiresAt)]) }
    for row in account.accountRows { table.add(row) }
    if let row = refresh.row { table.add(row) }
    for name in stored.token.memberNames {
      let value = stored.token.member(name) ?? ""
      let isShown = reveal || Self.open.contains(name)
      table.add([
        "  " + TerminalText.safe(name),
        isShown
          ? TerminalText.safe(value) : "(concealed, \(counted(value.utf8.count, "byte", "bytes")))",
      ])
    }
    return table.text
  }

  private static func time(_ seconds: Int64) -> String {
    Timestamp.ofSeconds(seconds) + " (" + Timestamp.distance(to: seconds, from: Timestamp.now) + ")"
  }

  private func json(_ known: Known) -> String {
    let (account, stored, refresh) = known
    var members = stored.id.members
    members.append(("seq", .unsigned(stored.seq)))
    members.append(("updated", .string(Timestamp.full(stored.updated))))
    if let expiry = stored.expiry { members.append(("forgotten_at", .string(Timestamp.full(expiry)))) }
    if let expiresAt = stored.expiresAt { members.append(("expires_at", .integer(expiresAt))) }
    members += account.accountMembers
    members += refresh.members
    let token = stored.token
    if reveal {
      members.append(("token", .verbatim(token.json)))
    } else {
      members.append(("members", .object(token.memberNames.map { ($0, Self.concealed($0, in: token)) })))
    }
    return JSONValue.object(members).text
  }

  private static func concealed(_ name: String, in token: OAuthToken) -> JSONValue {
    if open.contains(name), let value = token.value(of: name) { return value }
    let text = token.member(name) ?? ""
    return .object([("concealed", .bool(true)), ("bytes", .integer(Int64(text.utf8.count)))])
  }
}
