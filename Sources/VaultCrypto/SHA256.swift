internal import COpenSSL

/// SHA-256 (FIPS 180-4) over data that comes in parts. The context is kept from one digest to the next.
@safe
package struct SHA256: ~Copyable, @unchecked Sendable {
  /// 32 bytes.
  package typealias Digest = FixedBytes<32>

  /// `EVP_MD_CTX *`
  private let context: OpaquePointer

  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init() throws(CryptoError) {
    let algorithm = try unsafe OpenSSL.require(OpenSSL.sha256, "EVP_MD_fetch")
    let context = try unsafe OpenSSL.require(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
    guard unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
      unsafe EVP_MD_CTX_free(context)
      throw .libraryFailure("EVP_DigestInit_ex2")
    }
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Adds `bytes` to what is hashed.
  package mutating func update(_ bytes: Span<UInt8>) throws(CryptoError) {
    let status = unsafe bytes.withAddress { unsafe EVP_DigestUpdate(context, $0, bytes.count) }
    try OpenSSL.check(status, "EVP_DigestUpdate")
  }

  /// The digest of all that was added since the last one; the next digest begins.
  package mutating func finish() throws(CryptoError) -> Digest {
    var digest = Digest()
    var bytes = digest.mutableSpan
    let status = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil)
    }
    try OpenSSL.check(status, "EVP_DigestFinal_ex")
    try unsafe OpenSSL.check(EVP_DigestInit_ex2(context, nil, nil), "EVP_DigestInit_ex2")
    return digest
  }

  /// The digest of `bytes` alone.
  package static func digest(of bytes: Span<UInt8>) throws(CryptoError) -> Digest {
    var hash = try SHA256()
    try hash.update(bytes)
    return try hash.finish()
  }
}
