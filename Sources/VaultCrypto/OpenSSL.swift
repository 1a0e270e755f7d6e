internal import COpenSSL

/// The algorithms that this module asks OpenSSL for, each fetched once in the life of the process.
///
/// They come from a library context of our own: the host's `openssl.cnf`, engines and default properties neither change
/// what a vault is sealed with nor cost a start-up.
/// A fetch that fails leaves `nil`, and the call that needed it throws ``CryptoError/Code/libraryFailure``.
enum OpenSSL {
  /// `OSSL_LIB_CTX *`
  nonisolated(unsafe) static let context: OpaquePointer? = unsafe OSSL_LIB_CTX_new()

  /// `EVP_CIPHER *`
  nonisolated(unsafe) static let aes256ECB = unsafe EVP_CIPHER_fetch(context, "AES-256-ECB", nil)
  /// `EVP_CIPHER *`
  nonisolated(unsafe) static let aes256GCM = unsafe EVP_CIPHER_fetch(context, "AES-256-GCM", nil)
  /// `EVP_CIPHER *`
  nonisolated(unsafe) static let aes256CBC = unsafe EVP_CIPHER_fetch(context, "AES-256-CBC", nil)
  /// `EVP_MD *`
  nonisolated(unsafe) static let sha256 = unsafe EVP_MD_fetch(context, "SHA256", nil)
  /// `EVP_MD *`
  nonisolated(unsafe) static let shake128 = unsafe EVP_MD_fetch(context, "SHAKE128", nil)
  /// `EVP_MAC *`
  nonisolated(unsafe) static let hmac = unsafe EVP_MAC_fetch(context, "HMAC", nil)
  /// `EVP_KDF *`
  nonisolated(unsafe) static let hkdf = unsafe EVP_KDF_fetch(context, "HKDF", nil)
  /// `EVP_KDF *`
  nonisolated(unsafe) static let scrypt = unsafe EVP_KDF_fetch(context, "SCRYPT", nil)
  /// `EVP_KDF *`
  nonisolated(unsafe) static let pbkdf2 = unsafe EVP_KDF_fetch(context, "PBKDF2", nil)

  /// Throws unless OpenSSL returned 1; empties its error queue, whose text may tell more than an error should.
  @inline(__always)
  static func check(_ status: Int32, _ call: StaticString) throws(CryptoError) {
    guard status != 1 else { return }
    throw failure(call)
  }

  private static func failure(_ call: StaticString) -> CryptoError {
    ERR_clear_error()
    return .libraryFailure(call)
  }

  /// The pointer that OpenSSL gave, or an error that names the call.
  static func require(_ pointer: OpaquePointer?, _ call: StaticString) throws(CryptoError) -> OpaquePointer {
    guard let pointer = unsafe pointer else {
      ERR_clear_error()
      throw .libraryFailure(call)
    }
    return unsafe pointer
  }

  /// The address of an empty buffer: OpenSSL takes a null pointer for "no buffer given", which means something else.
  nonisolated(unsafe) static let empty: UnsafePointer<UInt8> = {
    let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    unsafe byte.initialize(to: 0)
    return unsafe UnsafePointer(byte)
  }()
}

/// For a process that is all ours, as a command is.
package enum CryptoLibrary {
  /// Keeps OpenSSL from reading the host's configuration and from preparing what nobody here asks for: half a millisecond
  /// at the start of every command. Must come before anything else of this module; a library must leave it alone.
  package static func startLean() {
    let options = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS
    let ciphers = OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS
    // Without it everything works too, only later: a failure is no error.
    _ = OPENSSL_init_crypto(UInt64(options | ciphers), nil)
  }
}

extension Span<UInt8> {
  /// The span's address for a C call, never null. It lives as long as `body` runs.
  func withAddress<Result, Failure: Error>(
    _ body: (UnsafePointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe withUnsafeBufferPointer { (buffer) throws(Failure) in
      try unsafe body(buffer.baseAddress ?? OpenSSL.empty)
    }
  }
}
