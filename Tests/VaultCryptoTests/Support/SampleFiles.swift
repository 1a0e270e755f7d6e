@testable import VaultVectors

/// Small vector files made here, where no published one is kept.
enum SampleFiles {
  private static let key = pattern(32)
  private static let iv = pattern(16, seed: 9)

  /// Wycheproof's form of AES-CBC with padding: 3 valid cases, and every sort of wrong padding.
  static func paddedCBC() throws -> VectorFile {
    let blocks: [(message: [UInt8], padding: [UInt8], result: String)] = [
      (pattern(5), [UInt8](repeating: 11, count: 11), "valid"),
      (pattern(16), [UInt8](repeating: 16, count: 16), "valid"),
      (pattern(31), [1], "valid"),
      (pattern(15), [0], "invalid"),
      (pattern(15), [17], "invalid"),
      (pattern(15), [32], "invalid"),
      (pattern(31), [255], "invalid"),
      (pattern(12), [4, 3, 4, 4], "invalid"),
      (pattern(12), [5, 4, 4, 4], "invalid"),
      (pattern(0), [15] + [UInt8](repeating: 16, count: 15), "invalid"),
      (pattern(16), [], "invalid"),
    ]
    var tests: [String] = []
    for (index, block) in blocks.enumerated() {
      let ciphertext = try Primitives.vaultCrypto.plainCBC.seal(block.message + block.padding, key, iv)
      tests.append(
        """
        {"tcId": \(index + 1), "comment": "", "key": "\(key.hexText)", "iv": "\(iv.hexText)",
         "msg": "\(block.message.hexText)", "ct": "\(ciphertext.hexText)", "result": "\(block.result)"}
        """)
    }
    let group =
      "{\"type\": \"IndCpaTest\", \"ivSize\": 128, \"keySize\": 256, \"tests\": [\(tests.joined(separator: ","))]}"
    return try load(wycheproof("AES-CBC-PKCS5", tests: tests.count, groups: group))
  }

  /// Three cases of HMAC-SHA-256 (RFC 4231, test cases 1 and 2), with whole and short tags.
  static let mac = wycheproof(
    "HMACSHA256", tests: 3,
    groups: """
      {"type": "MacTest", "keySize": 32, "tagSize": 128, "tests": [
      {"tcId": 1, "comment": "", "flags": [], "key": "4a656665", "msg": "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
       "tag": "5bdcc146bf60754e6a042426089575c7", "result": "valid"},
      {"tcId": 2, "key": "4a656665", "msg": "", "tag": "5bdcc146bf60754e6a042426089575c7", "result": "invalid"}]},
      {"type": "MacTest", "keySize": 160, "tagSize": 256, "tests": [
      {"tcId": 3, "key": "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "msg": "4869205468657265",
       "tag": "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", "result": "valid"}]}
      """)

  /// One case of PBKDF2-HMAC-SHA-256 (RFC 7914, section 11).
  static let pbkdf2 = wycheproof(
    "PBKDF2-HMACSHA256", tests: 1,
    groups: """
      {"type": "PbkdfTest", "tests": [{"tcId": 1, "password": "706173737764", "salt": "73616c74", "iterationCount": 1,
       "dkLen": 64, "result": "valid", "dk": "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
      49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"}]}
      """)

  /// The outermost object around `groups`, without a line end behind it.
  static func wycheproof(_ algorithm: String, tests: Int, groups: String) -> String {
    """
    {"algorithm": "\(algorithm)", "schema": "a_schema_v1.json", "numberOfTests": \(tests), "header": [], "notes": {},
     "testGroups": [\(groups)]}
    """
  }

  static func load(_ text: String, name: String = "sample") throws(VectorError) -> VectorFile {
    try VectorFile.load(Array(text.utf8), name: name)
  }
}
