private import VaultCrypto

extension Primitives {
  /// VaultCrypto, the implementation that every vault is sealed with.
  package static let vaultCrypto = Primitives(
    gcm: .vaultCryptoGCM, xaes: .vaultCryptoXAES,
    paddedCBC: .vaultCrypto(.pkcs7), plainCBC: .vaultCrypto(.none),
    hmac: { (key, message) throws(PrimitiveError) in
      try translated { () throws(CryptoError) in
        var hmac = try HMACSHA256(key: key.span)
        return try Array(hmac.code(of: message.span).span)
      }
    },
    hkdf: .vaultCrypto, pbkdf2: .vaultCrypto, scrypt: .vaultCrypto, vaults: .vaultEngine)
}

extension Primitives.AEAD {
  private static let tagLength = gcmTagLength

  /// OpenSSL takes IVs of up to 128 bytes, the standard of up to 2^64 bits.
  fileprivate static let vaultCryptoGCM = Self(
    definedIVLengths: 1...Int.max, takenIVLengths: 1...128,
    seal: { (message, key, iv, aad) throws(PrimitiveError) in
      try translated { () throws(CryptoError) in
        let sealed = try AES256GCM.seal(message.span, key: key.span, iv: iv.span, authenticating: aad.span)
        return split(sealed)
      }
    },
    open: { (sealed, key, iv, aad) throws(PrimitiveError) in
      try translated { () throws(CryptoError) in
        let opened = try AES256GCM.open(
          sealed.ciphertext.span, tag: sealed.tag.span, key: key.span, iv: iv.span, authenticating: aad.span)
        return Array(opened.span)
      }
    })

  fileprivate static let vaultCryptoXAES = Self(
    definedIVLengths: 24...24, takenIVLengths: 24...24,
    seal: { (message, key, iv, aad) throws(PrimitiveError) in
      let nonce = try parts(of: iv)
      return try translated { () throws(CryptoError) in
        var cipher = try XAES256GCM(key: key.span)
        let sealed = try [UInt8](capacity: tagLength + message.count) { (output) throws(CryptoError) in
          try cipher.seal(
            message.span, salt: nonce.salt, iv: nonce.iv, authenticating: aad.span, appendingTo: &output)
        }
        return split(sealed)
      }
    },
    open: { (sealed, key, iv, aad) throws(PrimitiveError) in
      let nonce = try parts(of: iv)
      return try translated { () throws(CryptoError) in
        var cipher = try XAES256GCM(key: key.span)
        return try [UInt8](capacity: sealed.ciphertext.count) { (output) throws(CryptoError) in
          try cipher.open(
            sealed.ciphertext.span, salt: nonce.salt, iv: nonce.iv, tag: sealed.tag.span, authenticating: aad.span,
            appendingTo: &output)
        }
      }
    })

  /// VaultCrypto puts the tag first.
  private static func split(_ sealed: [UInt8]) -> Primitives.Sealed {
    Primitives.Sealed(ciphertext: Array(sealed.dropFirst(tagLength)), tag: Array(sealed.prefix(tagLength)))
  }

  private static func parts(of nonce: [UInt8]) throws(PrimitiveError) -> (salt: XAES256GCM.Part, iv: XAES256GCM.Part) {
    guard nonce.count == 24 else {
      throw .refusesParameter("the length of an XAES-256-GCM nonce is \(nonce.count); it must be 24 bytes")
    }
    return (XAES256GCM.Part(nonce.span.extracting(first: 12)), XAES256GCM.Part(nonce.span.extracting(last: 12)))
  }
}

extension Primitives.BlockMode {
  fileprivate static func vaultCrypto(_ padding: AES256CBC.Padding) -> Self {
    Self(
      seal: { (message, key, iv) throws(PrimitiveError) in
        try translated { () throws(CryptoError) in
          try AES256CBC.seal(message.span, key: key.span, iv: iv.span, padding: padding)
        }
      },
      open: { (ciphertext, key, iv) throws(PrimitiveError) in
        try translated { () throws(CryptoError) in
          let opened = try AES256CBC.open(ciphertext.span, key: key.span, iv: iv.span, padding: padding)
          return Array(opened.span)
        }
      })
  }
}

extension Primitives.HKDF {
  fileprivate static let vaultCrypto = Self(
    counts: 1...8160,
    derive: { (keyMaterial, salt, info, count) throws(PrimitiveError) in
      try translated { () throws(CryptoError) in
        let key = try KeyDerivation.hkdfSHA256(
          keyMaterial: keyMaterial.span, salt: salt.span, info: info.span, count: count)
        return Array(key.span)
      }
    })
}

extension Primitives.PBKDF2 {
  fileprivate static let vaultCrypto = Self(
    iterations: KeyDerivation.Bounds.vectors.iterations, counts: 1...1024,
    derive: { (hash, password, salt, iterations, count) throws(PrimitiveError) in
      try translated { () throws(CryptoError) in
        let key = try KeyDerivation.pbkdf2(
          hash == .sha256 ? .sha256 : .sha512, passphrase: password.span, salt: salt.span, iterations: iterations,
          count: count, bounds: .vectors)
        return Array(key.span)
      }
    })
}

extension Primitives.Scrypt {
  fileprivate static let vaultCrypto = Self(
    n: 2...1 << 20,
    factors: Int(
      KeyDerivation.Bounds.vectors.scryptFactor.lowerBound)...Int(
        KeyDerivation.Bounds.vectors.scryptFactor.upperBound),
    product: 1 << 25, counts: 1...1024,
    derive: { (password, salt, cost, count) throws(PrimitiveError) in
      try translated { () throws(CryptoError) in
        let key = try KeyDerivation.scrypt(
          passphrase: password.span, salt: salt.span, n: UInt64(clamping: cost.n), r: UInt32(clamping: cost.r),
          p: UInt32(clamping: cost.p), count: count, bounds: .vectors)
        return Array(key.span)
      }
    })
}

/// Runs `body`, whose errors become those of an implementation under test.
private func translated<Result>(_ body: () throws(CryptoError) -> Result) throws(PrimitiveError) -> Result {
  do throws(CryptoError) {
    return try body()
  } catch {
    switch error.code {
    case .invalidParameter: throw .refusesParameter(error.sentence)
    case .cannotOpen: throw .doesNotOpen
    default: throw .broke(error.sentence)
    }
  }
}

extension Array<UInt8> {
  /// A copy of `bytes`.
  fileprivate init(_ bytes: Span<UInt8>) {
    self.init(capacity: bytes.count) { (output) in
      for index in bytes.indices { output.append(bytes[index]) }
    }
  }
}
