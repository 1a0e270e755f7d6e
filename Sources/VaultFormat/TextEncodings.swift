package import VaultCrypto

/// Hexadecimal and base64 as keys and legacy records are written in. Both are strict: there is one text for each value.
package enum TextEncoding: UInt8, Sendable {
  /// The bytes of the text itself.
  case utf8 = 1
  /// Two digits a byte, either case.
  case hex = 2
  /// RFC 4648, section 4: standard alphabet, padded, no line breaks, unused bits zero.
  case base64 = 3

  /// The bytes that `text` stands for; `nil` when it is not a text of this encoding.
  ///
  /// - Throws: `crypto-failure` when there is no memory.
  package func decode(_ text: Span<UInt8>) throws(FormatError) -> SecretBytes? {
    var bytes = try SecretBytes.room(for: text.count)
    var isValid = true
    bytes.append { (output) in
      switch self {
      case .utf8: output.append(contentsOf: text)
      case .hex: isValid = Self.decodeHex(text, into: &output)
      case .base64: isValid = Self.decodeBase64(text, into: &output)
      }
    }
    guard isValid else { return nil }
    return consume bytes
  }

  private static func decodeHex(_ text: Span<UInt8>, into output: inout OutputSpan<UInt8>) -> Bool {
    guard text.count % 2 == 0 else { return false }
    var index = 0
    while index < text.count {
      guard let high = hexDigit(text[index]), let low = hexDigit(text[index + 1]) else { return false }
      output.append(high << 4 | low)
      index += 2
    }
    return true
  }

  /// What a hexadecimal digit of either case stands for; `nil` for another character.
  static func hexDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func decodeBase64(_ text: Span<UInt8>, into output: inout OutputSpan<UInt8>) -> Bool {
    guard text.count % 4 == 0 else { return false }
    var index = 0
    while index < text.count {
      let isLast = index + 4 == text.count
      let padding = isLast ? (0..<2).count(where: { text[text.count - 1 - $0] == UInt8(ascii: "=") }) : 0
      if padding == 1, text[text.count - 1] != UInt8(ascii: "=") { return false }
      var bits: UInt32 = 0
      for position in 0..<4 - padding {
        guard let digit = base64Digit(text[index + position]) else { return false }
        bits |= UInt32(digit) << UInt32(18 - 6 * position)
      }
      for position in 0..<3 - padding { output.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * position))) }
      // The bits behind the last byte must be zero: else several texts would stand for the same bytes.
      if bits << UInt32(8 + 8 * (3 - padding)) != 0, padding > 0 { return false }
      index += 4
    }
    return true
  }

  private static func base64Digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }

  /// The text of `bytes` in this encoding, as UTF-8; hexadecimal in lower case.
  package func encode(_ bytes: Span<UInt8>) -> [UInt8] {
    switch self {
    case .utf8: bytes.array
    case .hex: Array(bytes.hex.utf8)
    case .base64: Self.encodeBase64(bytes)
    }
  }

  private static func encodeBase64(_ bytes: Span<UInt8>) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var bits: UInt32 = 0
      for position in 0..<count { bits |= UInt32(bytes[index + position]) << UInt32(16 - 8 * position) }
      for position in 0...count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * position) & 63)]) }
      text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - count))
      index += 3
    }
    return text
  }
}
