/// The bytes that tokens are made of.
enum TokenBytes {
  /// Whether it is one of RFC 6750's `b64token`, among which are those of a JWT and of both alphabets of base64:
  /// `A-Z a-z 0-9 - . _ ~ + / =`
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool { isIn(0x23ff_e800_0000_0000, 0x47ff_fffe_87ff_fffe, byte) }

  /// Whether it is one of these, or `\` or `%`: of a token in the form that JSON or a URL gives it.
  @inline(__always)
  static func isPart(_ byte: UInt8) -> Bool { isIn(0x23ff_e820_0000_0000, 0x47ff_fffe_97ff_fffe, byte) }

  /// Whether no other byte is in `text`.
  static func isToken(_ text: Span<UInt8>) -> Bool {
    for index in text.indices where !isToken(text[index]) { return false }
    return true
  }

  /// Whether it is white space at the end of a line or at its beginning.
  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  /// What a hexadecimal digit stands for; `nil` for another byte.
  @inline(__always)
  static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// One bit for each byte below 64, and for each from there to 127: no table has to be in the cache.
  @inline(__always)
  private static func isIn(_ low: UInt64, _ high: UInt64, _ byte: UInt8) -> Bool {
    byte < 128 && (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
  }
}
