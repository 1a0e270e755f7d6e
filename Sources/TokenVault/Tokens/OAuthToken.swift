package import JSONText
package import VaultCrypto
internal import VaultFormat

/// What a token endpoint answered (RFC 6749, section 5.1): a JSON object, kept byte for byte as it came.
///
/// Printing a token shows no part of it.
public struct OAuthToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private final class Storage: Sendable {
    let json: SecretBytes
    let members: TokenMembers

    init(_ json: consuming SecretBytes, _ members: TokenMembers) {
      self.json = json
      self.members = members
    }
  }

  private let storage: Storage

  /// A token from its JSON, which may have white space around it.
  ///
  /// - Parameter json: an object of up to 1 MiB. Known members have their types, or are null or missing; unknown members may be
  ///   anything.
  /// - Throws: `invalid-token`, `value-too-large`.
  public init(json: Span<UInt8>) throws(VaultError) {
    let trimmed = json.trimmingJSONWhitespace
    try Self.checkLength(trimmed.count)
    guard trimmed.count > 0 else { throw VaultError(.invalidToken, "no token was given: it is a JSON object") }
    try self.init(json: SecretBytes(trimmed), members: Self.members(json))
  }

  /// A token whose JSON was read already.
  ///
  /// - Parameters:
  ///   - json: an object, without white space around it.
  ///   - members: what it holds.
  /// - Throws: as ``init(json:)``.
  package init(json: consuming SecretBytes, members: [(String, JSONValue)]) throws(VaultError) {
    try Self.checkLength(json.count)
    try Self.checkTypes(members)
    storage = Storage(json, TokenMembers(members))
  }

  private static func checkLength(_ count: Int) throws(VaultError) {
    guard count > VaultLimits.value else { return }
    throw VaultError(.valueTooLarge, "the token has \(count) bytes of JSON; \(VaultLimits.value) is the limit")
  }

  /// The members of the object that `json` is. It may have white space around it, so that places in errors are its own.
  private static func members(_ json: Span<UInt8>) throws(VaultError) -> [(String, JSONValue)] {
    let fault: String
    do throws(JSONError) {
      let value = try JSONValue(parsing: json)
      if case .object(let members) = value { return members }
      fault = "it is \(value.typeName)"
    } catch {
      fault = error.description
    }
    throw VaultError(
      .invalidToken, "the token is not a JSON object: \(fault)",
      remedy: "give the token endpoint's answer, {\"access_token\": ...}")
  }

  private static func checkTypes(_ members: [(String, JSONValue)]) throws(VaultError) {
    for (name, value) in members {
      switch (name, value) {
      case (_, .null): continue
      case ("access_token", _), ("refresh_token", _), ("scope", _), ("token_type", _):
        if case .string = value { continue }
        throw VaultError(.invalidToken, "the token's member \(name) is not a string")
      case ("expires_at", _) where value.wholeNumber == nil:
        throw VaultError(.invalidToken, "the token's member expires_at is not a number of seconds since 1970")
      default: continue
      }
    }
  }

  /// Refuses what an endpoint says when there is no token (RFC 6749, section 5.2), often with the HTTP status 200.
  ///
  /// - Throws: `invalid-token`.
  package func checkIsNoErrorAnswer() throws(VaultError) {
    guard accessToken == nil, refreshToken == nil, string("error") != nil else { return }
    throw VaultError(
      .invalidToken, "this is an endpoint's error, and no token: it has the member error and no token beside it",
      remedy: "nothing was stored; what was there is there still")
  }

  /// What is presented to the provider's resources.
  public var accessToken: String? { string("access_token") }
  /// What a new access token is had for.
  public var refreshToken: String? { string("refresh_token") }
  /// When the access token expires, in seconds since 1970.
  public var expiresAt: Int64? { storage.members["expires_at"]?.wholeNumber }
  /// What the token is good for, in the provider's words.
  public var scope: String? { string("scope") }
  /// How it is presented; most often `bearer`.
  public var tokenType: String? { string("token_type") }
  /// Names of all members, sorted.
  public var memberNames: [String] { storage.members.names }

  private func string(_ name: String) -> String? {
    guard case .string(let text) = storage.members[name] else { return nil }
    return text
  }

  /// A member's text: the characters of a string, the JSON of anything else; `nil`, if there is no such member.
  public func member(_ name: String) -> String? { string(name) ?? storage.members[name]?.text }

  /// A member as it came; `nil`, if there is no such member.
  package func value(of name: String) -> JSONValue? { storage.members[name] }

  /// Gives the JSON as it came, without white space around it, to `body`.
  public func withJSON<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try storage.json.withSpan(body)
  }

  /// Says that it is a token, and nothing else.
  public var description: String { "OAuthToken(redacted)" }
  /// The same as ``description``.
  public var debugDescription: String { description }
  /// Has no children: `dump` shows nothing either.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Span<UInt8> {
  /// Without the four white-space characters of JSON at both ends.
  fileprivate var trimmingJSONWhitespace: Span<UInt8> {
    @_lifetime(copy self)
    get {
      var start = 0
      var end = count
      while start < end, Self.isWhitespace(self[start]) { start += 1 }
      while end > start, Self.isWhitespace(self[end - 1]) { end -= 1 }
      return extracting(start..<end)
    }
  }

  private static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }
}
