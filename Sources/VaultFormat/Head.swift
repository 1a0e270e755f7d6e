internal import VaultCrypto

/// One frame of a vault's history, in which all before it is contained. It says less than a ``Pin``, which names the vault and
/// the file too, and fits on a line.
public struct Head: Equatable, Sendable, CustomStringConvertible {
  /// The generation that it is of, from 1.
  public let generation: UInt64
  /// The frame's sequence.
  public let sequence: UInt64
  package let link: Link

  /// The head that a pin is of.
  public init(_ pin: Pin) { (generation, sequence, link) = (pin.generation, pin.sequence, pin.head) }

  /// Reads ``description``; `nil` for any other text.
  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 3, let generation = UInt64(String(Substring(parts[0]))),
      let sequence = UInt64(String(Substring(parts[1]))), parts[2].count == 64
    else { return nil }
    let digits = Array(parts[2])
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = TextEncoding.hexDigit(digits[index]), let low = TextEncoding.hexDigit(digits[index + 1])
      else { return nil }
      bytes.append(high << 4 | low)
    }
    (self.generation, self.sequence, link) = (generation, sequence, FixedBytes(bytes.span))
    // There is one text for each head.
    guard description == text else { return nil }
  }

  /// Generation, sequence and link, as `1:23:` and 64 lower-case hexadecimal digits.
  public var description: String { "\(generation):\(sequence):\(link.hex)" }
}
