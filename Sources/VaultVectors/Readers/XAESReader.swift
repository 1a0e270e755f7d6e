/// Makes cases of the XAES-256-GCM vectors of C2SP: `vectors` with their intermediate values, and `accumulated`, whose
/// members with a number for a name give the result after so many rounds.
enum XAESReader {
  /// The cases of the file whose outermost object is `root`.
  static func cases(of root: JSONNode) throws(VectorError) -> [VectorCase] {
    var cases: [VectorCase] = []
    for (index, vector) in try root.elements("vectors").enumerated() {
      cases.append(VectorCase(id: "vector \(index + 1)", check: try vectorCheck(vector)))
    }
    if let accumulated = try root.member("accumulated") { cases += try accumulatedCases(accumulated) }
    return cases
  }

  private static func vectorCheck(_ vector: JSONNode) throws(VectorError) -> XAESCheck {
    let output = try vector.bytes("ciphertextAndTag")
    let plaintext = try vector.bytes("plaintext")
    guard output.count == plaintext.count + 16 else {
      throw .value(path: "\(vector.path).ciphertextAndTag", "it is not 16 bytes longer than the plaintext")
    }
    let sealing = AEADCheck(
      algorithm: .xaes, key: try vector.bytes("key"), iv: try vector.bytes("nonce"), aad: try vector.bytes("aad"),
      message: plaintext,
      sealed: .init(ciphertext: Array(output.prefix(plaintext.count)), tag: Array(output.suffix(16))),
      tagLength: 16, validity: .valid)
    return XAESCheck(sealing: sealing, intermediates: try intermediates(of: vector))
  }

  /// The intermediate values that a case gives.
  static func intermediates(of vector: JSONNode) throws(VectorError) -> XAESCheck.Intermediates {
    XAESCheck.Intermediates(
      l: try vector.optionalBytes("L"), k1: try vector.optionalBytes("K1"), m1: try vector.optionalBytes("M1"),
      m2: try vector.optionalBytes("M2"), derivedKey: try vector.optionalBytes("derivedKey"))
  }

  private static func accumulatedCases(_ node: JSONNode) throws(VectorError) -> [VectorCase] {
    let streamStart = try node.optionalBytes("streamStarts") ?? []
    var cases: [VectorCase] = []
    for rounds in try node.names().compactMap({ Int($0) }).sorted() {
      let digest = try node.bytes(String(rounds))
      guard digest.count == 32 else { throw .value(path: "\(node.path).\(rounds)", "the result is not of 32 bytes") }
      cases.append(VectorCase(id: "accumulated \(rounds)", check: accumulatedCheck(rounds, digest, streamStart)))
    }
    return cases
  }

  private static func accumulatedCheck(_ rounds: Int, _ digest: [UInt8], _ streamStart: [UInt8]) -> any Check {
    guard (1...XAESAccumulatedCheck.longForm).contains(rounds) else {
      return UnsupportedCheck(reason: "\(rounds) rounds; 1 to \(XAESAccumulatedCheck.longForm) are run")
    }
    return XAESAccumulatedCheck(rounds: rounds, digest: digest, streamStart: streamStart)
  }
}
