/// Makes cases of Wycheproof's JSON, version 1 of its schemas.
///
/// The order of members is free and unknown ones are ignored. A group of an unknown type, or a known one of another
/// algorithm, gives cases that are counted and not applicable.
enum WycheproofReader {
  /// A group of tests, and the algorithm of its file.
  private struct Group {
    let node: JSONNode
    let type: String
    let algorithm: String
  }

  /// The cases of the file whose outermost object is `root`.
  ///
  /// - Throws: ``VectorError/Code/value`` with the path; ``VectorError/Code/count`` when `numberOfTests` is another.
  static func cases(of root: JSONNode) throws(VectorError) -> [VectorCase] {
    let algorithm = try root.string("algorithm")
    var cases: [VectorCase] = []
    var identifiers: Set<Int> = []
    for node in try root.elements("testGroups") {
      let group = Group(node: node, type: try node.string("type"), algorithm: algorithm)
      for test in try node.elements("tests") {
        let identifier = try test.count("tcId")
        guard identifiers.insert(identifier).inserted else {
          throw .value(path: "\(test.path).tcId", "another test has the number \(identifier) already")
        }
        cases.append(VectorCase(id: "tcId \(identifier)", check: try check(test, in: group)))
      }
    }
    let promised = try root.count("numberOfTests")
    guard promised == cases.count else {
      throw .count(path: "\(root.path).numberOfTests", "\(promised) tests are promised, \(cases.count) are there")
    }
    return cases
  }

  private static func check(_ test: JSONNode, in group: Group) throws(VectorError) -> any Check {
    switch group.type {
    case "AeadTest": try aead(test, in: group)
    case "IndCpaTest": try cbc(test, in: group)
    case "MacTest": try mac(test, in: group)
    case "HkdfTest": try hkdf(test, in: group)
    case "PbkdfTest": try pbkdf2(test, in: group)
    default: UnsupportedCheck(reason: "the group type \(group.type)")
    }
  }

  private static func validity(of test: JSONNode) throws(VectorError) -> Validity {
    switch try test.string("result") {
    case "valid": return .valid
    case "invalid": return .invalid
    case "acceptable": return .acceptable
    case let other:
      throw .value(path: "\(test.path).result", "\"\(other)\" is none of valid, invalid and acceptable")
    }
  }

  private static func aead(_ test: JSONNode, in group: Group) throws(VectorError) -> any Check {
    let algorithms: [String: AEADCheck.Algorithm] = ["AES-GCM": .gcm, "XAES-256-GCM": .xaes]
    let sealed = Primitives.Sealed(ciphertext: try test.bytes("ct"), tag: try test.bytes("tag"))
    let (key, iv, aad) = (try test.bytes("key"), try test.bytes("iv"), try test.bytes("aad"))
    let (message, validity) = (try test.bytes("msg"), try validity(of: test))
    let tagLength = try group.node.count("tagSize") / 8
    guard let algorithm = algorithms[group.algorithm] else { return unsupported(group) }
    let check = AEADCheck(
      algorithm: algorithm, key: key, iv: iv, aad: aad, message: message, sealed: sealed, tagLength: tagLength,
      validity: validity)
    guard algorithm == .xaes, validity == .valid, try test.member("derivedKey") != nil else { return check }
    return XAESCheck(sealing: check, intermediates: try XAESReader.intermediates(of: test))
  }

  private static func cbc(_ test: JSONNode, in group: Group) throws(VectorError) -> any Check {
    let check = CBCCheck(
      padded: true, key: try test.bytes("key"), iv: try test.bytes("iv"), message: try test.bytes("msg"),
      ciphertext: try test.bytes("ct"), validity: try validity(of: test))
    // Wycheproof keeps the older name of the padding, which PKCS #5 defines for blocks of 8 bytes alone.
    return ["AES-CBC-PKCS5", "AES-CBC-PKCS7"].contains(group.algorithm) ? check : unsupported(group)
  }

  private static func mac(_ test: JSONNode, in group: Group) throws(VectorError) -> any Check {
    let check = MACCheck(
      key: try test.bytes("key"), message: try test.bytes("msg"), tag: try test.bytes("tag"),
      tagLength: try group.node.count("tagSize") / 8, validity: try validity(of: test))
    return group.algorithm == "HMACSHA256" ? check : unsupported(group)
  }

  private static func hkdf(_ test: JSONNode, in group: Group) throws(VectorError) -> any Check {
    let check = HKDFCheck(
      keyMaterial: try test.bytes("ikm"), salt: try test.bytes("salt"), info: try test.bytes("info"),
      count: try test.count("size"), extracted: nil, output: try test.bytes("okm"),
      validity: try validity(of: test))
    return group.algorithm == "HKDF-SHA-256" ? check : unsupported(group)
  }

  private static func pbkdf2(_ test: JSONNode, in group: Group) throws(VectorError) -> any Check {
    let hashes: [String: Primitives.PBKDF2Hash] = ["PBKDF2-HMACSHA256": .sha256, "PBKDF2-HMACSHA512": .sha512]
    let hash = hashes[group.algorithm]
    let check = PBKDF2Check(
      hash: hash ?? .sha256, password: try test.bytes("password"), salt: try test.bytes("salt"),
      iterations: try test.count("iterationCount"), count: try test.count("dkLen"), output: try test.bytes("dk"),
      validity: try validity(of: test))
    return hash == nil ? unsupported(group) : check
  }

  private static func unsupported(_ group: Group) -> UnsupportedCheck {
    UnsupportedCheck(reason: "the algorithm \(group.algorithm)")
  }
}
