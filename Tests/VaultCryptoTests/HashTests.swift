import Testing
import VaultCrypto

@Suite("Hashes and HMAC")
struct HashTests {
  // Defends SHA-256 with the examples of FIPS 180-4.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func sha256KnowsItsExamples(_ message: String, _ digest: String) throws {
    #expect(try SHA256.digest(of: Array(message.utf8).span).hex == digest)
  }

  // Defends hashing in parts, and the new start after each digest.
  @Test func sha256RunsInParts() throws {
    var hash = try SHA256()
    for _ in 0..<2 {
      for _ in 0..<1000 { try hash.update([UInt8](repeating: 0x61, count: 1000).span) }
      let digest = try hash.finish().hex
      #expect(digest == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
  }

  // Defends SHAKE-128 with the empty message of FIPS 202, at two lengths, and in parts.
  @Test func shake128KnowsTheEmptyMessage() throws {
    #expect(try SHAKE128.output(of: [UInt8]().span, count: 16).hexText == "7f9c2ba4e88f827d616045507605853e")
    let long = try SHAKE128.output(of: [UInt8]().span, count: 1000)
    #expect(long.prefix(16).elementsEqual(try hex("7f9c2ba4e88f827d616045507605853e")))
    var parts = try SHAKE128()
    for byte in pattern(500) { try parts.update([byte].span) }
    let output = try parts.finish(count: 32)
    #expect(try output == SHAKE128.output(of: pattern(500).span, count: 32))
  }

  // Defends SHAKE-128's bounds.
  @Test(arguments: [-1, 0, 1 << 30 + 1])
  func shake128RefusesLengths(_ count: Int) {
    let code = errorCode { () throws(CryptoError) in _ = try SHAKE128.output(of: [UInt8]().span, count: count) }
    #expect(code == .invalidParameter)
  }

  /// Test cases of RFC 4231, section 4.
  static let rfc4231: [(key: [UInt8], message: [UInt8], code: String)] = [
    (
      [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      Array(1...25), [UInt8](repeating: 0xcd, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      [UInt8](repeating: 0x0c, count: 20), Array("Test With Truncation".utf8), "a3b6167473100ee06e0c796c2955552b"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131),
      Array(
        """
        This is a test using a larger than block-size key and a larger than block-size data. \
        The key needs to be hashed before being used by the HMAC algorithm.
        """.utf8),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
  ]

  // Defends HMAC with the seven cases of RFC 4231, each twice: the context is used again.
  @Test(arguments: rfc4231)
  func hmacKnowsTheRFC(_ key: [UInt8], _ message: [UInt8], _ code: String) throws {
    var hmac = try HMACSHA256(key: key.span)
    for _ in 0..<2 {
      let found = try hmac.code(of: message.span).hex
      #expect(found.hasPrefix(code))
    }
  }

  // Defends the empty key and message, which C takes for none given.
  @Test func hmacTakesNothing() throws {
    var hmac = try HMACSHA256(key: [UInt8]().span)
    for _ in 0..<2 {
      let code = try hmac.code(of: [UInt8]().span).hex
      #expect(code == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
  }
}
