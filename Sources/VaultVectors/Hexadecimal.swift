/// Hexadecimal text of vector files: digits of either case, nothing between them.
enum Hexadecimal {
  /// Why a text is not hexadecimal.
  struct Fault: Error {
    let sentence: String
  }

  /// The bytes that `text` stands for; none for an empty text.
  static func bytes(_ text: String) throws(Fault) -> [UInt8] {
    let digits = text.utf8
    guard digits.count.isMultiple(of: 2) else {
      throw Fault(sentence: "an odd number of hexadecimal digits (\(digits.count))")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for (index, digit) in digits.enumerated() {
      guard let value = value(of: digit) else {
        throw Fault(sentence: "something else than a hexadecimal digit at place \(index + 1)")
      }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
