/// A known token that was found in a text. It does not hold the token itself.
public struct LeakFinding: Equatable, Sendable {
  /// Which of an account's two secrets it is.
  public enum Kind: String, Sendable {
    /// Presented to the provider's resources.
    case accessToken = "access_token"
    /// What a new access token is had for.
    case refreshToken = "refresh_token"
  }

  /// Whose token it is. A token of two accounts is found twice.
  public let owner: TokenID
  /// Which of its secrets.
  public let kind: Kind
  /// Whether the entry holds it still: false when it was replaced, or the entry was deleted or is over.
  public let isCurrent: Bool
  /// Whether the text has the token's SHA-256, as 64 hexadecimal digits, and not the token.
  public let isHash: Bool
  /// Bytes of the text before it.
  public let offset: UInt64
  /// Number of its line, from 1.
  public let line: UInt64
}
