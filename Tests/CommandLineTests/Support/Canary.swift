import Foundation
import Testing

/// A secret that a test plants, and all the forms in which it would be recognized somewhere.
struct Canary: Sendable {
  /// What it is, for messages.
  let name: String
  /// Its bytes, as they are, in each encoding that programs use, and in pieces put together in other ways.
  let forms: [(form: String, bytes: Data)]

  init(_ name: String, _ bytes: [UInt8]) {
    self.name = name
    let plain = Data(bytes)
    let half = plain.count / 2
    let (front, back) = (plain.prefix(half), plain.suffix(plain.count - half))
    let hex = bytes.map { String(format: "%02x", $0) }.joined()
    var forms = [
      ("as it is", plain), ("in hexadecimal", Data(hex.utf8)),
      ("in hexadecimal capitals", Data(hex.uppercased().utf8)), ("halves swapped", Data(back + front)),
      ("first half reversed", Data(front.reversed())), ("second half reversed", Data(back.reversed())),
      ("as UTF-16", Data(bytes.flatMap { [$0, 0] })), ("as UTF-16, high bytes first", Data(bytes.flatMap { [0, $0] })),
    ]
    // In the middle of other text its first byte may be any of the three of a group, and what is before changes its letters.
    for skipped in 0..<3 {
      let whole = plain.dropFirst(skipped)
      let text = Data(whole.prefix(whole.count / 3 * 3)).base64EncodedString()
      forms.append(("in base64", Data(text.utf8)))
      let forURLs = text.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
      if forURLs != text { forms.append(("in base64url", Data(forURLs.utf8))) }
    }
    self.forms = forms
  }

  init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }

  /// A key, given by its 64 hexadecimal digits: the digits, and the 32 bytes that they stand for.
  static func key(_ name: String, _ digits: String) -> [Canary] {
    let digits = digits.prefix(64)
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      let start = digits.index(digits.startIndex, offsetBy: index)
      bytes.append(UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16) ?? 0)
    }
    return [Canary(name, Array(digits.utf8)), Canary(name, bytes)]
  }

  /// In which form it is in `text`; `nil` when it is not there at all.
  func form(in text: Data) -> String? {
    forms.first { text.range(of: $0.bytes) != nil }?.form
  }
}
