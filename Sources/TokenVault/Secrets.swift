public import VaultCrypto
public import VaultEngine
public import VaultFormat

extension SecretBytes {
  /// A copy of `bytes`, in memory that is wiped when the value goes away. The caller's own copy is the caller's to wipe.
  ///
  /// - Throws: `crypto-failure` when there is no memory.
  public init(_ bytes: Span<UInt8>) throws(VaultError) {
    self = try crypto { () throws(CryptoError) in try SecretBytes(copying: bytes) }
  }
}

extension Credential {
  /// A key from its bytes, which are copied. ``KeySource`` reads one from where programs keep them, in text form too.
  ///
  /// - Parameter bytes: 32 random bytes.
  /// - Throws: `no-key` for another length; `crypto-failure` when there is no memory.
  public init(key bytes: Span<UInt8>) throws(VaultError) {
    guard let credential = Credential(key: try SecretBytes(bytes)) else {
      throw VaultError(.noKey, "a key has \(Credential.keyLength) bytes, not \(bytes.count)")
    }
    self = credential
  }

  /// A passphrase from its bytes, which are copied exactly as they are.
  ///
  /// - Throws: `no-key` when there are none; `crypto-failure` when there is no memory.
  public init(passphrase bytes: Span<UInt8>) throws(VaultError) {
    guard let credential = Credential(passphrase: try SecretBytes(bytes)) else {
      throw VaultError(.noKey, "the passphrase is empty")
    }
    self = credential
  }
}
