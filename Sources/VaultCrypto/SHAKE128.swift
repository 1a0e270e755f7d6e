internal import COpenSSL

/// SHAKE-128 (FIPS 202, section 6.2), an output of any length. For vectors only: no vault uses it.
///
/// OpenSSL 3.0 gives the output in one piece, so the length is chosen once, at the end.
package struct SHAKE128: ~Copyable {
  private var context: DigestContext

  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init() throws(CryptoError) { context = try unsafe DigestContext(OpenSSL.shake128) }

  /// Adds `bytes` to what is absorbed.
  package mutating func update(_ bytes: Span<UInt8>) throws(CryptoError) { try context.update(bytes) }

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
        try unsafe OpenSSL.check(EVP_DigestFinalXOF(context.pointer, buffer.baseAddress, count), "EVP_DigestFinalXOF")
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
