internal import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) as legacy records use it: key and IV are given for each call.
package enum AES256GCM {
  /// Seals `plaintext`; returns `authTag | ciphertext`.
  ///
  /// - Parameters:
  ///   - key: 32 bytes.
  ///   - iv: 1 to 128 bytes, which is what OpenSSL takes. Legacy records have 12 or 16.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for other lengths.
  package static func seal(
    _ plaintext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, authenticating aad: Span<UInt8>
  ) throws(CryptoError) -> [UInt8] {
    var context = try prepare(.seal, key: key, iv: iv, length: plaintext.count)
    return try [UInt8](capacity: gcmTagLength + plaintext.count) { (output) throws(CryptoError) in
      try context.sealGCM(plaintext, authenticating: aad, appendingTo: &output)
    }
  }

  /// Opens `ciphertext` if `tag`, 16 bytes and no fewer, fits.
  ///
  /// - Throws: ``CryptoError/Code/cannotOpen`` when it does not, ``CryptoError/Code/invalidParameter`` for wrong lengths.
  package static func open(
    _ ciphertext: Span<UInt8>, tag: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, authenticating aad: Span<UInt8>
  ) throws(CryptoError) -> SecretBytes {
    guard tag.count == gcmTagLength else {
      throw .invalid("the length of an authentication tag", found: tag.count, allowed: "16 bytes")
    }
    var context = try prepare(.open, key: key, iv: iv, length: ciphertext.count)
    return try SecretBytes(capacity: ciphertext.count) { (output) throws(CryptoError) in
      try context.openGCM(ciphertext, tag: tag, authenticating: aad, appendingTo: &output)
    }
  }

  private static func prepare(
    _ direction: CipherDirection, key: Span<UInt8>, iv: Span<UInt8>, length: Int
  ) throws(CryptoError) -> CipherContext {
    guard key.count == 32 else {
      throw .invalid("the length of an AES-256 key", found: key.count, allowed: "32 bytes")
    }
    guard (1...128).contains(iv.count) else {
      throw .invalid("the length of a GCM IV", found: iv.count, allowed: "1 to 128 bytes")
    }
    guard length <= longestInput else {
      throw .invalid("the length of the data", found: length, allowed: "at most 1 GiB")
    }
    let context = try CipherContext()
    let cipher = try unsafe OpenSSL.require(OpenSSL.aes256GCM, "EVP_CIPHER_fetch")
    try unsafe OpenSSL.check(
      EVP_CipherInit_ex2(context.pointer, cipher, nil, nil, direction.rawValue, nil), "EVP_CipherInit_ex2")
    try unsafe OpenSSL.check(
      EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_SET_IVLEN, Int32(iv.count), nil), "EVP_CTRL_AEAD_SET_IVLEN")
    let status = unsafe key.withAddress { (key) -> Int32 in
      unsafe iv.withAddress { (iv) -> Int32 in
        unsafe EVP_CipherInit_ex2(context.pointer, nil, key, iv, direction.rawValue, nil)
      }
    }
    try OpenSSL.check(status, "EVP_CipherInit_ex2")
    return context
  }
}

/// AES-256-CBC (NIST SP 800-38A) as legacy records use it, with PKCS #7 padding (RFC 5652, section 6.3) or none.
///
/// CBC does not authenticate: a changed record may open to other bytes. Nothing new is ever sealed this way but test vectors.
package enum AES256CBC {
  /// How the last block is filled.
  package enum Padding: Sendable {
    /// 1 to 16 bytes, each of which says how many; every one is checked.
    case pkcs7
    /// None: the data is whole blocks. For published vectors alone.
    case none
  }

  /// Seals `plaintext`.
  ///
  /// - Parameters:
  ///   - key: 32 bytes.
  ///   - iv: 16 bytes.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for other lengths.
  package static func seal(
    _ plaintext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, padding: Padding = .pkcs7
  ) throws(CryptoError) -> [UInt8] {
    guard padding == .pkcs7 || plaintext.count % 16 == 0 else {
      throw .invalid("the length of an unpadded plaintext", found: plaintext.count, allowed: "a multiple of 16 bytes")
    }
    var context = try prepare(.seal, key: key, iv: iv, padding: padding, length: plaintext.count)
    return try [UInt8](capacity: plaintext.count + 16) { (output) throws(CryptoError) in
      try run(&context, plaintext, &output)
    }
  }

  /// Opens `ciphertext`, which is whole blocks.
  ///
  /// - Throws: ``CryptoError/Code/cannotOpen`` for every ciphertext that does not open, whatever the reason;
  ///   ``CryptoError/Code/invalidParameter`` for a key or an IV of the wrong length.
  package static func open(
    _ ciphertext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, padding: Padding = .pkcs7
  ) throws(CryptoError) -> SecretBytes {
    var context = try prepare(.open, key: key, iv: iv, padding: padding, length: ciphertext.count)
    guard ciphertext.count % 16 == 0, padding == .none || ciphertext.count > 0 else { throw .cannotOpen }
    var plaintext = try SecretBytes(capacity: ciphertext.count + 16)
    do {
      try plaintext.append { (output) throws(CryptoError) in try run(&context, ciphertext, &output) }
    } catch {
      throw .cannotOpen
    }
    return plaintext
  }

  private static func prepare(
    _ direction: CipherDirection, key: Span<UInt8>, iv: Span<UInt8>, padding: Padding, length: Int
  ) throws(CryptoError) -> CipherContext {
    guard key.count == 32 else {
      throw .invalid("the length of an AES-256 key", found: key.count, allowed: "32 bytes")
    }
    guard iv.count == 16 else { throw .invalid("the length of a CBC IV", found: iv.count, allowed: "16 bytes") }
    guard length <= longestInput else {
      throw .invalid("the length of the data", found: length, allowed: "at most 1 GiB")
    }
    let context = try CipherContext()
    let cipher = try unsafe OpenSSL.require(OpenSSL.aes256CBC, "EVP_CIPHER_fetch")
    let status = unsafe key.withAddress { (key) -> Int32 in
      unsafe iv.withAddress { (iv) -> Int32 in
        unsafe EVP_CipherInit_ex2(context.pointer, cipher, key, iv, direction.rawValue, nil)
      }
    }
    try OpenSSL.check(status, "EVP_CipherInit_ex2")
    let mode: Int32 = padding == .pkcs7 ? 1 : 0
    try unsafe OpenSSL.check(EVP_CIPHER_CTX_set_padding(context.pointer, mode), "EVP_CIPHER_CTX_set_padding")
    return context
  }

  /// Runs the whole of `input` through the cipher; `output` must have room for one block more.
  private static func run(
    _ context: inout CipherContext, _ input: Span<UInt8>, _ output: inout OutputSpan<UInt8>
  ) throws(CryptoError) {
    precondition(output.freeCapacity >= input.count + 16)
    try unsafe output.withUnsafeMutableBufferPointer { (buffer, count) throws(CryptoError) in
      let start = unsafe buffer.baseAddress.unsafelyUnwrapped + count
      var written: Int32 = 0
      var last: Int32 = 0
      let status = unsafe input.withAddress {
        unsafe EVP_CipherUpdate(context.pointer, start, &written, $0, Int32(input.count))
      }
      try OpenSSL.check(status, "EVP_CipherUpdate")
      try unsafe OpenSSL.check(
        EVP_CipherFinal_ex(context.pointer, start + Int(written), &last), "EVP_CipherFinal_ex")
      count += Int(written) + Int(last)
    }
  }
}
