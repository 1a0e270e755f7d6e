internal import COpenSSL

/// The key derivation functions that vaults and legacy records use, all from OpenSSL's `EVP_KDF`.
///
/// Every parameter is checked against its bounds before OpenSSL sees it: a hostile file must not choose how much time or
/// memory its reader spends.
package enum KeyDerivation {
  /// How far costs may go. Lengths have bounds of their own, the same for every caller.
  package struct Bounds: Sendable {
    /// scrypt's r, and its p.
    package let scryptFactor: ClosedRange<UInt32>
    /// Iterations of PBKDF2.
    package let iterations: ClosedRange<Int>

    /// For everything that comes from a vault or a record: r and p 1 to 64, at most 10 000 000 iterations.
    package static let records = Bounds(scryptFactor: 1...64, iterations: 1...10_000_000)
    /// For published vectors alone, which go further: r and p 1 to 1024, at most 2^24 iterations.
    package static let vectors = Bounds(scryptFactor: 1...1024, iterations: 1...1 << 24)
  }

  /// HKDF with SHA-256 (RFC 5869), extract and expand.
  ///
  /// - Parameter count: length of the output, 1 to 8160 (255 * 32) bytes.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for another `count`.
  package static func hkdfSHA256(
    keyMaterial: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>, count: Int
  ) throws(CryptoError) -> SecretBytes {
    guard (1...8160).contains(count) else {
      throw .invalid("the length of an HKDF output", found: count, allowed: "1 to 8160 bytes")
    }
    var parameters = Parameters()
    parameters.set("digest", to: "SHA256")
    parameters.set("key", to: keyMaterial)
    // RFC 5869: no salt is the same as a string of zeros; OpenSSL does that when the parameter is missing.
    if salt.count > 0 { parameters.set("salt", to: salt) }
    parameters.set("info", to: info)
    return try unsafe derive(OpenSSL.hkdf, parameters, count)
  }

  /// scrypt (RFC 7914).
  ///
  /// - Parameters:
  ///   - n: cost, a power of two, 2 to 2^20.
  ///   - r: block size, within `bounds`.
  ///   - p: parallelization, within `bounds`; `n * r * p` at most 2^25, so that one call stays within about ten seconds.
  ///   - count: length of the output, 1 to 1024 bytes.
  ///   - bounds: what r and p may be.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for anything outside these bounds. It takes `128 * n * r` bytes of memory.
  package static func scrypt(
    passphrase: Span<UInt8>, salt: Span<UInt8>, n: UInt64, r: UInt32, p: UInt32, count: Int,
    bounds: Bounds = .records
  ) throws(CryptoError) -> SecretBytes {
    guard (2...1 << 20).contains(n), n & (n - 1) == 0 else {
      throw .invalid("scrypt's N", found: Int(clamping: n), allowed: "a power of two from 2 to 2^20")
    }
    guard bounds.scryptFactor.contains(r) else {
      throw .invalid("scrypt's r", found: Int(r), allowed: "within its bounds")
    }
    guard bounds.scryptFactor.contains(p) else {
      throw .invalid("scrypt's p", found: Int(p), allowed: "within its bounds")
    }
    guard n * UInt64(r) * UInt64(p) <= 1 << 25 else {
      throw .invalid("scrypt's N * r * p", found: Int(n) * Int(r) * Int(p), allowed: "at most 2^25")
    }
    guard (1...1024).contains(count) else {
      throw .invalid("the length of a scrypt output", found: count, allowed: "1 to 1024 bytes")
    }
    var parameters = Parameters()
    parameters.set("pass", to: passphrase)
    parameters.set("salt", to: salt)
    parameters.set("n", to: n)
    parameters.set("r", to: r)
    parameters.set("p", to: p)
    // 128 * r * (N + p + 2) bytes are needed; OpenSSL's own ceiling of 32 MiB stands below N = 2^15 with r = 8.
    parameters.set("maxmem_bytes", to: 128 * UInt64(r) * (n + UInt64(p) + 8))
    return try unsafe derive(OpenSSL.scrypt, parameters, count)
  }

  /// The hash under PBKDF2.
  package enum PBKDF2Hash: Sendable { case sha256, sha512 }

  /// PBKDF2 with HMAC (RFC 8018, section 5.2).
  ///
  /// - Parameters:
  ///   - iterations: within `bounds`.
  ///   - count: length of the output, 1 to 1024 bytes.
  ///   - bounds: how many iterations there may be.
  /// - Throws: ``CryptoError/Code/invalidParameter`` for anything outside these bounds.
  package static func pbkdf2(
    _ hash: PBKDF2Hash, passphrase: Span<UInt8>, salt: Span<UInt8>, iterations: Int, count: Int,
    bounds: Bounds = .records
  ) throws(CryptoError) -> SecretBytes {
    guard bounds.iterations.contains(iterations) else {
      throw .invalid("the number of PBKDF2 iterations", found: iterations, allowed: "within its bounds")
    }
    guard (1...1024).contains(count) else {
      throw .invalid("the length of a PBKDF2 output", found: count, allowed: "1 to 1024 bytes")
    }
    var parameters = Parameters()
    parameters.set("digest", to: hash == .sha256 ? "SHA256" : "SHA512")
    parameters.set("pass", to: passphrase)
    parameters.set("salt", to: salt)
    parameters.set("iter", to: UInt64(iterations))
    return try unsafe derive(OpenSSL.pbkdf2, parameters, count)
  }

  private static func derive(
    _ algorithm: OpaquePointer?, _ parameters: borrowing Parameters, _ count: Int
  ) throws(CryptoError) -> SecretBytes {
    let algorithm = try unsafe OpenSSL.require(algorithm, "EVP_KDF_fetch")
    let context = try unsafe OpenSSL.require(EVP_KDF_CTX_new(algorithm), "EVP_KDF_CTX_new")
    defer { unsafe EVP_KDF_CTX_free(context) }
    var key = try SecretBytes(capacity: count)
    try key.append { (output) throws(CryptoError) in
      try unsafe output.withUnsafeMutableBufferPointer { (buffer, written) throws(CryptoError) in
        let status = unsafe parameters.with { unsafe EVP_KDF_derive(context, buffer.baseAddress, count, $0) }
        try OpenSSL.check(status, "EVP_KDF_derive")
        written = count
      }
    }
    return key
  }
}
