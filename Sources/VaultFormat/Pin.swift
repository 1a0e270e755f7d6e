package import VaultCrypto

/// The head of a vault at one moment, which its owner keeps outside of it to notice later that an older state, or another
/// history, has taken its place (FORMAT.md, "Pin"). It is no secret; whoever can change it takes its worth away.
public struct Pin: Equatable, Sendable {
  package let vaultID: FixedBytes<16>
  package let fileID: FixedBytes<32>
  /// The generation that it was taken of, from 1.
  public let generation: UInt64
  /// The last frame of the last complete batch at that moment.
  public let sequence: UInt64
  package let head: Link

  package init(
    vaultID: FixedBytes<16>, fileID: FixedBytes<32>, generation: UInt64, sequence: UInt64, head: Link
  ) {
    self.vaultID = vaultID
    self.fileID = fileID
    self.generation = generation
    self.sequence = sequence
    self.head = head
  }

  /// Bytes of the binary form.
  package static let length = 96

  /// Reads the binary form (FORMAT.md, "Pin"); `nil`, when it does not have 96 bytes.
  package init?(parsing bytes: Span<UInt8>) {
    guard bytes.count == Self.length else { return nil }
    vaultID = FixedBytes(bytes.extracting(first: 16))
    fileID = FixedBytes(bytes.extracting(16..<48))
    generation = bytes.bigEndian(at: 48)
    sequence = bytes.bigEndian(at: 56)
    head = FixedBytes(bytes.extracting(64..<96))
  }

  /// The binary form.
  package func serialized() -> [UInt8] {
    [UInt8](capacity: Self.length) { (output) in
      output.append(contentsOf: vaultID.span)
      output.append(contentsOf: fileID.span)
      output.append(bigEndian: generation)
      output.append(bigEndian: sequence)
      output.append(contentsOf: head.span)
    }
  }
}

extension Pin {
  /// Reads the text form; `nil` for anything but 192 lower-case hexadecimal digits.
  public init?(text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 2 * Self.length else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = TextEncoding.hexDigit(digits[index]), let low = TextEncoding.hexDigit(digits[index + 1])
      else { return nil }
      bytes.append(high << 4 | low)
    }
    self.init(parsing: bytes.span)
    // There is one text for each pin.
    guard self.text == text else { return nil }
  }

  /// The text form: the binary form's 96 bytes in lower-case hexadecimal.
  public var text: String { serialized().span.hex }
}
