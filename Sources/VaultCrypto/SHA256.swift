internal import COpenSSL

/// SHA-256 (FIPS 180-4) over data that comes in parts. The context is kept from one digest to the next.
package struct SHA256: ~Copyable, Sendable {
  /// 32 bytes.
  package typealias Digest = FixedBytes<32>

  private var context: DigestContext

  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init() throws(CryptoError) { context = try unsafe DigestContext(OpenSSL.sha256) }

  /// Adds `bytes` to what is hashed.
  package mutating func update(_ bytes: Span<UInt8>) throws(CryptoError) { try context.update(bytes) }

  /// The digest of all that was added since the last one; the next digest begins.
  package mutating func finish() throws(CryptoError) -> Digest {
    var digest = Digest()
    var bytes = digest.mutableSpan
    let status = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe EVP_DigestFinal_ex(context.pointer, $0.baseAddress, nil)
    }
    try OpenSSL.check(status, "EVP_DigestFinal_ex")
    try unsafe OpenSSL.check(EVP_DigestInit_ex2(context.pointer, nil, nil), "EVP_DigestInit_ex2")
    return digest
  }

  /// The digest of `bytes` alone.
  package static func digest(of bytes: Span<UInt8>) throws(CryptoError) -> Digest {
    var hash = try SHA256()
    try hash.update(bytes)
    return try hash.finish()
  }
}
