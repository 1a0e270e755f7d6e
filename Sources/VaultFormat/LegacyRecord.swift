package import VaultCrypto

/// A record sealed by one of the systems before this one: `salt : iv : authTag : ciphertext` (FORMAT.md, "Legacy records").
///
/// What does not open is an error. It is never guessed at, and never returned as it is.
package struct LegacyRecord: Equatable, Sendable {
  package let profile: LegacyProfile
  /// Empty, or 8 to 64 bytes.
  package let salt: [UInt8]
  /// 16 bytes; in GCM 12 or 16.
  package let iv: [UInt8]
  /// 16 bytes in GCM, none in CBC.
  package let authTag: [UInt8]
  package let ciphertext: [UInt8]

  /// A record from its parts.
  ///
  /// - Throws: `legacy-malformed` for a part whose length its profile does not take.
  package init(
    _ profile: LegacyProfile, salt: [UInt8], iv: [UInt8], authTag: [UInt8], ciphertext: [UInt8]
  ) throws(FormatError) {
    func refuse(_ part: String, _ count: Int) -> FormatError {
      FormatError(.legacyMalformed, "the legacy record's \(part) has \(count) bytes")
    }
    guard salt.isEmpty ? !profile.derivesKey : (8...64).contains(salt.count) else { throw refuse("salt", salt.count) }
    guard iv.count == 16 || profile.isAuthenticated && iv.count == 12 else { throw refuse("iv", iv.count) }
    guard authTag.count == (profile.isAuthenticated ? 16 : 0) else { throw refuse("authTag", authTag.count) }
    guard ciphertext.count <= Limits.hardValue, profile.isAuthenticated || ciphertext.count > 0 else {
      throw refuse("ciphertext", ciphertext.count)
    }
    self.profile = profile
    self.salt = salt
    self.iv = iv
    self.authTag = authTag
    self.ciphertext = ciphertext
  }

  /// The plaintext.
  ///
  /// - Parameter secret: a raw key of 32 bytes, or the secret that the profile derives the key from.
  /// - Throws: `legacy-unopened`, one and the same whatever a CBC record failed of; `limit-exceeded` for costs over the bounds.
  package func open(with secret: borrowing SecretBytes) throws(FormatError) -> SecretBytes {
    try open(with: LegacyKey(of: self, from: secret))
  }

  /// The plaintext, under a key that was derived before.
  ///
  /// - Throws: as ``open(with:)-(SecretBytes)``.
  package func open(with key: borrowing LegacyKey) throws(FormatError) -> SecretBytes {
    do {
      if profile.isAuthenticated {
        return try AES256GCM.open(
          ciphertext.span, tag: authTag.span, key: key.bytes.span, iv: iv.span, authenticating: Span())
      }
      return try AES256CBC.open(ciphertext.span, key: key.bytes.span, iv: iv.span)
    } catch {
      guard error.code == .cannotOpen else { throw FormatError(.cryptoFailure, error.sentence) }
      throw FormatError(.legacyUnopened, "the legacy record does not open with this key and profile")
    }
  }

  /// Seals as the old systems did: for test vectors, and for them alone.
  ///
  /// - Throws: `legacy-malformed` for a salt or an iv whose length the profile does not take, and the errors of ``open(with:)``.
  package static func seal(
    _ plaintext: Span<UInt8>, _ profile: LegacyProfile, with secret: borrowing SecretBytes, salt: [UInt8], iv: [UInt8]
  ) throws(FormatError) -> LegacyRecord {
    let key = try profile.key(from: secret, salt: salt.span)
    do {
      if profile.isAuthenticated {
        let sealed = try AES256GCM.seal(plaintext, key: key.span, iv: iv.span, authenticating: Span())
        return try LegacyRecord(
          profile, salt: salt, iv: iv, authTag: Array(sealed.prefix(gcmTagLength)),
          ciphertext: Array(sealed.dropFirst(gcmTagLength)))
      }
      let sealed = try AES256CBC.seal(plaintext, key: key.span, iv: iv.span)
      return try LegacyRecord(profile, salt: salt, iv: iv, authTag: [], ciphertext: sealed)
    } catch let error as FormatError {
      throw error
    } catch {
      throw FormatError(.legacyMalformed, "the parts of the legacy record can't be sealed")
    }
  }

  // MARK: Binary form

  /// Reads the binary form, as a record with the legacy flag holds it.
  ///
  /// - Throws: `legacy-malformed`.
  package init(parsing bytes: Span<UInt8>) throws(FormatError) {
    var reader = ByteReader(bytes, failing: .legacyMalformed, in: "legacy record")
    let suite = try reader.u8()
    let profileID = try reader.u8()
    let saltLength = Int(try reader.u16())
    let ivLength = Int(try reader.u8())
    let tagLength = Int(try reader.u8())
    try reader.zeros(2)
    let length = Int(try reader.u32())
    let profile = try LegacyProfile(id: profileID, parsing: &reader)
    guard profile.suite == suite else { throw reader.error("its suite \(suite) is not its profile's") }
    let salt = try reader.take(saltLength)
    let iv = try reader.take(ivLength)
    let tag = try reader.take(tagLength)
    let ciphertext = try reader.take(length)
    guard reader.remaining == 0 else { throw reader.error("has \(reader.remaining) bytes too many") }
    try self.init(profile, salt: salt.array, iv: iv.array, authTag: tag.array, ciphertext: ciphertext.array)
  }

  /// The binary form.
  package func serialized() -> [UInt8] {
    let parts = salt.count + iv.count + authTag.count + ciphertext.count
    return [UInt8](capacity: 12 + profile.parametersLength + parts) { (output) in
      output.append(profile.suite)
      output.append(profile.id)
      output.append(bigEndian: UInt16(salt.count))
      output.append(UInt8(iv.count))
      output.append(UInt8(authTag.count))
      output.append(bigEndian: UInt16(0))
      output.append(bigEndian: UInt32(ciphertext.count))
      profile.serializeParameters(into: &output)
      output.append(contentsOf: salt.span)
      output.append(contentsOf: iv.span)
      output.append(contentsOf: authTag.span)
      output.append(contentsOf: ciphertext.span)
    }
  }
}

/// The key of legacy records of one profile and salt. It opens them and nothing else.
package struct LegacyKey: ~Copyable, Sendable {
  fileprivate let bytes: SecretBytes

  /// Derives the key, which may take a twentieth of a second.
  ///
  /// - Parameters:
  ///   - record: whose profile and salt count.
  ///   - secret: a raw key of 32 bytes, or the secret that the profile derives the key from.
  /// - Throws: as ``LegacyProfile``'s derivation: `legacy-unopened`, `limit-exceeded`.
  package init(of record: LegacyRecord, from secret: borrowing SecretBytes) throws(FormatError) {
    bytes = try record.profile.key(from: secret, salt: record.salt.span)
  }
}
