import JSONText
import TokenVault

// What commands say of accounts.

extension ProviderAccount {
  /// The members in JSON; the name is null where it is not known.
  var members: [(String, JSONValue)] {
    [
      ("provider_account_id", .string(String(decoding: id, as: UTF8.self))),
      ("provider_user_name", JSONValue(name.map { String(decoding: $0, as: UTF8.self) })),
    ]
  }
}

extension Timestamp {
  /// Times in microseconds as members; null where there is none.
  static func members(_ times: [(String, Int64?)]) -> [(String, JSONValue)] {
    times.map { (name, time) in (name, JSONValue(time.map { full($0) })) }
  }
}

extension Account {
  /// What makes an entry an account, in JSON; nothing of one that never was linked.
  var accountMembers: [(String, JSONValue)] {
    guard let providerAccount else { return [] }
    let times = Timestamp.members([
      ("linked_at", linked), ("last_rotated_at", lastRotated), ("last_used_at", lastUsed), ("revoked_at", revoked),
    ])
    return providerAccount.members + [
      ("scopes", .array(scopes.map { .string(String(decoding: $0, as: UTF8.self)) }))
    ] + times + [("keeps_access_token", .bool(keepsAccessToken))]
  }

  /// The same as rows of a table.
  var accountRows: [[String]] {
    guard let providerAccount else { return [] }
    var rows = [["account", TerminalText.safe(providerAccount.id)]]
    if let name = providerAccount.name { rows.append(["name", TerminalText.safe(name)]) }
    if !scopes.isEmpty { rows.append(["scopes", scopes.map { TerminalText.safe($0) }.joined(separator: " ")]) }
    for (title, time) in [
      ("linked", linked), ("rotated", lastRotated), ("used", lastUsed), ("revoked", revoked),
    ] {
      if let time { rows.append([title, Timestamp.seconds(time)]) }
    }
    rows.append(["access token", keepsAccessToken ? "kept" : "not kept, only its hash"])
    return rows
  }
}
