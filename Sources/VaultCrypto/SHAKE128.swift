internal import COpenSSL

/// SHAKE-128 (FIPS 202, section 6.2), an output of any length. For vectors only: no vault uses it.
///
/// OpenSSL 3.0 gives the output in one piece, so the length is chosen once, at the end.
@safe
package struct SHAKE128: ~Copyable {
  /// `EVP_MD_CTX *`
  private let context: OpaquePointer

  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init() throws(CryptoError) {
    let algorithm = try unsafe OpenSSL.require(OpenSSL.shake128, "EVP_MD_fetch")
    let context = try unsafe OpenSSL.require(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
    guard unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
      unsafe EVP_MD_CTX_free(context)
      throw .libraryFailure("EVP_DigestInit_ex2")
    }
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Adds `bytes` to what is absorbed.
  package mutating func update(_ bytes: Span<UInt8>) throws(CryptoError) {
    let status = unsafe bytes.withAddress { unsafe EVP_DigestUpdate(context, $0, bytes.count) }
    try OpenSSL.check(status, "EVP_DigestUpdate")
  }

  /// The first `count` bytes of output; the value is used up.
  ///
  /// - Parameter count: 1 byte to 1 GiB.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for another length.
  package consuming func finish(count: Int) throws(CryptoError) -> [UInt8] {
    guard (1...longestInput).contains(count) else {
      throw .invalid("the length of a SHAKE-128 output", found: count, allowed: "1 byte to 1 GiB")
    }
    return try [UInt8](capacity: count) { (output) throws(CryptoError) in
      try unsafe output.withUnsafeMutableBufferPointer { (buffer, written) throws(CryptoError) in
        try unsafe OpenSSL.check(EVP_DigestFinalXOF(context, buffer.baseAddress, count), "EVP_DigestFinalXOF")
        written = count
      }
    }
  }

  /// The first `count` bytes of output for `bytes` alone, with the errors of ``finish(count:)``.
  package static func output(of bytes: Span<UInt8>, count: Int) throws(CryptoError) -> [UInt8] {
    var hash = try SHAKE128()
    try hash.update(bytes)
    return try hash.finish(count: count)
  }
}
