internal import COpenSSL

/// Whether two secrets are the same, in a time that depends on their length alone (`CRYPTO_memcmp`).
/// Different lengths are unequal at once.
package func constantTimeEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  return unsafe left.withAddress { (left) in
    unsafe right.withUnsafeBufferPointer { (right) in
      unsafe CRYPTO_memcmp(left, right.baseAddress ?? OpenSSL.empty, right.count) == 0
    }
  }
}
