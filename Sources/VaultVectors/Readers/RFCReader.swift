/// Makes cases of key derivation vectors: RFC 5869 (HKDF), RFC 7914 (scrypt), and PBKDF2.
///
/// Where the output is `FAIL`, the parameters must be refused.
enum RFCReader {
  /// HKDF: Hash, IKM, salt, info, L, OKM; PRK where there is one.
  static func hkdf(_ file: LineFile) throws(VectorError) -> [VectorCase] {
    try cases(of: file) { (item) throws(VectorError) in
      let hash = try item.required("Hash").value
      guard hash == "SHA-256" else { return UnsupportedCheck(reason: "HKDF with \(hash)") }
      let output = try output("OKM", of: item)
      return HKDFCheck(
        keyMaterial: try item.bytes("IKM"), salt: try item.bytes("salt"), info: try item.bytes("info"),
        count: try item.count("L"), extracted: item.has("PRK") ? try item.bytes("PRK") : nil,
        output: output ?? [], validity: output == nil ? .invalid : .valid)
    }
  }

  /// scrypt: PASSWORD and SALT as text, or PASSWORD_HEX and SALT_HEX; N, r, p, LENGTH, DERIVED_KEY.
  static func scrypt(_ file: LineFile) throws(VectorError) -> [VectorCase] {
    try cases(of: file) { (item) throws(VectorError) in
      let output = try output("DERIVED_KEY", of: item)
      let cost = Primitives.ScryptCost(n: try item.count("N"), r: try item.count("r"), p: try item.count("p"))
      return ScryptCheck(
        password: try textOrBytes("PASSWORD", of: item), salt: try textOrBytes("SALT", of: item), cost: cost,
        count: try item.count("LENGTH"), output: output ?? [], validity: output == nil ? .invalid : .valid)
    }
  }

  /// PBKDF2: P, S, c, dkLen, DK. A comment of the file names the hash.
  static func pbkdf2(_ file: LineFile) throws(VectorError) -> [VectorCase] {
    let hash = hash(of: file)
    return try cases(of: file) { (item) throws(VectorError) in
      guard let hash else { return UnsupportedCheck(reason: "PBKDF2 with another hash than SHA-256 or SHA-512") }
      let output = try output("DK", of: item)
      return PBKDF2Check(
        hash: hash, password: try item.bytes("P"), salt: try item.bytes("S"), iterations: try item.count("c"),
        count: try item.count("dkLen"), output: output ?? [], validity: output == nil ? .invalid : .valid)
    }
  }

  /// The hash that the first comment to name one names; nil if it is neither SHA-256 nor SHA-512.
  private static func hash(of file: LineFile) -> Primitives.PBKDF2Hash? {
    for comment in file.comments {
      let text = comment.uppercased()
      if text.contains("SHA256") || text.contains("SHA-256") { return .sha256 }
      if text.contains("SHA512") || text.contains("SHA-512") { return .sha512 }
    }
    return nil
  }

  private static func cases(
    of file: LineFile, _ check: (LineFile.Case) throws(VectorError) -> any Check
  ) throws(VectorError) -> [VectorCase] {
    var cases: [VectorCase] = []
    for item in file.cases {
      if item.fails { throw .value(line: item.line, "FAIL must be the value of the output in a file of this kind") }
      cases.append(VectorCase(id: item.id, check: try check(item)))
    }
    return cases
  }

  /// Nil stands for `FAIL`.
  private static func output(_ name: String, of item: LineFile.Case) throws(VectorError) -> [UInt8]? {
    try item.required(name).value == "FAIL" ? nil : try item.bytes(name)
  }

  private static func textOrBytes(_ name: String, of item: LineFile.Case) throws(VectorError) -> [UInt8] {
    if let text = item[name] { return Array(text.value.utf8) }
    return try item.bytes("\(name)_HEX")
  }
}
