/// How far a verification has come: see ``Vault/verify(at:credential:pin:progress:)``.
public struct VerifyProgress: Sendable {
  /// Frames gone over so far; with a key each counts twice, because it is gone over before and after there are keys.
  public let frames: UInt64
  /// Bytes gone over so far.
  public let done: UInt64
  /// Bytes to go over in all.
  public let total: UInt64
}
