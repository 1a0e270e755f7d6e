internal import VaultFormat
internal import VaultVectors

extension FuzzTarget {
  /// Files of test vectors: a file is read whole or not at all, and a scenario is written as it is read. The first byte says
  /// what the file is called.
  static let vectors = FuzzTarget(
    "vectors", longest: 4096,
    seeds: { (testvectors) in
      var seeds = SampleFiles.scenarios(in: testvectors).filter { $0.vault.count < 2500 }.map { [0] + $0.serialized() }
      for folder in ["published", "records"] {
        // Whole files are far too long: their beginnings hold what lies between the cases of each.
        for file in SampleFiles.files(in: "\(testvectors)/\(folder)") {
          let kind: UInt8 = file.first == UInt8(ascii: "{") ? 1 : 2
          seeds += [[kind] + file.prefix(1500), [kind] + file.prefix(4000)]
        }
      }
      return seeds + VectorTexts.small
    }
  ) { (input) throws(Violation) in
    guard input.count > 0 else { return }
    let name = ["x.tv-vector", "x.json", "x.rsp", "MCT.rsp"][Int(input[0] & 3)]
    let bytes = input.extracting(1..<input.count).array
    guard let file = try? VectorFile.load(bytes, name: name) else { return }
    try demand(!file.cases.isEmpty, "a file without cases was read")
    if let scenario = try? ScenarioReader.scenario(of: bytes) { return try VectorTexts.check(scenario, bytes) }
    try VectorTexts.check(file, bytes, name)
  }
}

/// What must hold of files that were read.
enum VectorTexts {
  static func check(_ scenario: Scenario, _ bytes: [UInt8]) throws(Violation) {
    let written = scenario.serialized()
    guard let again = try? ScenarioReader.scenario(of: written) else {
      throw Violation("a scenario can't be read again")
    }
    try demand(again == scenario, "a scenario is another when it is written")
    try demand(again.serialized() == written, "a scenario is written in another way the second time")
    // Hexadecimal digits of either case are read.
    try demand(written.count == bytes.count, "a scenario has two texts: \(written.count) bytes, not \(bytes.count)")
  }

  static func check(_ file: VectorFile, _ bytes: [UInt8], _ name: String) throws(Violation) {
    if file.kind == "NIST GCM" || file.kind == "NIST CBC" || file.kind.hasPrefix("Wycheproof AES") {
      for item in file.cases.prefix(4) where !item.check.isLong { _ = item.check.run(with: .vaultCrypto) }
    }
    guard name.hasSuffix(".rsp"), bytes.first != UInt8(ascii: "{") else { return }
    // Lines end with LF or CRLF.
    let text = bytes.flatMap { $0 == UInt8(ascii: "\n") ? [UInt8(ascii: "\r"), $0] : [$0] }
    guard let again = try? VectorFile.load(text, name: name) else { throw Violation("it can't be read with CRLF") }
    try demand(again.kind == file.kind && again.cases.map(\.id) == file.cases.map(\.id), "other cases with CRLF")
  }

  /// A file of each kind that is as short as can be.
  static let small: [[UInt8]] = [
    (
      2,
      "[Keylen = 256]\n[IVlen = 96]\n\nCount = 0\nKey = \(hex(32))\nIV = \(hex(12))\nCT = \nAAD = \nTag = \(hex(16))\nFAIL\n"
    ),
    (2, "[ENCRYPT]\n\nCOUNT = 0\nKEY = \(hex(32))\nIV = \(hex(16))\nPLAINTEXT = \(hex(16))\nCIPHERTEXT = \(hex(16))\n"),
    (
      3,
      "[DECRYPT]\r\n\r\nCOUNT = 0\r\nKEY = \(hex(32))\r\nIV = \(hex(16))\r\nCIPHERTEXT = \(hex(16))\r\nPLAINTEXT = \(hex(16))\r\n"
    ),
    (2, "COUNT = 1\n\nHash = SHA-256\nIKM = 0b0b\nsalt = 00\ninfo = \nL = 4\n\nPRK = \(hex(32))\nOKM = 01020304\n"),
    (2, "P = 70\nS = 73\nN = 16\nr = 1\np = 1\nDERIVED_KEY = 77d6\n"),
    (2, "# PBKDF2\nP = 70\nS = 73\nc = 1\nDK = 12\n"),
    (
      1,
      "{\"vectors\":[{\"key\":\"\",\"nonce\":\"\",\"plaintext\":\"00\",\"aad\":\"\",\"ciphertextAndTag\":\"\(hex(17))\",\"L\":\"00\"}],"
        + "\"accumulated\":{\"10\":\"\(hex(32))\",\"streamStarts\":\"00\"}}"
    ),
    wycheproof(
      "AES-GCM", "AeadTest",
      "\"key\":\"\(hex(32))\",\"iv\":\"\(hex(12))\",\"aad\":\"\",\"ct\":\"\",\"tag\":\"\(hex(16))\""),
    wycheproof("AES-CBC-PKCS5", "IndCpaTest", "\"key\":\"\(hex(32))\",\"iv\":\"\(hex(16))\",\"ct\":\"\(hex(16))\""),
    wycheproof("HMACSHA256", "MacTest", "\"key\":\"00\",\"tag\":\"\(hex(16))\""),
    wycheproof("HKDF-SHA-256", "HkdfTest", "\"ikm\":\"00\",\"salt\":\"\",\"info\":\"\",\"size\":1,\"okm\":\"00\""),
    wycheproof(
      "PBKDF2-HMACSHA256", "PbkdfTest", "\"password\":\"\",\"salt\":\"\",\"iterationCount\":1,\"dkLen\":1,\"dk\":\"00\""
    ),
  ].map { (kind, text) in [kind] + Array(text.utf8) }

  private static func hex(_ count: Int) -> String { String(repeating: "5a", count: count) }

  private static func wycheproof(_ algorithm: String, _ type: String, _ members: String) -> (UInt8, String) {
    (
      1,
      "{\"algorithm\":\"\(algorithm)\",\"numberOfTests\":1,\"testGroups\":[{\"type\":\"\(type)\",\"tagSize\":128,\"keySize\":256,"
        + "\"ivSize\":96,\"tests\":[{\"tcId\":1,\"comment\":\"\",\"msg\":\"\",\"result\":\"valid\",\"flags\":[],\(members)}]}]}"
    )
  }
}
