internal import JSONText
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// What is kept of an access token in its place: enough to know it again, and no more.
package struct TokenDigest: Equatable, Sendable {
  /// SHA-256 of the token, 32 bytes.
  package let sha256: [UInt8]
  /// Bytes of the token; `nil` where only the hash was known.
  package let length: Int?

  /// - Parameter sha256: 32 bytes.
  package init(sha256: [UInt8], length: Int?) { (self.sha256, self.length) = (sha256, length) }

  /// The digest of a token.
  ///
  /// - Throws: `crypto-failure`.
  package init(of token: String) throws(VaultError) {
    let bytes = Array(token.utf8)
    sha256 = try crypto { () throws(CryptoError) in try SHA256.digest(of: bytes.span) }.span.array
    length = bytes.count
  }

  /// The digest of a token's access token; `nil` when it has none.
  init?(accessTokenOf token: OAuthToken) throws(VaultError) {
    guard let text = token.accessToken, !text.isEmpty else { return nil }
    try self.init(of: text)
  }

  // MARK: As an attribute: the hash, u16 length, 0 when it is unknown

  init?(attribute bytes: [UInt8]?) {
    guard let bytes, bytes.count == 34 else { return nil }
    let length = Int(bytes[32]) << 8 | Int(bytes[33])
    self.init(sha256: Array(bytes[..<32]), length: length == 0 ? nil : length)
  }

  var attribute: [UInt8] {
    // Of a token too long for the field only the hash is known.
    let length = length.flatMap { $0 > 0xffff ? nil : $0 } ?? 0
    return sha256 + [UInt8(length >> 8), UInt8(length & 255)]
  }

  // MARK: As members of an event

  init?(_ members: [(String, JSONValue)]) {
    guard case .string(let digits)? = members.first(where: { $0.0 == "superseded" })?.1,
      let hash = Self.bytes(hexadecimal: digits)
    else { return nil }
    let length = members.first { $0.0 == "superseded_length" }?.1.wholeNumber
    self.init(sha256: hash, length: length.map { Int(clamping: $0) })
  }

  var members: [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [("superseded", .string(hexadecimal))]
    if let length { members.append(("superseded_length", .integer(Int64(length)))) }
    return members
  }

  /// The hash as 64 digits.
  package var hexadecimal: String {
    sha256.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// 32 bytes from 64 hexadecimal digits; `nil` for anything else.
  package static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 64, text.utf8.count == 64 else { return nil }
    return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
