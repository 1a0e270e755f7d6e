import Testing
import VaultCrypto
import VaultFormat

/// A pin's two forms.
@Suite struct PinTests {
  private static let pin = Pin(
    vaultID: FixedBytes([UInt8](repeating: 0xAB, count: 16).span),
    fileID: FixedBytes([UInt8](repeating: 0x0C, count: 32).span), generation: 258, sequence: UInt64.max >> 1,
    head: FixedBytes([UInt8](repeating: 0xF0, count: 32).span))

  // Defends: the text is stable: what was written down years ago is still read, byte for byte as FORMAT.md says.
  @Test func theTextIsTheBytesInHexadecimal() {
    let text =
      String(repeating: "ab", count: 16) + String(repeating: "0c", count: 32) + "0000000000000102" + "7fffffffffffffff"
      + String(repeating: "f0", count: 32)
    #expect(Self.pin.text == text)
    #expect(Pin(text: text) == Self.pin)
    let bytes = Self.pin.serialized()
    #expect(bytes.count == Pin.length && Pin(parsing: bytes.span) == Self.pin)
  }

  // Defends: a pin has 96 bytes: what is shorter is not read past its end, and of what is longer the beginning is no pin.
  @Test func otherLengthsAreRefused() {
    let bytes = Self.pin.serialized()
    for count in [0, 1, 95, 97, 98, 192] {
      let other = Array((bytes + bytes).prefix(count))
      #expect(Pin(parsing: other.span) == nil, "\(count) bytes")
    }
  }

  // Defends: there is one text for each pin, and nothing else is taken for one.
  @Test func otherTextsAreRefused() {
    let text = Self.pin.text
    for bad in [
      "", String(text.dropLast()), text + "0", text + "\n", " " + text.dropFirst(), text.uppercased(),
      "g" + text.dropFirst(), "é" + text.dropFirst(2), String(text.dropLast(2)),
    ] {
      #expect(Pin(text: bad) == nil, "\(bad)")
    }
  }
}
