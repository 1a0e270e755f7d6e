internal import JSONText
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// Rows of the table `reddit_accounts`.
struct AccountRows: RowForm {
  let provider: [UInt8]
  let form: LegacyForm
  let opener: LegacyOpener

  func row(_ line: Span<UInt8>) throws(LineFault) -> ImportRow {
    let members = try RowMembers(parsing: line)
    let user = try RowMembers.needed("user_id", members.key("user_id"))
    let id = try RowMembers.id(Array(user.utf8), provider: provider)
    let value = try Self.value(members)
    let digest = try Self.digest(members)
    let isRevoked = value.revoked != nil
    var row = ImportRow(id, .token(try isRevoked ? Self.parsed([]) : token(members)))
    (row.value, row.isWhole, row.changed) = (value, true, value.updated)
    // Of a revoked account no state of a token is kept; that the token is out of use is told by an event.
    if isRevoked { row.superseded = digest } else { row.value.digest = digest }
    return row
  }

  /// Who the account is, and all times.
  private static func value(_ members: RowMembers) throws(LineFault) -> EntryValue {
    var value = EntryValue()
    let account = try RowMembers.needed("reddit_id", members.key("reddit_id"))
    let name = try members.key("reddit_username")
    do {
      let account = try ProviderAccount(id: account, name: name)
      (value.providerAccount, value.providerName) = (account.id, account.name)
    } catch {
      throw LineFault(error)
    }
    let scopes = try ScopeList.scopes(members["scopes"]).map { Array($0.utf8) }
    guard NewAccount.areScopesWithinLimits(scopes) else {
      throw LineFault("bad-member", "an account has at most 256 scopes of 1024 bytes each, and 32768 in all")
    }
    value.scopes = scopes
    value.linked = try members.time("linked_at")
    value.rotated = try members.time("last_rotated_at")
    value.used = try members.time("last_used_at")
    value.revoked = try members.time("revoked_at")
    value.updated = [value.linked, value.rotated, value.revoked].compactMap { $0 }.max()
    return value
  }

  private static func digest(_ members: RowMembers) throws(LineFault) -> TokenDigest? {
    guard let text = try members.text("access_token_hash") else { return nil }
    guard let hash = TokenDigest.bytes(hexadecimal: text) else {
      throw LineFault("bad-member", "the member access_token_hash has not 64 hexadecimal digits")
    }
    return TokenDigest(sha256: hash, length: nil)
  }

  /// The token, made of what the row has of it.
  private func token(_ members: RowMembers) throws(LineFault) -> OAuthToken {
    var json: [(String, JSONValue)] = [("refresh_token", .string(try refreshToken(members)))]
    if let expiry = try Self.expiry(members) { json.append(("expires_at", .integer(expiry))) }
    let scopes = try ScopeList.scopes(members["scopes"])
    if !scopes.isEmpty { json.append(("scope", .string(scopes.joined(separator: " ")))) }
    return try Self.parsed(json)
  }

  private static func parsed(_ members: [(String, JSONValue)]) throws(LineFault) -> OAuthToken {
    do {
      return try OAuthToken(json: Array(JSONValue.object(members).text.utf8).span)
    } catch {
      throw LineFault(error)
    }
  }

  private func refreshToken(_ members: RowMembers) throws(LineFault) -> String {
    let text = try RowMembers.needed("refresh_token_encrypted", members.text("refresh_token_encrypted"))
    let plaintext: SecretBytes
    do {
      plaintext = try opener.open(form.record(text: text))
    } catch {
      throw LineFault(error)
    }
    guard let token = String(validating: plaintext.span.array, as: UTF8.self), !token.isEmpty else {
      throw LineFault("invalid-token", "the record opens, but what it holds is no text")
    }
    return token
  }

  /// In seconds since 1970; what never ends has no end.
  private static func expiry(_ members: RowMembers) throws(LineFault) -> Int64? {
    if let value = members["expires_at"], ImportTime(value) == .never { return nil }
    guard let time = try members.time("expires_at") else { return nil }
    return time >= 0 ? time / 1_000_000 : -((-time + 999_999) / 1_000_000)
  }
}
