import JSONText
import TokenVault
import VaultCrypto
import VaultEngine

/// Why a line can't be stored. Nothing of the line is in it.
struct LineFault: Error {
  /// The byte of the line, from 1, where it is known.
  var column: Int?
  /// One sentence.
  let sentence: String
}

/// How a token and its name stand on one line: `user_id`, `provider` and `ttl` are the line's own members, all others are the
/// token's. A token that has members of these names stands as a whole in the member `token`.
struct TokenLine: Sendable {
  /// The provider of lines that name none.
  let provider: String
  /// For how long a token is there, unless its line says so.
  let ttl: TimeSpan?

  private static let ownMembers: Set<String> = ["user_id", "provider", "ttl"]

  /// Reads a line.
  func parse(_ line: Span<UInt8>) throws(LineFault) -> NewToken {
    let members = try Self.members(line)
    guard let user = try Self.text("user_id", in: members) else {
      throw LineFault(sentence: "there is no user_id")
    }
    let provider = try Self.text("provider", in: members) ?? provider
    let ttl = try Self.ttl(in: members) ?? ttl
    let token = try Self.token(line, members)
    do throws(VaultError) {
      try token.checkIsNoErrorAnswer()
      return NewToken(token, for: try TokenID(user: user, provider: provider), ttl: ttl?.duration)
    } catch {
      throw LineFault(sentence: error.sentence)
    }
  }

  private static func members(_ line: Span<UInt8>) throws(LineFault) -> [(String, JSONValue)] {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: line)
    } catch {
      throw LineFault(column: error.column, sentence: error.sentence)
    }
    guard case .object(let members) = value else { throw LineFault(sentence: "it is \(value.typeName), no object") }
    return members
  }

  private static func text(_ name: String, in members: [(String, JSONValue)]) throws(LineFault) -> String? {
    guard let value = members.first(where: { $0.0 == name })?.1 else { return nil }
    guard case .string(let text) = value else { throw LineFault(sentence: "the member \(name) is not a string") }
    // Half of a surrogate pair becomes this too: two names would be taken for one.
    guard !text.unicodeScalars.contains("\u{FFFD}") else {
      throw LineFault(sentence: "the member \(name) holds U+FFFD, which stands for what could not be read")
    }
    return text
  }

  private static func ttl(in members: [(String, JSONValue)]) throws(LineFault) -> TimeSpan? {
    guard let text = try text("ttl", in: members) else { return nil }
    guard let span = TimeSpan(argument: text), span.milliseconds > 0 else {
      throw LineFault(sentence: "the member ttl is not a time like 90s, 15m, 12h or 30d")
    }
    return span
  }

  /// The bytes of the token as they stand in the line, without the line's own members.
  private static func token(
    _ line: Span<UInt8>, _ members: [(String, JSONValue)]
  ) throws(LineFault) -> OAuthToken {
    let places = JSONValue.placesOfMembers(in: line)
    let rest = zip(members, places).filter { !ownMembers.contains($0.0.0) }
    do {
      if let whole = rest.first(where: { $0.0.0 == "token" }), case .object = whole.0.1 {
        guard rest.count == 1 else {
          throw LineFault(sentence: "members stand beside the member token that are not the line's")
        }
        let value = line.extracting(whole.1)
        return try OAuthToken(json: value.extracting(behindName(value)..<value.count))
      }
      var json = try SecretBytes(capacity: line.count + 2)
      json.append([UInt8(ascii: "{")].span)
      for (number, (_, place)) in rest.enumerated() {
        if number > 0 { json.append([UInt8(ascii: ",")].span) }
        json.append(line.extracting(place))
      }
      json.append([UInt8(ascii: "}")].span)
      return try OAuthToken(json: json, members: rest.map(\.0))
    } catch let error as LineFault {
      throw error
    } catch let error as VaultError {
      throw LineFault(sentence: error.sentence)
    } catch {
      throw LineFault(sentence: "there is no memory")
    }
  }

  /// Where the value of the member `token` begins: its name may be written with escapes, but has no colon in it.
  private static func behindName(_ member: Span<UInt8>) -> Int {
    var index = 0
    while member[index] != UInt8(ascii: ":") { index += 1 }
    return index + 1
  }
}
