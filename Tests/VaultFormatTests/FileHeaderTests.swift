import Testing
import VaultCrypto
import VaultFormat

@Suite struct FileHeaderTests {
  private func repaired(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    bytes.put(UInt64(CRC32(of: bytes.span.extracting(first: 124)).value), count: 4, at: 124)
    return bytes
  }

  /// The sample with `number` in the `count` bytes at `place`, its checksum made right.
  private func changed(_ number: UInt64, count: Int, at place: Int) -> [UInt8] {
    var bytes = Samples.header().serialized()
    bytes.put(number, count: count, at: place)
    return repaired(bytes)
  }

  private func code(of bytes: [UInt8]) -> FormatError.Code? {
    VaultFormatTests.code { _ = try FileHeader(parsing: bytes.span) }
  }

  @Test func everyFieldComesBack() throws {
    // Defends: what is written is what is read, in each field and at each field's place.
    var header = Samples.header(generation: 0x0102_0304_0506_0708)
    header.minorVersion = 0xABCD
    header.readOnlyCompatible = 0x8000_0001
    header.compatible = 0xFFFF_FFFF
    header.padding = 4096
    header.allowsDeflate = true
    let bytes = header.serialized()
    #expect(bytes.count == 128)
    #expect(Array(bytes.prefix(12)) == FileHeader.magic + [0, 1, 0xAB, 0xCD])
    #expect(bytes.number(at: 72, count: 8) == header.generation && bytes.number(at: 80, count: 2) == 4096)
    #expect(try FileHeader(parsing: bytes.span) == header)
    #expect(try FileHeader(parsing: (bytes + [1, 2, 3]).span) == header)
  }

  @Test func everyFlippedBitIsRefused() {
    // Defends: no single changed bit of the 128 passes the checksum, and none traps.
    let bytes = Samples.header().serialized()
    for bit in 0..<1024 { #expect(code(of: bytes.flipping(bit: bit)) == .headerDamaged, "bit \(bit)") }
    for count in 0..<128 { #expect(code(of: Array(bytes.prefix(count))) == .headerDamaged, "cut to \(count)") }
  }

  @Test func everyFlippedBitWithItsChecksumIsReadAsItIsOrRefused() throws {
    // Defends: behind a right checksum each bit means something, is an unknown feature, or is reserved and refused.
    let bytes = Samples.header().serialized()
    let codes: Set<FormatError.Code> = [.headerDamaged, .unsupportedVersion, .unsupportedFeature]
    for bit in 0..<124 * 8 {
      let flipped = repaired(bytes.flipping(bit: bit))
      do {
        #expect(try FileHeader(parsing: flipped.span).serialized() == flipped, "bit \(bit)")
      } catch {
        #expect(codes.contains(error.code), "bit \(bit)")
      }
    }
    for place in 83..<124 { #expect(code(of: changed(1, count: 1, at: place)) == .headerDamaged, "byte \(place)") }
  }

  @Test func eachFieldKeepsToItsBounds() {
    // Defends: the bounds of generation, padding and policy.
    for good: UInt64 in [1, 2, (1 << 63) - 1] { #expect(code(of: changed(good, count: 8, at: 72)) == nil) }
    for bad: UInt64 in [0, 1 << 63, .max] { #expect(code(of: changed(bad, count: 8, at: 72)) == .headerDamaged) }
    for exponent in 4...12 { #expect(code(of: changed(1 << UInt64(exponent), count: 2, at: 80)) == nil) }
    for bad: UInt64 in [0, 1, 8, 15, 17, 48, 4095, 4097, 8192, 0xFFFF] {
      #expect(code(of: changed(bad, count: 2, at: 80)) == .headerDamaged, "padding \(bad)")
    }
    for policy: UInt64 in 0...255 {
      #expect(code(of: changed(policy, count: 1, at: 82)) == (policy < 2 ? nil : .headerDamaged), "policy \(policy)")
    }
  }

  @Test func versionAndFeaturesDecide() throws {
    // Defends: what an older program does with a file of a later one.
    for major: UInt64 in [0, 2, 0xFFFF] { #expect(code(of: changed(major, count: 2, at: 8)) == .unsupportedVersion) }
    #expect(code(of: changed(0xFFFF, count: 2, at: 10)) == nil)
    for bit: UInt64 in 0..<32 {
      #expect(code(of: changed(1 << bit, count: 4, at: 12)) == .unsupportedFeature)
      #expect(try FileHeader(parsing: changed(1 << bit, count: 4, at: 16).span).mustStayReadOnly)
      #expect(try !FileHeader(parsing: changed(1 << bit, count: 4, at: 20).span).mustStayReadOnly)
    }
  }

  @Test func theOrderOfChecksIsKept() {
    // Defends: of several defects the first in the format's order is named.
    var bytes = changed(2, count: 2, at: 8)
    bytes.put(1, count: 4, at: 12)
    bytes[100] = 1
    #expect(code(of: bytes) == .headerDamaged, "the checksum comes before the version")
    #expect(code(of: repaired(bytes)) == .unsupportedVersion, "the version comes before the features")
    bytes.put(1, count: 2, at: 8)
    #expect(code(of: repaired(bytes)) == .unsupportedFeature, "the features come before reserved bytes")
    bytes[0] ^= 1
    #expect(code(of: repaired(bytes)) == .headerDamaged, "the magic number comes first")
  }
}
