internal import COpenSSL

/// HMAC-SHA-256 (RFC 2104) under one key, whose schedule is computed once.
@safe
package struct HMACSHA256: ~Copyable, @unchecked Sendable {
  /// `EVP_MAC_CTX *`
  private let context: OpaquePointer

  /// A key of any length, also none (RFC 2104, section 2).
  ///
  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init(key: Span<UInt8>) throws(CryptoError) {
    let algorithm = try unsafe OpenSSL.require(OpenSSL.hmac, "EVP_MAC_fetch")
    let context = try unsafe OpenSSL.require(EVP_MAC_CTX_new(algorithm), "EVP_MAC_CTX_new")
    var parameters = Parameters()
    parameters.set("digest", to: "SHA256")
    let status = unsafe parameters.with { (parameters) in
      unsafe key.withAddress { unsafe EVP_MAC_init(context, $0, key.count, parameters) }
    }
    guard status == 1 else {
      unsafe EVP_MAC_CTX_free(context)
      throw .libraryFailure("EVP_MAC_init")
    }
    unsafe self.context = context
  }

  deinit { unsafe EVP_MAC_CTX_free(context) }

  /// The code of `message`, 32 bytes.
  package mutating func code(of message: Span<UInt8>) throws(CryptoError) -> FixedBytes<32> {
    try unsafe OpenSSL.check(EVP_MAC_init(context, nil, 0, nil), "EVP_MAC_init")
    let update = unsafe message.withAddress { unsafe EVP_MAC_update(context, $0, message.count) }
    try OpenSSL.check(update, "EVP_MAC_update")
    var code = FixedBytes<32>()
    var bytes = code.mutableSpan
    let status = unsafe bytes.withUnsafeMutableBufferPointer {
      var written = 0
      return unsafe EVP_MAC_final(context, $0.baseAddress, &written, $0.count)
    }
    try OpenSSL.check(status, "EVP_MAC_final")
    return code
  }
}
