internal import VaultFormat

/// What a write may hold (FORMAT.md, "Limits").
public enum VaultLimits {
  /// Bytes of a name, at least 1.
  public static let name = Limits.name
  /// Bytes of a value.
  public static let value = Limits.defaultValue
  /// Writes of one batch.
  public static let batch = Limits.batchFrames
}
