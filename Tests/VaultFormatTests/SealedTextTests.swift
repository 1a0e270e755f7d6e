import Testing
import VaultCrypto
import VaultFormat

/// A value that is sealed by itself.
@Suite struct SealedTextTests {
  private let vault: SmallVault
  private let name = Array("ada".utf8)

  init() throws { vault = try SmallVault(seed: 31) }

  private func sealed(_ value: [UInt8]) throws -> SealedText {
    var cipher = try vault.dataKey.cipher()
    return try SealedText(
      sealing: value.span, for: name.span, with: &cipher, salt: Samples.filled(1), iv: Samples.filled(2))
  }

  private func open(_ text: SealedText, for name: [UInt8]) throws -> [UInt8] {
    var cipher = try vault.dataKey.cipher()
    let value = try text.open(for: name.span, with: &cipher)
    return value.span.array
  }

  @Test(arguments: [0, 1, 31, 1000]) func itOpensForItsNameAlone(length: Int) throws {
    // Defends: what was sealed comes back by way of the text, for the name that it was sealed for, and any flipped bit is refused.
    let value = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
    let text = try sealed(value).serialized()
    #expect(text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).count == 4)
    let parsed = try SealedText(parsing: text.span)
    #expect(try parsed == sealed(value) && open(parsed, for: name) == value)
    #expect(code { _ = try open(parsed, for: Array("eve".utf8)) } == .legacyUnopened)
    for place in [0, 20, 40, text.count - 3] {
      var changed = text
      // Another letter of base64, in any of the parts.
      changed[place] = changed[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      let found = code { _ = try open(SealedText(parsing: changed.span), for: name) }
      #expect(found == .legacyUnopened || found == .legacyMalformed, "character \(place)")
    }
  }

  @Test func partsHaveTheirLengths() throws {
    // Defends: four parts, of 12, 12 and 16 bytes and any number, in base64; all else is malformed.
    let text = String(decoding: try sealed([1, 2, 3]).serialized(), as: UTF8.self)
    let parts = text.split(separator: ":").map { String($0) }
    for wrong in [
      "", ":::", parts.dropLast().joined(separator: ":"), text + ":", text + "!",
      ([parts[2]] + parts.dropFirst()).joined(separator: ":"),
      [parts[0], parts[2], parts[2], parts[3]].joined(separator: ":"),
      [parts[0], parts[1], parts[1], parts[3]].joined(separator: ":"),
    ] {
      let bytes = Array(wrong.utf8)
      #expect(code { _ = try SealedText(parsing: bytes.span) } == .legacyMalformed, "\(wrong)")
    }
  }
}
