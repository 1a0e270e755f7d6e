package import VaultCrypto

/// The random 32 bytes that everything else in a vault hangs on. It leaves memory only wrapped in key slots.
///
/// Each key below it has one purpose and a type or a function of its own, and none can be made from legacy key material
/// (FORMAT.md, "Keys").
package struct RootKey: ~Copyable, Sendable {
  /// Size in bytes.
  package static let length = 32
  let bytes: SecretBytes

  init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

  /// A new key.
  package static func random(from source: inout some RandomSource & ~Copyable) throws(CryptoError) -> RootKey {
    RootKey(try source.secret(length))
  }

  /// The same key once more, for another generation of the vault.
  package func copy() throws(CryptoError) -> RootKey { RootKey(try bytes.copy()) }

  /// The key that seals data keys and anchors.
  package func wrapKey(of vault: FixedBytes<16>) throws(CryptoError) -> XAES256GCM {
    let key = try derive(Array("tokenvault/1 wrap".utf8), vault)
    return try XAES256GCM(key: key.span)
  }

  /// The key that seals the genesis frame of one file.
  package func genesisKey(of header: FileHeader) throws(CryptoError) -> XAES256GCM {
    let key = try derive(Label.bytes("tokenvault/1 genesis", header.fileID.span.array), header.vaultID)
    return try XAES256GCM(key: key.span)
  }

  /// The key that turns names into lookup tags in one file.
  package func lookupKey(of header: FileHeader) throws(CryptoError) -> LookupKey {
    let key = try derive(Label.bytes("tokenvault/1 lookup", header.fileID.span.array), header.vaultID)
    return try LookupKey(key.span)
  }

  private func derive(_ info: [UInt8], _ vault: FixedBytes<16>) throws(CryptoError) -> SecretBytes {
    try KeyDerivation.hkdfSHA256(keyMaterial: bytes.span, salt: vault.span, info: info.span, count: 32)
  }
}

/// Computes lookup tags. One value serves one thread.
package struct LookupKey: ~Copyable, Sendable {
  private var hmac: HMACSHA256

  init(_ key: Span<UInt8>) throws(CryptoError) { hmac = try HMACSHA256(key: key) }

  /// The first 12 bytes of HMAC-SHA-256 of the name.
  package mutating func tag(of name: Span<UInt8>) throws(CryptoError) -> LookupTag {
    let code = try hmac.code(of: name)
    return LookupTag(code.span.extracting(first: 12))
  }
}

/// What stands for a name in the index: 12 bytes.
///
/// With eight bytes, ten million names would collide once in 400 000 vaults, and a merge would lose one of them in silence.
package typealias LookupTag = FixedBytes<12>

/// The random key that seals the records of one term, and what its frame says of it (FORMAT.md, "Data key").
package struct DataKey: ~Copyable, Sendable {
  /// Size of the frame's plaintext in bytes.
  package static let plaintextLength = 80

  /// From 1; ascends over a vault's life.
  package let term: UInt32
  /// Microseconds since 1970.
  package let created: Int64
  private let key: SecretBytes

  /// A new key for `term`.
  package init(
    term: UInt32, created: Int64, from source: inout some RandomSource & ~Copyable
  ) throws(CryptoError) {
    key = try source.secret(32)
    self.term = term
    self.created = created
  }

  /// Reads the 80 bytes of a data-key frame and checks the key's commitment, in constant time.
  ///
  /// - Throws: `frame-damaged` for a wrong structure, `commitment-mismatch` when the key is not what was committed to.
  package init(parsing plaintext: Span<UInt8>, of vault: FixedBytes<16>) throws(FormatError) {
    var reader = ByteReader(plaintext, failing: .frameDamaged, in: "data key")
    let term = try reader.u32()
    try reader.zeros(4)
    let created = try reader.i64()
    let key = try reader.secret(32)
    let commitment = try reader.secret(32)
    guard reader.remaining == 0 else { throw reader.error("has \(reader.remaining) bytes too many") }
    guard term > 0 else { throw reader.error("its term is zero") }
    let fits = try crypto { () throws(CryptoError) in
      let expected = try Self.commitment(to: key.span, term: term, of: vault)
      return constantTimeEqual(expected.span, commitment.span)
    }
    guard fits else {
      throw FormatError(.commitmentMismatch, "the data key of term \(term) is not the one that was committed to")
    }
    self.init(term: term, created: created, key: key)
  }

  private init(term: UInt32, created: Int64, key: consuming SecretBytes) {
    self.term = term
    self.created = created
    self.key = key
  }

  /// The 80 bytes to be sealed under the wrap key.
  package func plaintext(for vault: FixedBytes<16>) throws(CryptoError) -> SecretBytes {
    let commitment = try Self.commitment(to: key.span, term: term, of: vault)
    return try SecretBytes(capacity: Self.plaintextLength) { (output) in
      output.append(bigEndian: term)
      output.append(bigEndian: UInt32(0))
      output.append(bigEndian: created)
      output.append(contentsOf: key.span)
      output.append(contentsOf: commitment.span)
    }
  }

  /// The key ready for sealing and opening frames of its term.
  package func cipher() throws(CryptoError) -> XAES256GCM { try XAES256GCM(key: key.span) }

  /// Whether both are the same key of the same term; a checkpoint repeats the live ones.
  package func isSame(as other: borrowing DataKey) -> Bool {
    term == other.term && constantTimeEqual(key.span, other.key.span)
  }

  /// `HKDF-SHA-256(key, salt = vault id, info = "tokenvault/1 commit" || 00 || u32 term)`: GCM commits to no key by itself.
  private static func commitment(
    to key: Span<UInt8>, term: UInt32, of vault: FixedBytes<16>
  ) throws(CryptoError) -> SecretBytes {
    let number = [UInt8](capacity: 4) { (output) in output.append(bigEndian: term) }
    let info = Label.bytes("tokenvault/1 commit", number)
    return try KeyDerivation.hkdfSHA256(keyMaterial: key, salt: vault.span, info: info.span, count: 32)
  }
}
