internal import JSONText
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// Why a line can't be stored. Nothing of the line is in it.
public struct LineFault: Error, Sendable {
  /// The byte of the line, from 1, where it is known.
  public let column: Int?
  /// One sentence.
  public let sentence: String
  /// `not-json`, `missing-member`, `bad-member`, or the code of the error that storing would give.
  let code: String

  init(_ code: String, _ sentence: String, column: Int? = nil) {
    (self.code, self.sentence, self.column) = (code, sentence, column)
  }

  init(_ error: VaultError) { self.init(error.code.description, error.sentence) }

  init(_ error: FormatError) { self.init(error.code.description, error.sentence) }
}

/// How a token and its name stand on one line: `user_id`, `provider` and `ttl` are the line's own members, all others are the
/// token's. A token that has members of these names stands as a whole in the member `token`. A name that is not UTF-8 stands in
/// `user_id_hex` or `provider_hex`, in hexadecimal.
public struct TokenLine: Sendable {
  /// The provider of lines that name none.
  public let provider: String
  /// For how long a token is there, unless its line says so.
  public let ttl: Duration?

  /// A form whose lines are completed by these.
  public init(provider: String = "", ttl: Duration? = nil) { (self.provider, self.ttl) = (provider, ttl) }

  /// Reads a line.
  ///
  /// - Parameter line: without its line end; white space around the object is passed over.
  public func parse(_ line: Span<UInt8>) throws(LineFault) -> NewToken {
    let row = try RowMembers(parsing: line)
    let name = try row.name(provider: provider)
    let ttl = try Self.ttl(in: row) ?? ttl
    let token = try Self.token(line, row, ownMembers: name.members.union(["ttl"]))
    do throws(VaultError) {
      try token.checkIsNoErrorAnswer()
      return NewToken(token, for: name.id, ttl: ttl)
    } catch {
      throw LineFault(error)
    }
  }

  private static func ttl(in row: RowMembers) throws(LineFault) -> Duration? {
    guard let value = row["ttl"] else { return nil }
    guard case .string(let text) = value else { throw LineFault("bad-member", "the member ttl is not a string") }
    guard let milliseconds = DurationText.milliseconds(text), milliseconds > 0 else {
      throw LineFault("bad-member", "the member ttl is not a time like 90s, 15m, 12h or 30d")
    }
    return .milliseconds(milliseconds)
  }

  /// The bytes of the token as they stand in the line, without the line's own members.
  private static func token(
    _ line: Span<UInt8>, _ row: RowMembers, ownMembers: Set<String>
  ) throws(LineFault) -> OAuthToken {
    let places = JSONValue.placesOfMembers(in: line)
    let rest = zip(row.members, places).filter { !ownMembers.contains($0.0.0) }
    do {
      if let whole = rest.first(where: { $0.0.0 == "token" }), case .object = whole.0.1 {
        guard rest.count == 1 else {
          throw LineFault("bad-member", "members stand beside the member token that are not the line's")
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
      throw LineFault(error)
    } catch {
      throw LineFault("crypto-failure", "there is no memory")
    }
  }

  /// Where the value of the member `token` begins: its name may be written with escapes, but has no colon in it.
  private static func behindName(_ member: Span<UInt8>) -> Int {
    var index = 0
    while member[index] != UInt8(ascii: ":") { index += 1 }
    return index + 1
  }
}
