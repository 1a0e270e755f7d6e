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

extension SecretBytes {
  /// The 32 bytes of a key that is written in 64 hexadecimal digits or in base64; `nil` for anything else.
  ///
  /// - Throws: `crypto-failure` when there is no memory.
  func decodedKey() throws(VaultError) -> SecretBytes? {
    let encoding: TextEncoding
    switch count {
    case 64: encoding = .hex
    case 44: encoding = .base64
    default: return nil
    }
    do {
      guard let key = try encoding.decode(span), key.count == Credential.keyLength else { return nil }
      return key
    } catch {
      throw VaultError(error)
    }
  }

  /// The same, of a key that may also be given as its 32 bytes.
  func key() throws(VaultError) -> SecretBytes? {
    guard count == Credential.keyLength else { return try decodedKey() }
    return try crypto { () throws(CryptoError) in try copy() }
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
