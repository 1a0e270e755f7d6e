import Testing
import VaultCrypto
import VaultFormat

@Suite struct LegacyTextTests {
  private func code(_ text: String, _ profile: LegacyProfile, _ form: LegacyText = .common) -> FormatError.Code? {
    let bytes = Array(text.utf8)
    return VaultFormatTests.code { _ = try form.parse(bytes.span, profile) }
  }

  @Test(arguments: LegacySample.all) func everyOrderAndEncodingComesBack(sample: LegacySample) throws {
    // Defends: the family's orders and encodings lead to the same record, and back to the same text.
    let record = try sample.record
    #expect(LegacyText.common.serialize(record) == Array(sample.text.utf8))
    let orders: [[LegacyText.Part]] = [
      [.salt, .iv, .authTag, .ciphertext], [.iv, .authTag, .ciphertext, .salt], [.ciphertext, .salt, .iv, .authTag],
      [.salt, .iv, .ciphertext, .authTag],
    ]
    for order in orders {
      for encoding in [TextEncoding.hex, .base64] {
        let form = LegacyText(order: order, encoding: encoding)
        let text = form.serialize(record)
        #expect(try form.parse(text.span, sample.profile) == record)
      }
    }
    if record.salt.isEmpty {
      let form = LegacyText(
        order: record.authTag.isEmpty ? [.iv, .ciphertext] : [.iv, .authTag, .ciphertext], encoding: .hex)
      let text = form.serialize(record)
      #expect(try form.parse(text.span, sample.profile) == record)
    }
  }

  @Test func eachPartIsChecked() throws {
    // Defends: too few or too many parts, each part empty, cut, or with a foreign character, is malformed.
    let sample = LegacySample.all[5]
    let parts = sample.text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    #expect(code(sample.text, sample.profile) == nil)
    for text in ["", ":", "::", ":::", "::::", sample.text + ":", ":" + sample.text, parts.joined()] {
      #expect(code(text, sample.profile) == .legacyMalformed, "\(text.count) characters")
    }
    for index in parts.indices {
      for wrong in [
        "", "A", "AAA", "AAA=", String(parts[index].dropLast()), parts[index] + "A", " " + parts[index],
        parts[index] + "\n", "!" + parts[index].dropFirst(), parts[index].replacing("=", with: "") + "=AAA",
      ]
      where index < 3 || !wrong.isEmpty && wrong != "AAA=" {
        var changed = parts
        changed[index] = wrong
        #expect(code(changed.joined(separator: ":"), sample.profile) == .legacyMalformed, "part \(index): \(wrong)")
      }
    }
    #expect(code(sample.text, sample.profile, LegacyText(order: LegacyText.common.order, encoding: .hex)) != nil)
    #expect(
      code(sample.text, sample.profile, LegacyText(order: [.iv, .authTag, .ciphertext], encoding: .base64)) != nil)
  }

  @Test func noTextTraps() {
    // Defends: any bytes in place of a text are malformed or a record.
    var random = SplitMix64(seed: 12)
    let alphabet = Array("ABab01+/=: \n\u{e9}".utf8)
    for round in 0..<3000 {
      let text = (0..<random.below(90)).map { _ in alphabet[random.below(alphabet.count)] }
      let found = VaultFormatTests.code { _ = try LegacyText.common.parse(text.span, .gcmRaw) }
      #expect(found == nil || found == .legacyMalformed, "round \(round)")
    }
  }
}

@Suite struct TextEncodingTests {
  private func decode(_ text: String, _ encoding: TextEncoding) throws -> [UInt8]? {
    let bytes = Array(text.utf8)
    guard let decoded = try encoding.decode(bytes.span) else { return nil }
    return decoded.span.array
  }

  @Test func base64HasOneTextForEachValue() throws {
    // Defends: RFC 4648's examples; unused bits that are not zero, missing padding and foreign characters are refused.
    let examples = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE="]
    for (plain, text) in examples {
      let bytes = Array(plain.utf8)
      #expect(try decode(text, .base64) == bytes)
      #expect(TextEncoding.base64.encode(bytes.span) == Array(text.utf8))
    }
    for text in [
      "Zh==", "Zn==", "Z/==", "Zm9=", "Zm8", "Zg=", "Zg", "Z", "Z===", "====", "=", "==", "Zg==Zg==", "Zm=v", "Zm9v\n",
      " Zm9v", "Zm-_", "Zm9v=", "Zg==\0", "A=AA", "=AAA", "AA=A",
    ] {
      #expect(try decode(text, .base64) == nil, "\(text)")
    }
  }

  @Test func exactlyOneTextDecodesToAByte() throws {
    // Defends: of all 4096 pairs of digits with two signs of padding, 256 stand for a byte, each for another.
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var seen: Set<[UInt8]> = []
    var count = 0
    for first in alphabet {
      for second in alphabet {
        let text = [first, second, UInt8(ascii: "="), UInt8(ascii: "=")]
        guard let decoded = try TextEncoding.base64.decode(text.span) else { continue }
        let bytes = decoded.span.array
        #expect(TextEncoding.base64.encode(bytes.span) == text)
        seen.insert(bytes)
        count += 1
      }
    }
    #expect(count == 256 && seen.count == 256)
  }

  @Test func hexIsTwoDigitsAByte() throws {
    // Defends: either case is read, lower case written, and nothing else taken.
    #expect(try decode("00ff7Aa0", .hex) == [0, 255, 0x7A, 0xA0])
    #expect(try decode("", .hex) == [])
    for text in ["0", "000", "0g", "g0", "0x00", " 00", "00 ", "0:", "/0", "@0", "`0"] {
      #expect(try decode(text, .hex) == nil, "\(text)")
    }
    let bytes: [UInt8] = [0, 0xAB, 0xFF]
    #expect(TextEncoding.hex.encode(bytes.span) == Array("00abff".utf8))
  }

  @Test func everyLengthComesBack() throws {
    // Defends: round trip of noise of each length in all three encodings.
    var random = SplitMix64(seed: 13)
    for count in 0..<100 {
      let bytes = random.array(count)
      for encoding in [TextEncoding.utf8, .hex, .base64] {
        let text = encoding.encode(bytes.span)
        let decoded = try encoding.decode(text.span)
        guard let decoded else {
          Issue.record("\(count) bytes in \(encoding)")
          continue
        }
        #expect(decoded.span.array == bytes)
      }
    }
  }
}
