import Testing
import VaultCrypto
import VaultFormat

@Suite struct ChecksumTests {
  @Test func theCheckValueFits() {
    // Defends: this is zlib's CRC-32, by the check value of its definition.
    let digits = Array("123456789".utf8)
    #expect(CRC32(of: digits.span).value == 0xCBF4_3926)
    #expect(CRC32().value == 0)
  }

  @Test func everyLengthAndPlace() {
    // Defends: long data, which another algorithm takes than short data, has the checksum of the definition, bit by bit,
    // wherever it begins and whatever came before it.
    var random = SplitMix64(seed: 32)
    let bytes = random.array(700)
    for start in 0..<4 {
      var slow = UInt32.max
      for end in start...bytes.count {
        #expect(CRC32(of: bytes.span.extracting(start..<end)).value == ~slow, "\(start)..<\(end)")
        guard end < bytes.count else { break }
        slow ^= UInt32(bytes[end])
        for _ in 0..<8 { slow = slow & 1 == 0 ? slow >> 1 : slow >> 1 ^ 0xEDB8_8320 }
      }
      var parts = CRC32(of: bytes.span.extracting(start..<150))
      parts.add(bytes.span.extracting(150..<bytes.count))
      #expect(parts.value == ~slow)
    }
  }

  @Test func partsAddUp() {
    // Defends: adding in parts, empty ones too, is the same as at once.
    let digits = Array("123456789".utf8)
    for cut in 0...9 {
      var checksum = CRC32()
      checksum.add(digits.span.extracting(0..<cut))
      checksum.add(Span())
      checksum.add([UInt8]().span)
      checksum.add(digits.span.extracting(cut..<9))
      #expect(checksum.value == 0xCBF4_3926, "cut at \(cut)")
    }
  }
}

@Suite struct DeflateTests {
  private func deflate(_ value: [UInt8]) throws -> [UInt8] {
    guard let stored = try Deflate.deflate(value.span) else { throw FormatError(.frameDamaged, "it was not shorter") }
    return stored.span.array
  }

  private func inflate(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
    let value = try Deflate.inflate(bytes.span, limit: limit)
    return value.span.array
  }

  private func code(_ bytes: [UInt8], limit: Int = 1 << 20) -> FormatError.Code? {
    VaultFormatTests.code { _ = try inflate(bytes, limit: limit) }
  }

  @Test func aValueComesBack() throws {
    // Defends: round trip of what is shorter deflated; what is not is left as it is.
    for count in [60, 100, 1000, 100_000] {
      let value = Array("{\"access_token\":\"aaaaaaaa\"}".utf8.cycled(to: count))
      let stored = try deflate(value)
      #expect(stored.count < value.count)
      #expect(try inflate(stored, limit: count) == value)
      #expect(code(stored, limit: count - 1) == .limitExceeded, "over the limit by one byte")
    }
    var random = SplitMix64(seed: 6)
    for count in [0, 1, 2, 100] {
      let isShorter = try Deflate.deflate(random.array(count).span) != nil
      #expect(!isShorter)
    }
  }

  @Test func aBombIsCapped() throws {
    // Defends: a small value that would inflate to much more than the limit costs the limit and is refused.
    let zeros = [UInt8](repeating: 0, count: 8 << 20)
    let stored = try deflate(zeros)
    #expect(stored.count < 10_000)
    #expect(code(stored, limit: 1 << 20) == .limitExceeded)
    #expect(code(stored, limit: 0) == .limitExceeded)
    #expect(code(stored, limit: 8 << 20) == nil)
  }

  @Test func onlyOneWholeStreamIsTaken() throws {
    // Defends: nothing behind the stream, nothing missing from it, no noise, and no trap for any of them.
    let value = Array("token token token token token".utf8)
    let stored = try deflate(value)
    #expect(code(stored + [0]) == .frameDamaged && code(stored + stored) == .frameDamaged)
    #expect(VaultFormatTests.code { _ = try Deflate.inflate(Span(), limit: 100) } == .frameDamaged)
    for count in 0..<stored.count { #expect(code(Array(stored.prefix(count))) == .frameDamaged, "cut to \(count)") }
    var random = SplitMix64(seed: 7)
    for round in 0..<2000 {
      let found = code(random.array(random.below(60)), limit: 4096)
      #expect(found == nil || found == .frameDamaged, "round \(round)")
    }
  }
}

extension Collection {
  fileprivate func cycled(to count: Int) -> [Element] {
    (0..<count).map { self[index(startIndex, offsetBy: $0 % self.count)] }
  }
}

@Suite struct FormatErrorTests {
  @Test func errorsAreEqualByTheirCode() {
    // Defends: what callers and vectors compare is the code; the place is kept, the first one known.
    let error = FormatError(.tailDamaged, "one", offset: 5)
    #expect(error == FormatError(.tailDamaged, "two") && error != FormatError(.frameDamaged, "one"))
    #expect(error.at(offset: 9, sequence: 2).offset == 5 && error.at(offset: 9, sequence: 2).sequence == 2)
    #expect("\(error)" == "tail-damaged at byte 5: one")
    #expect(Set(FormatError.Code.declared.map(\.description)).count == FormatError.Code.declared.count)
  }
}
