import Testing
import VaultCrypto

@Suite("Constant-time comparison and FixedBytes")
struct SmallTypesTests {
  // Defends the comparison: equal is equal, and any changed bit or length is not.
  @Test func comparisonSeesEveryBit() {
    let bytes = pattern(33)
    #expect(areEqual(bytes, pattern(33)))
    for bit in 0..<8 * 33 { #expect(!areEqual(bytes, bytes.flipping(bit: bit))) }
    for count in 0..<33 { #expect(!areEqual(bytes, Array(bytes[..<count]))) }
    #expect(areEqual([], []))
  }

  /// Spans can't go through `#expect`.
  private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool { constantTimeEqual(left.span, right.span) }

  // Defends FixedBytes as a value: bytes, hexadecimal, equality and hash.
  @Test func fixedBytesAreTheirBytes() throws {
    let value = FixedBytes<5>([0x00, 0x0f, 0xa0, 0xff, 0x7e].span)
    #expect(Array(value.span) == [0x00, 0x0f, 0xa0, 0xff, 0x7e])
    #expect(value.hex == "000fa0ff7e")
    #expect(value.description == value.hex)
    #expect(Set([value, value, FixedBytes()]).count == 2)
    for bit in 0..<40 { #expect(FixedBytes<5>(Array(value.span).flipping(bit: bit).span) != value) }
  }

  // Defends the empty value, and change in place.
  @Test func fixedBytesBeginAtZero() {
    var value = FixedBytes<3>()
    #expect(value.hex == "000000")
    var bytes = value.mutableSpan
    bytes[2] = 1
    #expect(value.hex == "000001")
    #expect(FixedBytes<0>().hex == "")
  }

  // Defends the precondition: another length is a mistake of the programmer and stops the process.
  @Test func fixedBytesOfAnotherLengthTrap() async {
    await #expect(processExitsWith: .failure) { _ = FixedBytes<4>([1, 2, 3].span) }
  }

  // Defends errors: equal by code, and the sentence tells lengths.
  @Test func errorsTellLengths() {
    let refuse = { (count: Int) in
      do throws(CryptoError) {
        _ = try XAES256GCM(key: pattern(count).span)
        return nil as CryptoError?
      } catch {
        return error
      }
    }
    #expect(refuse(31) == refuse(33))
    #expect(refuse(31)?.description == "the length of an XAES-256-GCM key is 31; it must be 32 bytes")
  }
}
