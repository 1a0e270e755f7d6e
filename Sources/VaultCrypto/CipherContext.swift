internal import COpenSSL

/// One `EVP_CIPHER_CTX`, freed (and its key schedule wiped, by OpenSSL) with the value.
///
/// It has one owner at a time, which may be another thread than before: whatever works on the context is `mutating`.
@safe
struct CipherContext: ~Copyable, @unchecked Sendable {
  let pointer: OpaquePointer

  init() throws(CryptoError) {
    unsafe pointer = try unsafe OpenSSL.require(EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new")
  }

  deinit { unsafe EVP_CIPHER_CTX_free(pointer) }
}

/// The direction of a cipher, as OpenSSL numbers it.
enum CipherDirection: Int32 {
  case open = 0
  case seal = 1
}

extension CipherContext {
  /// Encrypts `plaintext` and appends `authTag | ciphertext`, the order of a sealed record, to `output`.
  ///
  /// The context has its key and IV. The tag has 16 bytes; `output` must have room for it and the ciphertext.
  mutating func sealGCM(
    _ plaintext: Span<UInt8>, authenticating aad: Span<UInt8>, appendingTo output: inout OutputSpan<UInt8>
  ) throws(CryptoError) {
    let total = gcmTagLength + plaintext.count
    precondition(output.freeCapacity >= total)
    try authenticate(aad)
    try unsafe output.withUnsafeMutableBufferPointer { (buffer, count) throws(CryptoError) in
      let tag = unsafe buffer.baseAddress.unsafelyUnwrapped + count
      var written: Int32 = 0
      let status = unsafe plaintext.withAddress {
        unsafe EVP_CipherUpdate(pointer, tag + gcmTagLength, &written, $0, Int32(plaintext.count))
      }
      try OpenSSL.check(status, "EVP_CipherUpdate")
      try unsafe OpenSSL.check(EVP_CipherFinal_ex(pointer, tag + total, &written), "EVP_CipherFinal_ex")
      try unsafe OpenSSL.check(
        EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_GET_TAG, Int32(gcmTagLength), tag), "EVP_CTRL_AEAD_GET_TAG")
      count += total
    }
  }

  /// Decrypts `ciphertext` to the end of `output` if `tag` fits; else wipes what it wrote and appends nothing.
  mutating func openGCM(
    _ ciphertext: Span<UInt8>, tag: Span<UInt8>, authenticating aad: Span<UInt8>,
    appendingTo output: inout OutputSpan<UInt8>
  ) throws(CryptoError) {
    precondition(output.freeCapacity >= ciphertext.count && tag.count == gcmTagLength)
    try authenticate(aad)
    try unsafe output.withUnsafeMutableBufferPointer { (buffer, count) throws(CryptoError) in
      // An empty output may have no address at all; OpenSSL takes null for "this is AAD".
      var nothing: UInt8 = 0
      let opened = unsafe withUnsafeMutablePointer(to: &nothing) { (nothing) -> Bool in
        let start = unsafe buffer.baseAddress.map { unsafe $0 + count } ?? nothing
        var written: Int32 = 0
        let updated = unsafe ciphertext.withAddress {
          unsafe EVP_CipherUpdate(pointer, start, &written, $0, Int32(ciphertext.count))
        }
        let tagSet = unsafe tag.withAddress {
          unsafe EVP_CIPHER_CTX_ctrl(
            pointer, EVP_CTRL_AEAD_SET_TAG, Int32(gcmTagLength), UnsafeMutablePointer(mutating: $0))
        }
        let fits = unsafe EVP_CipherFinal_ex(pointer, nothing, &written)
        if updated == 1, tagSet == 1, fits == 1 { return true }
        unsafe OPENSSL_cleanse(start, ciphertext.count)
        return false
      }
      guard opened else {
        ERR_clear_error()
        throw .cannotOpen
      }
      count += ciphertext.count
    }
  }

  private mutating func authenticate(_ aad: Span<UInt8>) throws(CryptoError) {
    guard aad.count > 0 else { return }
    var written: Int32 = 0
    let status = unsafe aad.withAddress { unsafe EVP_CipherUpdate(pointer, nil, &written, $0, Int32(aad.count)) }
    try OpenSSL.check(status, "EVP_CipherUpdate")
  }
}

/// Length of an authentication tag in bytes. OpenSSL accepts a tag of one byte; nothing here does.
package let gcmTagLength = 16

/// What one call of a cipher takes at most: OpenSSL counts in `int`. Far above every limit of the format.
let longestInput = 1 << 30
