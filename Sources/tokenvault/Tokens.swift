import JSONText
import TokenVault

// What several commands ask and say of tokens.

extension CommandFailure {
  /// Nothing is kept under the name.
  static var noSuchName: Self {
    Self(
      .notFound, "the vault has no token under that name",
      remedy: "'tokenvault list' shows what there is; a token that has a provider needs --provider")
  }

  /// There is nothing left but who it was.
  static var revoked: Self {
    Self(.reauthNeeded, "the account is revoked", remedy: "the user has to give consent anew: link it again")
  }

  /// The token lacks what was asked for.
  static var noSuchMember: Self {
    Self(.notFound, "the token has no such member", remedy: "'tokenvault show' lists its members")
  }
}

extension OAuthToken {
  /// The token's JSON as it was put.
  var json: String {
    withJSON { (bytes) in
      var copy: [UInt8] = []
      copy.reserveCapacity(bytes.count)
      for index in bytes.indices { copy.append(bytes[index]) }
      return String(decoding: copy, as: UTF8.self)
    }
  }

  /// - Throws: ``ExitCode/reauthNeeded`` when the token is known to expire sooner than `span` from now.
  func check(validFor span: TimeSpan?) throws(CommandFailure) {
    guard let span, !isValid(for: span) else { return }
    throw CommandFailure(.reauthNeeded, "the token expires sooner than asked")
  }

  /// False when the token is known to expire sooner than `span` from now.
  func isValid(for span: TimeSpan) -> Bool {
    guard let expiresAt else { return true }
    return expiresAt >= Timestamp.now + span.seconds
  }
}

extension TokenID {
  /// The name's members in JSON. Names that are no text are given in hexadecimal too, as nothing of them may be lost.
  var members: [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [("user_id", .string(String(decoding: user, as: UTF8.self)))]
    if !provider.isEmpty { members.append(("provider", .string(String(decoding: provider, as: UTF8.self)))) }
    if String(validating: user, as: UTF8.self) == nil {
      let digits = user.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      members.append(("user_id_hex", .string(digits.joined())))
    }
    return members
  }
}
