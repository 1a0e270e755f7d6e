package import VaultFormat

/// How a vault is opened.
public struct VaultOptions: Sendable {
  /// How long a write waits for other processes before it fails with `locked`.
  public var lockTimeout: Duration = .seconds(10)
  /// Opens for reading alone: nothing on the disk is changed, whatever is found there.
  public var readOnly = false
  /// What the vault is held against; another history, or an older state, is refused.
  package var pin: Pin?

  /// Waits ten seconds; writes are allowed.
  public init() {}
}
