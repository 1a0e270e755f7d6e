public import VaultCrypto

/// What opens a vault: a random key of 32 bytes, or a passphrase.
///
/// `KeySource` reads one from where programs keep it; `init(key:)` and `init(passphrase:)` take the bytes themselves.
public struct Credential: ~Copyable, Sendable {
  /// Length of a raw key in bytes.
  public static let keyLength = 32

  /// What the bytes are.
  public enum Kind: Sendable {
    /// 32 random bytes.
    case key
    /// Any bytes, taken exactly as they are: no normalization, no trimming.
    case passphrase
  }

  /// What the bytes are.
  public let kind: Kind
  let bytes: SecretBytes

  /// A raw key; `nil`, when it does not have 32 bytes.
  public init?(key: consuming SecretBytes) {
    guard key.count == Self.keyLength else { return nil }
    kind = .key
    bytes = key
  }

  /// A passphrase; `nil`, when it is empty.
  public init?(passphrase: consuming SecretBytes) {
    guard passphrase.count > 0 else { return nil }
    kind = .passphrase
    bytes = passphrase
  }

  /// Whether slots of `kind` are meant for this credential.
  package func fits(_ slot: KeySlot.Kind) -> Bool {
    switch slot {
    case .raw: kind == .key
    case .scrypt: kind == .passphrase
    }
  }
}
