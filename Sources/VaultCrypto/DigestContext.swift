internal import COpenSSL

/// One `EVP_MD_CTX` at the beginning of a digest, freed with the value.
///
/// It has one owner at a time, which may be another thread than before: whatever works on the context is `mutating`.
@safe
struct DigestContext: ~Copyable, @unchecked Sendable {
  let pointer: OpaquePointer

  /// - Parameter algorithm: `EVP_MD *`
  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory, or no such algorithm.
  init(_ algorithm: OpaquePointer?) throws(CryptoError) {
    let algorithm = try unsafe OpenSSL.require(algorithm, "EVP_MD_fetch")
    let context = try unsafe OpenSSL.require(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
    guard unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
      unsafe EVP_MD_CTX_free(context)
      throw .libraryFailure("EVP_DigestInit_ex2")
    }
    unsafe pointer = context
  }

  deinit { unsafe EVP_MD_CTX_free(pointer) }

  /// Adds `bytes` to what is digested.
  mutating func update(_ bytes: Span<UInt8>) throws(CryptoError) {
    let status = unsafe bytes.withAddress { unsafe EVP_DigestUpdate(pointer, $0, bytes.count) }
    try OpenSSL.check(status, "EVP_DigestUpdate")
  }
}
