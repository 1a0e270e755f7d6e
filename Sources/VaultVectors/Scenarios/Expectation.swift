/// What a vault scenario demands of a reader: one of the codes of FORMAT.md, "Errors".
package enum Expectation: String, Sendable, CaseIterable {
  /// Opened, and nothing is wrong.
  case success
  /// Opened; an interrupted append at the end is left out.
  case tornTail = "torn-tail"
  /// Opened by replay, and the bad index is reported.
  case indexDamaged = "index-damaged"
  /// No credential fits a slot.
  case wrongKey = "wrong-key"
  /// The file header.
  case headerDamaged = "header-damaged"
  /// A key slot.
  case slotDamaged = "slot-damaged"
  /// A data key is not the one committed to.
  case commitmentMismatch = "commitment-mismatch"
  /// The bytes of a frame.
  case frameDamaged = "frame-damaged"
  /// A whole frame that does not belong where it stands.
  case chainBroken = "chain-broken"
  /// The end is neither complete nor an interrupted append.
  case tailDamaged = "tail-damaged"
  /// Older than the pin, or of another history.
  case rollback
  /// A length, count or cost above its limit.
  case limitExceeded = "limit-exceeded"
  /// Another major version.
  case unsupportedVersion = "unsupported-version"
  /// An incompatible feature.
  case unsupportedFeature = "unsupported-feature"

  /// Whether a reader serves the vault's records.
  package var serves: Bool { self == .success || self == .tornTail || self == .indexDamaged }
}
