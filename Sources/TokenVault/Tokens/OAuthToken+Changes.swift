internal import JSONText
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// Tokens that are made from tokens. Members that stay, stay byte for byte.
extension OAuthToken {
  /// An object without members.
  static func empty() throws(VaultError) -> OAuthToken { try OAuthToken(json: Array("{}".utf8).span) }

  /// The token without its access token.
  func withoutAccessToken() throws(VaultError) -> OAuthToken {
    guard value(of: "access_token") != nil else { return self }
    return try OAuthToken.assembled([(self, { $0 != "access_token" })])
  }

  /// The token with `expires_at`, as `expires_in` gives it, where the endpoint told nothing else.
  ///
  /// - Parameter time: when the endpoint answered, in seconds since 1970.
  func withExpiry(answeredAt time: Int64) throws(VaultError) -> OAuthToken {
    guard expiresAt == nil, let seconds = expiresIn, let expiry = Self.sum(time, seconds) else { return self }
    return try OAuthToken.assembled(
      [(self, { $0 != "expires_at" })], adding: [("expires_at", .integer(expiry))])
  }

  /// The token that a refresh leaves: the answer's members, and those of this token that the answer does not have. A refresh
  /// token stays where the answer has none (RFC 6749, section 6).
  ///
  /// - Parameter time: when the endpoint answered, in seconds since 1970.
  func refreshed(by answer: OAuthToken, at time: Int64) throws(VaultError) -> OAuthToken {
    let answer = try answer.withExpiry(answeredAt: time)
    let keepsRefreshToken = answer.refreshToken?.isEmpty ?? true
    let taken = Set(answer.memberNames).subtracting(keepsRefreshToken ? ["refresh_token"] : [])
    // When the old token expired says nothing of the new one.
    let outdated: Set<String> = ["access_token", "expires_in", "expires_at"]
    return try OAuthToken.assembled([
      (self, { !taken.contains($0) && !outdated.contains($0) }),
      (answer, { taken.contains($0) }),
    ])
  }

  /// How long the access token was good for when the endpoint answered, in seconds.
  public var expiresIn: Int64? { value(of: "expires_in")?.wholeNumber }

  /// When the access token expires, in seconds since 1970; `nil`, if nobody said.
  ///
  /// - Parameter time: when the token was stored, in microseconds since 1970, which `expires_in` counts from.
  func expiry(storedAt time: Int64) -> Int64? {
    expiresAt ?? expiresIn.flatMap { Self.sum(time / 1_000_000, $0) }
  }

  /// The same as ``expiry(storedAt:)`` of the token whose JSON this is, without reading the rest of it.
  ///
  /// - Parameter json: as a token's is stored.
  /// - Throws: `invalid-token` for what is no object; not for all that ``init(json:)`` refuses.
  static func expiry(in json: Span<UInt8>, storedAt time: Int64) throws(VaultError) -> Int64? {
    var scan = MemberScan(json)
    var (at, span): (Int64?, Int64?) = (nil, nil)
    var isPlain = true
    while isPlain, let member = scan.next() {
      let name = json.extracting(member.name)
      if member.isEscaped {
        isPlain = false
      } else if name.equals(expiryNames.at.span) {
        at = digits(json.extracting(member.value))
        isPlain = at != nil
      } else if name.equals(expiryNames.span.span) {
        span = digits(json.extracting(member.value))
        isPlain = span != nil
      }
    }
    // Whatever is written in another way is left to the parser.
    guard isPlain, scan.isAtEnd else { return try OAuthToken(json: json).expiry(storedAt: time) }
    return at ?? span.flatMap { sum(time / 1_000_000, $0) }
  }

  private static let expiryNames = (at: Array("expires_at".utf8), span: Array("expires_in".utf8))

  /// The number that up to 18 digits stand for, and nothing beside them.
  private static func digits(_ text: Span<UInt8>) -> Int64? {
    guard (1...18).contains(text.count), text.count == 1 || text[0] != UInt8(ascii: "0") else { return nil }
    var number: Int64 = 0
    for index in text.indices {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      number = number * 10 + Int64(digit)
    }
    return number
  }

  private static func sum(_ time: Int64, _ seconds: Int64) -> Int64? {
    let (sum, overflow) = time.addingReportingOverflow(seconds)
    return overflow ? nil : sum
  }

  /// An object of members of other objects, as their bytes are, and of new ones.
  private static func assembled(
    _ parts: [(token: OAuthToken, keeps: (String) -> Bool)], adding members: [(String, JSONValue)] = []
  ) throws(VaultError) -> OAuthToken {
    let added = members.map { JSONValue.string($0.0).text + ":" + $0.1.text }
    let length =
      parts.reduce(2) { $0 + 1 + $1.token.withJSON { $0.count } } + added.reduce(0) { $0 + 1 + $1.utf8.count }
    var json = try crypto { () throws(CryptoError) in try SecretBytes(capacity: length) }
    json.append([UInt8(ascii: "{")].span)
    for (token, keeps) in parts { token.appendMembers(where: keeps, to: &json) }
    for text in added {
      if json.count > 1 { json.append([UInt8(ascii: ",")].span) }
      json.append(Array(text.utf8).span)
    }
    json.append([UInt8(ascii: "}")].span)
    return try OAuthToken(json: json.span)
  }

  private func appendMembers(where keeps: (String) -> Bool, to json: inout SecretBytes) {
    withJSON { (bytes) in
      guard case .object(let members)? = try? JSONValue(parsing: bytes) else { return }
      for ((name, _), place) in zip(members, JSONValue.placesOfMembers(in: bytes)) where keeps(name) {
        if json.count > 1 { json.append([UInt8(ascii: ",")].span) }
        json.append(bytes.extracting(place))
      }
    }
  }
}
