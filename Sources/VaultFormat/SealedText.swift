package import VaultCrypto

/// A record's value sealed by itself, under a key given for the purpose, so that it can leave the vault: `salt:iv:authTag:ciphertext`
/// under XAES-256-GCM (FORMAT.md, "Legacy records", a sealed record of our own in text).
package struct SealedText: Equatable, Sendable {
  /// 12 bytes each.
  package let salt, iv: FixedBytes<12>
  /// 16 bytes.
  package let authTag: [UInt8]
  package let ciphertext: [UInt8]

  /// Seals `value` for `name`.
  ///
  /// - Parameters:
  ///   - salt: random, and with `iv` never used before with this key.
  ///   - iv: the same.
  /// - Throws: `crypto-failure`.
  package init(
    sealing value: Span<UInt8>, for name: Span<UInt8>, with cipher: inout XAES256GCM, salt: FixedBytes<12>,
    iv: FixedBytes<12>
  ) throws(FormatError) {
    let aad = Self.additionalData(name)
    do throws(CryptoError) {
      let sealed = try [UInt8](capacity: gcmTagLength + value.count) { (output) throws(CryptoError) in
        try cipher.seal(value, salt: salt, iv: iv, authenticating: aad.span, appendingTo: &output)
      }
      authTag = Array(sealed.prefix(gcmTagLength))
      ciphertext = Array(sealed.dropFirst(gcmTagLength))
    } catch {
      throw FormatError(.cryptoFailure, error.sentence)
    }
    (self.salt, self.iv) = (salt, iv)
  }

  /// Takes a text apart.
  ///
  /// - Throws: `legacy-malformed` for another number of parts, a part that is not base64, or one of another length.
  package init(parsing text: Span<UInt8>) throws(FormatError) {
    let parts = try LegacyText.common.parts(of: text)
    guard let salt = parts[.salt], let iv = parts[.iv], let tag = parts[.authTag], let ciphertext = parts[.ciphertext],
      salt.count == 12, iv.count == 12, tag.count == gcmTagLength
    else {
      throw FormatError(.legacyMalformed, "the sealed text's salt, iv and authTag have not 12, 12 and 16 bytes")
    }
    (self.salt, self.iv) = (FixedBytes(salt.span), FixedBytes(iv.span))
    authTag = tag
    self.ciphertext = ciphertext
  }

  /// The value, if it was sealed for `name` with this key.
  ///
  /// - Throws: `legacy-unopened`; `crypto-failure`.
  package func open(for name: Span<UInt8>, with cipher: inout XAES256GCM) throws(FormatError) -> SecretBytes {
    let aad = Self.additionalData(name)
    do throws(CryptoError) {
      var value = try SecretBytes(capacity: ciphertext.count)
      try value.append { (output) throws(CryptoError) in
        try cipher.open(
          ciphertext.span, salt: salt, iv: iv, tag: authTag.span, authenticating: aad.span, appendingTo: &output)
      }
      return value
    } catch {
      guard error.code == .cannotOpen else { throw FormatError(.cryptoFailure, error.sentence) }
      throw FormatError(.legacyUnopened, "the sealed text does not open with this key, or is another user's")
    }
  }

  /// The text, as UTF-8.
  package func serialized() -> [UInt8] {
    let parts = [
      TextEncoding.base64.encode(salt.span), TextEncoding.base64.encode(iv.span),
      TextEncoding.base64.encode(authTag.span), TextEncoding.base64.encode(ciphertext.span),
    ]
    return Array(parts.joined(separator: [UInt8(ascii: ":")]))
  }

  private static func additionalData(_ name: Span<UInt8>) -> [UInt8] {
    Array("tokenvault/1 text".utf8) + [0] + name.array
  }
}
