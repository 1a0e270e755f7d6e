internal import COpenSSL
internal import Glibc

/// Where salts, initialization vectors, ids and keys come from. Tests put a seeded one in place of the system's.
package protocol RandomSource: ~Copyable {
  /// Fills the rest of `output`.
  mutating func fill(_ output: inout OutputSpan<UInt8>) throws(CryptoError)
}

extension RandomSource where Self: ~Copyable {
  /// `count` random bytes that are not secret, such as a salt.
  package mutating func bytes<let count: Int>() throws(CryptoError) -> FixedBytes<count> {
    try FixedBytes { (output) throws(CryptoError) in try fill(&output) }
  }

  /// `count` random bytes for a key.
  package mutating func secret(_ count: Int) throws(CryptoError) -> SecretBytes {
    var secret = try SecretBytes(capacity: count)
    try secret.append { (output) throws(CryptoError) in try fill(&output) }
    return secret
  }
}

/// OpenSSL's generator, asked for 4080 bytes at a time, because a call costs as much as 700 ns.
///
/// A byte is handed out once and wiped here. A child after `fork` draws a block of its own: the process id is compared
/// at every draw, so that parent and child never share an initialization vector.
package struct SystemRandom: RandomSource, ~Copyable, Sendable {
  private static let blockSize = 4080
  private var block: SecretBytes
  private var used: Int
  private var owner: pid_t

  /// - Throws: ``CryptoError/Code/libraryFailure`` when there is no memory.
  package init() throws(CryptoError) {
    block = try SecretBytes(capacity: Self.blockSize)
    used = 0
    owner = getpid()
  }

  package mutating func fill(_ output: inout OutputSpan<UInt8>) throws(CryptoError) {
    while output.freeCapacity > 0 {
      if used == block.count || owner != getpid() { try draw() }
      let drawn = used..<min(used + output.freeCapacity, block.count)
      output.append(contentsOf: block.span.extracting(drawn))
      block.wipe(drawn)
      used = drawn.upperBound
    }
  }

  private mutating func draw() throws(CryptoError) {
    block.removeAll()
    used = 0
    owner = getpid()
    try block.append { (output) throws(CryptoError) in
      try unsafe output.withUnsafeMutableBufferPointer { (buffer, count) throws(CryptoError) in
        let status = unsafe RAND_bytes_ex(OpenSSL.context, buffer.baseAddress, buffer.count, 0)
        try OpenSSL.check(status, "RAND_bytes_ex")
        count = buffer.count
      }
    }
  }
}
