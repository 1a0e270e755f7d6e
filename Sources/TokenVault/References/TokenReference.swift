public import VaultCrypto
public import VaultEngine

/// Which member of which token is meant, in one text: `tv://USER`, `tv://USER/FIELD`, either with `?provider=NAME` behind it.
///
/// In each of the three parts, white space, control characters and `/ ? # & % { }` are written as `%` and two hexadecimal digits,
/// and any other byte may be. Nothing is looked up to tell the parts apart, so one text always means the same.
public struct TokenReference: Hashable, Sendable {
  /// What every reference begins with.
  public static let prefix = "tv://"

  /// Whose token.
  public let id: TokenID
  /// Name of the member; `access_token` unless told.
  public let field: String

  /// A reference to `field` of the token of `id`.
  public init(_ id: TokenID, field: String = "access_token") {
    self.id = id
    self.field = field
  }

  /// Reads a reference, which begins with ``prefix``.
  ///
  /// - Throws: `usage` for what is none; `invalid-name` for a user id or provider that there can't be.
  public init(parsing text: String) throws(VaultError) {
    guard text.hasPrefix(Self.prefix) else { throw Self.malformed("it does not begin with tv://") }
    let bytes = Array(text.utf8.dropFirst(Self.prefix.utf8.count))
    let parts = bytes.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
    var provider: [UInt8] = []
    if parts.count == 2 {
      let name = Array("provider=".utf8)
      guard parts[1].starts(with: name) else { throw Self.malformed("behind ? there is something else than provider=") }
      provider = try Self.decoded(parts[1].dropFirst(name.count))
    }
    let path = parts[0].split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
    let user = try Self.decoded(path[0])
    let field = path.count == 2 ? try Self.decoded(path[1]) : Array("access_token".utf8)
    guard let field = String(validating: field, as: UTF8.self) else { throw Self.malformed("the member is not UTF-8") }
    self.init(try TokenID(user: user, provider: provider), field: field)
  }

  private static func decoded(_ part: ArraySlice<UInt8>) throws(VaultError) -> [UInt8] {
    guard !part.isEmpty else { throw malformed("a part of it is empty") }
    var bytes: [UInt8] = []
    var index = part.startIndex
    while index < part.endIndex {
      if part[index] == UInt8(ascii: "%") {
        guard index + 2 < part.endIndex, let high = digit(part[index + 1]), let low = digit(part[index + 2]) else {
          throw malformed("% is not followed by two hexadecimal digits")
        }
        bytes.append(high << 4 | low)
        index += 3
      } else {
        guard !isReserved(part[index]) else { throw malformed("a byte in it has to be written as % and two digits") }
        bytes.append(part[index])
        index += 1
      }
    }
    return bytes
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func isReserved(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == 0x7f || "/?#&%{}".utf8.contains(byte)
  }

  private static func malformed(_ why: String) -> VaultError {
    VaultError(
      .usage, "that is not a reference to a token: \(why)",
      remedy: "a reference is tv://USER/FIELD, or tv://USER/FIELD?provider=NAME; odd bytes are written as %2F")
  }

  /// The reference as it is written, everything in it that is not plain ASCII encoded.
  public var text: String {
    let provider = id.provider.isEmpty ? "" : "?provider=" + Self.encoded(id.provider)
    return Self.prefix + Self.encoded(id.user) + "/" + Self.encoded(Array(field.utf8)) + provider
  }

  private static func encoded(_ bytes: [UInt8]) -> String {
    var text = ""
    for byte in bytes {
      if isReserved(byte) || byte >= 0x80 {
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      } else {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return text
  }
}

/// A token that a reference leads to, and the member of it that is meant.
public struct ReferencedToken: Sendable {
  /// The token, as it is stored.
  public let stored: StoredToken
  /// Name of the member.
  public let field: String

  /// The member's text: the characters of a string, the JSON of anything else.
  ///
  /// - Throws: `reauth-needed` when the account is revoked; `not-found` when the token has no such member, or the account does
  ///   not keep its access token; `crypto-failure` when there is no memory.
  public func secret() throws(VaultError) -> SecretBytes {
    guard stored.revoked == nil else {
      throw VaultError(
        .reauthNeeded, "the account is revoked", remedy: "the user has to give consent anew: link it again")
    }
    guard let text = stored.token.member(field) else {
      guard field != "access_token" || !stored.lacksAccessToken else {
        throw VaultError(
          .notFound, "the account keeps only the hash of its access token",
          remedy: "'tokenvault refresh --print' hands out a new one; 'link --keep-access-token' keeps it from then on")
      }
      throw VaultError(
        .notFound, "the token has no such member", remedy: "'tokenvault show' lists its members")
    }
    return try crypto { () throws(CryptoError) in
      try SecretBytes(capacity: text.utf8.count) { (output) in
        for byte in text.utf8 { output.append(byte) }
      }
    }
  }
}

extension TokenStore {
  /// The token that `reference` leads to.
  ///
  /// - Parameter context: who reads, for the audit of reads.
  /// - Throws: `not-found` when there is none; otherwise as ``token(for:by:)``.
  public func token(
    at reference: TokenReference, by context: AuditContext = .none
  ) throws(VaultError) -> ReferencedToken {
    guard let stored = try token(for: reference.id, by: context) else { throw Self.noSuchName }
    return ReferencedToken(stored: stored, field: reference.field)
  }

  /// The token that somebody named as briefly as can be: `USER`, `USER.FIELD`, or a ``TokenReference``.
  ///
  /// User ids hold dots, so whoever is there decides. A token under the whole text is meant before any other. Only when there
  /// is none, and letters, digits and underscores alone stand behind the last dot, are they the name of a member. A text that
  /// begins with `tv://` is always a reference, and no lookup decides what it means.
  ///
  /// - Parameters:
  ///   - provider: of texts that are no reference.
  ///   - context: who reads, for the audit of reads.
  /// - Throws: `not-found`; `usage` and `invalid-name` as ``TokenReference/init(parsing:)``; otherwise as ``token(for:by:)``.
  public func token(
    named text: String, provider: String = "", by context: AuditContext = .none
  ) throws(VaultError) -> ReferencedToken {
    if text.hasPrefix(TokenReference.prefix) { return try token(at: TokenReference(parsing: text), by: context) }
    if let stored = try token(for: TokenID(user: text, provider: provider), by: context) {
      return ReferencedToken(stored: stored, field: "access_token")
    }
    let bytes = Array(text.utf8)
    guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0, dot + 1 < bytes.count,
      bytes[(dot + 1)...].allSatisfy({ Self.isPlain($0) })
    else { throw Self.noSuchName }
    let id = try TokenID(user: Array(bytes[..<dot]), provider: Array(provider.utf8))
    return try token(at: TokenReference(id, field: String(decoding: bytes[(dot + 1)...], as: UTF8.self)), by: context)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
    default: false
    }
  }

  private static var noSuchName: VaultError {
    VaultError(
      .notFound, "the vault has no token under that name",
      remedy: "'tokenvault list' shows what there is; a token of a provider is tv://USER?provider=NAME")
  }
}
