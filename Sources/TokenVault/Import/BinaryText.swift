internal import VaultCrypto
internal import VaultFormat

/// Bytes as databases and people write them in JSON.
enum BinaryText {
  /// The bytes of hexadecimal, alone or as `X'..'` (SQLite) or `\x..` (PostgreSQL), or of base64, with line breaks where a program
  /// put some; `nil` for anything else. What could be both is hexadecimal.
  static func bytes(_ text: String) -> [UInt8]? {
    let text = text.utf8
    if text.starts(with: "\\x".utf8) { return hexadecimal(text.dropFirst(2)) }
    if text.starts(with: "X'".utf8) || text.starts(with: "x'".utf8) {
      guard text.count > 2, text.last == UInt8(ascii: "'") else { return nil }
      return hexadecimal(text.dropFirst(2).dropLast())
    }
    if let bytes = hexadecimal(text) { return bytes }
    let digits = text.filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    guard let bytes = try? TextEncoding.base64.decode(digits.span) else { return nil }
    return bytes.span.array
  }

  /// The bytes of an even number of hexadecimal digits of either case; `nil` for anything else.
  static func hexadecimal(_ digits: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
      let value: UInt8
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return high == nil ? bytes : nil
  }
}
