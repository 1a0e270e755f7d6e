@testable import VaultVectors

/// AES-256-GCM written out from NIST SP 800-38D on one block of AES, for tests: a place to plant faults that OpenSSL
/// can't be made to have.
struct SlowGCM {
  /// A block as a big-endian number of 128 bits.
  struct Block: Equatable {
    var high: UInt64
    var low: UInt64

    static let zero = Block(high: 0, low: 0)

    init(high: UInt64, low: UInt64) {
      self.high = high
      self.low = low
    }

    /// Up to 16 bytes, filled up with zeros.
    init(_ bytes: some Sequence<UInt8>) {
      let filled = Array((Array(bytes) + [UInt8](repeating: 0, count: 16)).prefix(16))
      high = filled[..<8].reduce(0) { $0 << 8 | UInt64($1) }
      low = filled[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    var bytes: [UInt8] {
      [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }

    static func ^ (left: Block, right: Block) -> Block {
      Block(high: left.high ^ right.high, low: left.low ^ right.low)
    }

    /// Section 6.3: multiplication in GF(2^128), bit by bit.
    static func * (left: Block, right: Block) -> Block {
      var (product, factor) = (Block.zero, right)
      for bit in 0..<128 {
        let word = bit < 64 ? left.high : left.low
        if word >> UInt64(63 - bit % 64) & 1 == 1 { product = product ^ factor }
        let carry = factor.low & 1
        factor = Block(high: factor.high >> 1, low: factor.low >> 1 | factor.high << 63)
        if carry == 1 { factor.high ^= 0xE1 << 56 }
      }
      return product
    }
  }

  let cipher: Primitives.BlockMode
  let key: [UInt8]
  /// The fault: the counter runs over all 128 bits of the block, where the standard has 32.
  var countsOver128Bits = false

  func seal(_ message: [UInt8], iv: [UInt8], aad: [UInt8]) throws(PrimitiveError) -> Primitives.Sealed {
    let hashKey = try encrypt(.zero)
    let start = iv.count == 12 ? Block(iv + [0, 0, 0, 1]) : hash(hashKey, [], iv)
    var counter = start
    var ciphertext: [UInt8] = []
    for begin in stride(from: 0, to: message.count, by: 16) {
      counter = next(counter)
      let keyStream = try encrypt(counter).bytes
      ciphertext += zip(message[begin...].prefix(16), keyStream).map { $0 ^ $1 }
    }
    let tag = try encrypt(start) ^ hash(hashKey, aad, ciphertext)
    return .init(ciphertext: ciphertext, tag: tag.bytes)
  }

  private func encrypt(_ block: Block) throws(PrimitiveError) -> Block {
    Block(try cipher.seal(block.bytes, key, Block.zero.bytes))
  }

  private func next(_ block: Block) -> Block {
    if countsOver128Bits {
      let (low, overflow) = block.low.addingReportingOverflow(1)
      return Block(high: overflow ? block.high &+ 1 : block.high, low: low)
    }
    let counter = UInt32(truncatingIfNeeded: block.low) &+ 1
    return Block(high: block.high, low: block.low & ~0xFFFF_FFFF | UInt64(counter))
  }

  /// Section 6.4 over both parts, each filled up to whole blocks, and their lengths in bits.
  private func hash(_ key: Block, _ first: [UInt8], _ second: [UInt8]) -> Block {
    var state = Block.zero
    for part in [first, second] {
      for begin in stride(from: 0, to: part.count, by: 16) { state = (state ^ Block(part[begin...].prefix(16))) * key }
    }
    return (state ^ Block(high: UInt64(first.count) * 8, low: UInt64(second.count) * 8)) * key
  }
}
