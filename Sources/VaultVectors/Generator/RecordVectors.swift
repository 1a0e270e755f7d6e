internal import VaultCrypto
internal import VaultFormat

/// Sealed records under the three suites, in Wycheproof's schema.
enum RecordVectors {
  static func files() throws(CryptoError) -> [VectorGenerator.File] {
    [
      VectorGenerator.File(
        path: "records/xaes_256_gcm_test.json",
        bytes: WycheproofText.file(algorithm: "XAES-256-GCM", schema: "aead_test_schema_v1.json", try xaesGroups())),
      VectorGenerator.File(
        path: "records/aes_256_gcm_test.json",
        bytes: WycheproofText.file(algorithm: "AES-GCM", schema: "aead_test_schema_v1.json", try gcmGroups())),
      VectorGenerator.File(
        path: "records/aes_256_cbc_pkcs7_test.json",
        bytes: WycheproofText.file(
          algorithm: "AES-CBC-PKCS7", schema: "ind_cpa_test_schema_v1.json", [try cbcGroup()])),
    ]
  }

  // MARK: Authenticated suites

  private static func xaesGroups() throws(CryptoError) -> [WycheproofText.Group] {
    var cases = AEADCases(seed: "XAES-256-GCM", ivLength: 24) { (message, key, iv, aad) throws(CryptoError) in
      try sealXAES(message, key, iv, aad)
    }
    try cases.addAll()
    try cases.addIVLengths([0, 12, 16, 23, 25])
    var group = WycheproofText.Group(type: "AeadTest", sizes: [("ivSize", 192), ("keySize", 256), ("tagSize", 128)])
    for test in cases.tests { group.tests.append(test.isValid ? test.adding(try intermediates(of: test)) : test) }
    return [group]
  }

  private static func gcmGroups() throws(CryptoError) -> [WycheproofText.Group] {
    var groups: [WycheproofText.Group] = []
    for ivLength in [12, 16] {
      var cases = AEADCases(seed: "AES-256-GCM \(ivLength)", ivLength: ivLength) {
        (message, key, iv, aad) throws(CryptoError) in
        try AES256GCM.seal(message.span, key: key.span, iv: iv.span, authenticating: aad.span)
      }
      try cases.addAll()
      try cases.addIVLengths([0])
      var group = WycheproofText.Group(
        type: "AeadTest", sizes: [("ivSize", 8 * ivLength), ("keySize", 256), ("tagSize", 128)])
      group.tests = cases.tests
      groups.append(group)
    }
    return groups
  }

  /// Tag and ciphertext.
  private static func sealXAES(
    _ message: [UInt8], _ key: [UInt8], _ iv: [UInt8], _ aad: [UInt8]
  ) throws(CryptoError) -> [UInt8] {
    var cipher = try XAES256GCM(key: key.span)
    return try [UInt8](capacity: 16 + message.count) { (output) throws(CryptoError) in
      try cipher.seal(
        message.span, salt: FixedBytes(iv.span.extracting(first: 12)), iv: FixedBytes(iv.span.extracting(last: 12)),
        authenticating: aad.span, appendingTo: &output)
    }
  }

  /// What XAES-256-GCM computes on the way, in C2SP's names.
  private static func intermediates(
    of test: WycheproofText.Test
  ) throws(CryptoError) -> [(String, [UInt8])] {
    let (key, salt) = (test["key"], test["iv"].prefix(12))
    let l = try block([UInt8](repeating: 0, count: 16), key)
    var k1 = zip(l, l.dropFirst() + [0]).map { $0 << 1 | $1 >> 7 }
    if l[0] & 0x80 != 0 { k1[15] ^= 0x87 }
    let (m1, m2) = ([0, 1, 0x58, 0] + salt, [0, 2, 0x58, 0] + salt)
    let derived = try block(zip(m1, k1).map { $0 ^ $1 }, key) + block(zip(m2, k1).map { $0 ^ $1 }, key)
    return [("L", l), ("K1", k1), ("M1", m1), ("M2", m2), ("derivedKey", derived)]
  }

  /// One block of AES-256: CBC with a zero IV.
  private static func block(_ input: [UInt8], _ key: [UInt8]) throws(CryptoError) -> [UInt8] {
    let zero = [UInt8](repeating: 0, count: 16)
    return try AES256CBC.seal(input.span, key: key.span, iv: zero.span, padding: .none)
  }

  // MARK: CBC

  private static func cbcGroup() throws(CryptoError) -> WycheproofText.Group {
    var random = ScenarioRandom(seed: Array("AES-256-CBC".utf8))
    var group = WycheproofText.Group(type: "IndCpaTest", sizes: [("ivSize", 128), ("keySize", 256)])
    for length in [0, 1, 8, 15, 16, 17, 31, 32, 33, 240, 1000] {
      let (key, iv) = (try random.bytes(32), try random.bytes(16))
      let message = try random.bytes(length)
      let sealed = try AES256CBC.seal(message.span, key: key.span, iv: iv.span, padding: .pkcs7)
      group.tests.append(
        .init("a message of \(length) bytes", true, [("key", key), ("iv", iv), ("msg", message), ("ct", sealed)]))
    }
    for (comment, plaintext) in badlyPadded() {
      let (key, iv) = (try random.bytes(32), try random.bytes(16))
      let sealed = try AES256CBC.seal(plaintext.span, key: key.span, iv: iv.span, padding: .none)
      group.tests.append(.init(comment, false, [("key", key), ("iv", iv), ("msg", []), ("ct", sealed)]))
    }
    for length in [0, 1, 15, 17, 31] {
      let (key, iv) = (try random.bytes(32), try random.bytes(16))
      let sealed = try random.bytes(length)
      group.tests.append(
        .init("a ciphertext of \(length) bytes", false, [("key", key), ("iv", iv), ("msg", []), ("ct", sealed)]))
    }
    for length in [0, 12, 15, 17] {
      let (key, iv) = (try random.bytes(32), try random.bytes(16))
      let sealed = try AES256CBC.seal([1, 2, 3].span, key: key.span, iv: iv.span, padding: .pkcs7)
      let wrong = Array((iv + iv).prefix(length))
      group.tests.append(
        .init("an iv of \(length) bytes", false, [("key", key), ("iv", wrong), ("msg", [1, 2, 3]), ("ct", sealed)]))
    }
    return group
  }

  /// Whole blocks whose padding is wrong in every way.
  private static func badlyPadded() -> [(String, [UInt8])] {
    let text = [UInt8](repeating: 0x61, count: 32)
    var plaintexts: [(String, [UInt8])] = []
    for last in [0, 17, 32, 33, 128, 255] as [UInt8] {
      plaintexts.append(("padding of \(last) bytes", text.dropLast() + [last]))
    }
    for length in 2...16 as ClosedRange<UInt8> {
      let sound = text.dropLast(Int(length)) + [UInt8](repeating: length, count: Int(length))
      for wrong in Set([2, Int(length)]).sorted() {
        var plaintext = Array(sound)
        plaintext[32 - wrong] ^= 1
        plaintexts.append(("padding of \(length) bytes, the one \(wrong) from the end another", plaintext))
      }
    }
    plaintexts.append(("no padding behind a whole block", text))
    plaintexts.append(("zeros as padding", text.dropLast(4) + [0, 0, 0, 0]))
    plaintexts.append(("a count behind zeros", text.dropLast(4) + [0, 0, 0, 4]))
    return plaintexts.map { ($0.0, Array($0.1)) }
  }
}
