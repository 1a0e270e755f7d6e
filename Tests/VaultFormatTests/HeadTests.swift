import Testing
import VaultCrypto
import VaultFormat

/// The short form of a place in the history.
@Suite struct HeadTests {
  private static let head = Head(
    Pin(
      vaultID: FixedBytes([UInt8](repeating: 0xAB, count: 16).span),
      fileID: FixedBytes([UInt8](repeating: 0x0C, count: 32).span), generation: 3, sequence: 71,
      head: FixedBytes([UInt8](repeating: 0xF0, count: 32).span)))

  // Defends: what was written down is read again.
  @Test func theTextIsStable() {
    let text = "3:71:" + String(repeating: "f0", count: 32)
    #expect(Self.head.description == text)
    #expect(Head(text) == Self.head)
  }

  // Defends: there is one text for each head, and nothing else is taken for one.
  @Test func otherTextsAreRefused() {
    let text = Self.head.description
    for bad in [
      "", "::", String(text.dropLast()), text + "0", text + "\n", " " + text, text.uppercased(), "0" + text, "+" + text,
      "-" + text, "18446744073709551616" + text.dropFirst(), String(text.dropFirst(2)), text + ":1", "3:" + text,
      text.replacing(":", with: "."), String(text.dropLast()) + "g",
    ] {
      #expect(Head(bad) == nil, "\(bad)")
    }
  }
}
