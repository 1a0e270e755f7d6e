public import VaultFormat

/// How a vault is opened.
public struct VaultOptions: Sendable {
  /// How long a write waits for other processes before it fails with `locked`.
  public var lockTimeout: Duration = .seconds(10)
  /// Opens for reading alone: nothing on the disk is changed, whatever is found there.
  public var readOnly = false
  /// Replays every frame of the file, though its index would spare that.
  package var readsWhole = false
  /// What the vault is held against when it is opened: another history, or an older state, is refused with `rollback`. That
  /// reads the whole file. A history that does not reach back to the pin's generation is let pass: see
  /// ``VerifyReport/isRollbackExcluded``.
  public var pin: Pin?

  /// Waits ten seconds; writes are allowed.
  public init() {}
}
