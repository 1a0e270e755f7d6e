internal import COpenSSL

/// XAES-256-GCM (C2SP XAES-256-GCM 1.0): AES-256-GCM with a 24-byte nonce under a key derived for each message.
///
/// The first 12 bytes of the nonce, which the vault format calls *salt*, select the derived key by CMAC as NIST SP 800-108
/// describes; the last 12, the *iv*, are the GCM nonce. Random nonces are safe for 2^80 messages a key.
///
/// One value serves one thread: it keeps its contexts from call to call.
package struct XAES256GCM: ~Copyable, Sendable {
  /// 12 bytes: half of the nonce.
  package typealias Part = FixedBytes<12>

  /// Length of a key in bytes.
  package static let keyLength = 32

  private let block: CipherContext
  private var gcm: CipherContext
  /// K1 (16 bytes), then the two CMAC inputs (32), then the derived key (32).
  private var scratch: SecretBytes

  /// - Parameter key: 32 bytes.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for another length.
  package init(key: Span<UInt8>) throws(CryptoError) {
    guard key.count == Self.keyLength else {
      throw .invalid("the length of an XAES-256-GCM key", found: key.count, allowed: "32 bytes")
    }
    let block = try CipherContext()
    let gcm = try CipherContext()
    let aes = try unsafe OpenSSL.require(OpenSSL.aes256ECB, "EVP_CIPHER_fetch")
    let mode = try unsafe OpenSSL.require(OpenSSL.aes256GCM, "EVP_CIPHER_fetch")
    let status = unsafe key.withAddress { unsafe EVP_EncryptInit_ex2(block.pointer, aes, $0, nil, nil) }
    try OpenSSL.check(status, "EVP_EncryptInit_ex2")
    try unsafe OpenSSL.check(EVP_CIPHER_CTX_set_padding(block.pointer, 0), "EVP_CIPHER_CTX_set_padding")
    try unsafe OpenSSL.check(EVP_CipherInit_ex2(gcm.pointer, mode, nil, nil, -1, nil), "EVP_CipherInit_ex2")
    let scratch = try SecretBytes(capacity: 80) { (output) in output.append(repeating: 0, count: 80) }
    var derived = XAES256GCM(block: block, gcm: gcm, scratch: scratch)
    try derived.computeSubkey()
    self = derived
  }

  private init(block: consuming CipherContext, gcm: consuming CipherContext, scratch: consuming SecretBytes) {
    self.block = block
    self.gcm = gcm
    self.scratch = scratch
  }

  /// K1 of CMAC: L = AES(0^128), shifted left by one, reduced by 0x87 when a bit fell out (NIST SP 800-38B, 6.1); and the
  /// two inputs, of which a message changes nothing but the salt.
  private mutating func computeSubkey() throws(CryptoError) {
    try unsafe encryptBlocks(at: 0, count: 1, to: 0)
    var bytes = scratch.mutableSpan
    let carry: UInt8 = (bytes[0] >> 7) * 0x87
    for index in 0..<15 { bytes[index] = bytes[index] << 1 | bytes[index + 1] >> 7 }
    bytes[15] = bytes[15] << 1 ^ carry
    for block in 0..<2 {
      let start = 16 + 16 * block
      for index in 0..<16 { bytes[start + index] = bytes[index] }
      bytes[start + 1] ^= UInt8(block + 1)
      bytes[start + 2] ^= 0x58
    }
  }

  /// AES-256 of whole blocks of the scratch buffer.
  @unsafe
  private mutating func encryptBlocks(at source: Int, count: Int, to target: Int) throws(CryptoError) {
    let context = unsafe block.pointer
    var bytes = scratch.mutableSpan
    let status = unsafe bytes.withUnsafeMutableBufferPointer { (buffer) -> Int32 in
      let base = unsafe buffer.baseAddress.unsafelyUnwrapped
      var written: Int32 = 0
      return unsafe EVP_EncryptUpdate(context, base + target, &written, base + source, Int32(16 * count))
    }
    try OpenSSL.check(status, "EVP_EncryptUpdate")
  }

  /// Derives the message key of `salt` and sets it and `iv` in the GCM context.
  private mutating func prepare(_ direction: CipherDirection, salt: Part, iv: Part) throws(CryptoError) {
    let high = scratch.span.bigEndian(at: 4, as: UInt64.self) ^ salt.span.bigEndian(at: 0)
    let low = scratch.span.bigEndian(at: 12, as: UInt32.self) ^ salt.span.bigEndian(at: 8)
    var bytes = scratch.mutableSpan
    for block in 0..<2 {
      bytes.replace(at: 20 + 16 * block, bigEndian: high)
      bytes.replace(at: 28 + 16 * block, bigEndian: low)
    }
    try unsafe encryptBlocks(at: 16, count: 2, to: 48)
    let context = unsafe gcm.pointer
    var ready = scratch.mutableSpan
    let status = unsafe ready.withUnsafeMutableBufferPointer { (buffer) -> Int32 in
      let key = unsafe buffer.baseAddress.unsafelyUnwrapped + 48
      return unsafe iv.span.withAddress { (iv) -> Int32 in
        unsafe EVP_CipherInit_ex2(context, nil, key, iv, direction.rawValue, nil)
      }
    }
    try OpenSSL.check(status, "EVP_CipherInit_ex2")
  }

  /// Appends `authTag | ciphertext` of `plaintext` to `output`, which must have room for 16 bytes and the plaintext.
  ///
  /// - Parameters:
  ///   - salt: the first half of a nonce that this key has never been used with.
  ///   - iv: the second half.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for a plaintext over 1 GiB.
  package mutating func seal(
    _ plaintext: Span<UInt8>, salt: Part, iv: Part, authenticating aad: Span<UInt8>,
    appendingTo output: inout OutputSpan<UInt8>
  ) throws(CryptoError) {
    guard plaintext.count <= longestInput else {
      throw .invalid("the length of a plaintext", found: plaintext.count, allowed: "at most 1 GiB")
    }
    try prepare(.seal, salt: salt, iv: iv)
    try gcm.sealGCM(plaintext, authenticating: aad, appendingTo: &output)
  }

  /// Appends the plaintext to `output` if the tag fits. Until then nothing of it is visible, and after a failure what
  /// was written is wiped.
  ///
  /// - Parameter tag: 16 bytes.
  /// - Throws: ``CryptoError/Code/cannotOpen`` when the tag does not fit, ``CryptoError/Code/invalidParameter`` for a tag of
  ///   another length.
  package mutating func open(
    _ ciphertext: Span<UInt8>, salt: Part, iv: Part, tag: Span<UInt8>, authenticating aad: Span<UInt8>,
    appendingTo output: inout OutputSpan<UInt8>
  ) throws(CryptoError) {
    guard tag.count == gcmTagLength else {
      throw .invalid("the length of an authentication tag", found: tag.count, allowed: "16 bytes")
    }
    guard ciphertext.count <= longestInput else {
      throw .invalid("the length of a ciphertext", found: ciphertext.count, allowed: "at most 1 GiB")
    }
    try prepare(.open, salt: salt, iv: iv)
    try gcm.openGCM(ciphertext, tag: tag, authenticating: aad, appendingTo: &output)
  }
}
