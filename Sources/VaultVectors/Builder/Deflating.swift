/// Raw DEFLATE (RFC 1951) made by hand, because libraries differ in what they make of the same bytes.
enum Deflating {
  /// One stored block.
  static func stored(_ bytes: [UInt8]) -> [UInt8] {
    let count = UInt16(bytes.count)
    return [1] + bigEndian(count).reversed() + bigEndian(~count).reversed() + bytes
  }

  /// `count` times one byte below 144, at least once, as matches of 258 bytes.
  static func repeated(_ byte: UInt8, count: Int) -> [UInt8] {
    var output = Bits()
    // The last block, with fixed codes.
    output.append(0b011, count: 3)
    output.appendCode(0x30 + UInt32(byte), count: 8)
    let (matches, rest) = (count - 1).quotientAndRemainder(dividingBy: 258)
    for _ in 0..<matches {
      // Length 258, distance 1.
      output.appendCode(0b1100_0101, count: 8)
      output.appendCode(0, count: 5)
    }
    for _ in 0..<rest { output.appendCode(0x30 + UInt32(byte), count: 8) }
    output.appendCode(0, count: 7)
    return output.bytes
  }

  /// Bits from the least significant of each byte.
  private struct Bits {
    private(set) var bytes: [UInt8] = []
    private var used = 8

    mutating func append(_ value: UInt32, count: Int) {
      for bit in 0..<count {
        if used == 8 {
          bytes.append(0)
          used = 0
        }
        bytes[bytes.count - 1] |= UInt8(value >> UInt32(bit) & 1) << UInt8(used)
        used += 1
      }
    }

    /// A Huffman code, whose most significant bit comes first.
    mutating func appendCode(_ code: UInt32, count: Int) {
      for bit in (0..<count).reversed() { append(code >> UInt32(bit) & 1, count: 1) }
    }
  }
}
