/// Makes cases of NIST CAVP's files for AES-CBC and AES-GCM.
enum NISTReader {
  /// Known answers and multi-block messages: KEY, IV, PLAINTEXT, CIPHERTEXT. Both directions are checked for each.
  static func cbc(_ file: LineFile) throws(VectorError) -> [VectorCase] {
    var cases: [VectorCase] = []
    for item in file.cases {
      try refuseFail(item)
      let check = CBCCheck(
        padded: false, key: try item.bytes("KEY"), iv: try item.bytes("IV"), message: try item.bytes("PLAINTEXT"),
        ciphertext: try item.bytes("CIPHERTEXT"), validity: .valid)
      guard check.message.count == check.ciphertext.count, check.message.count.isMultiple(of: 16) else {
        throw .value(line: item.line, "PLAINTEXT and CIPHERTEXT are not as many whole blocks")
      }
      cases.append(VectorCase(id: item.id, check: check))
    }
    return cases
  }

  /// Monte Carlo tests. A COUNT also says what the next of its section begins with.
  static func cbcMonteCarlo(_ file: LineFile) throws(VectorError) -> [VectorCase] {
    var cases: [VectorCase] = []
    for (index, item) in file.cases.enumerated() {
      try refuseFail(item)
      let following = file.cases.dropFirst(index + 1).first
      let successor = following?.mode == item.mode ? following : nil
      cases.append(VectorCase(id: item.id, check: try monteCarlo(item, before: successor)))
    }
    return cases
  }

  private static func monteCarlo(
    _ item: LineFile.Case, before next: LineFile.Case?
  ) throws(VectorError) -> CBCMonteCarloCheck {
    guard let mode = item.mode, mode == "ENCRYPT" || mode == "DECRYPT" else {
      throw .value(line: item.line, "neither [ENCRYPT] nor [DECRYPT] stands before this case")
    }
    let encrypts = mode == "ENCRYPT"
    let (input, output) = encrypts ? ("PLAINTEXT", "CIPHERTEXT") : ("CIPHERTEXT", "PLAINTEXT")
    var successor: CBCMonteCarloCheck.Successor?
    if let next {
      successor = .init(key: try next.bytes("KEY"), iv: try next.bytes("IV"), input: try next.bytes(input))
    }
    let check = CBCMonteCarloCheck(
      encrypts: encrypts, key: try item.bytes("KEY"), iv: try item.bytes("IV"), input: try item.bytes(input),
      output: try item.bytes(output), successor: successor)
    guard check.iv.count == 16, check.input.count == 16, check.output.count == 16 else {
      throw .value(line: item.line, "IV, PLAINTEXT and CIPHERTEXT of a Monte Carlo test are one block each")
    }
    return check
  }

  /// GCM, encryption and decryption files: Key, IV, AAD, CT, Tag, and PT or the line FAIL.
  static func gcm(_ file: LineFile) throws(VectorError) -> [VectorCase] {
    var cases: [VectorCase] = []
    for item in file.cases { cases.append(VectorCase(id: item.id, check: try gcm(item))) }
    return cases
  }

  private static func gcm(_ item: LineFile.Case) throws(VectorError) -> AEADCheck {
    guard item.fails != item.has("PT") else {
      throw .value(line: item.line, "the case that begins here needs either PT or FAIL")
    }
    let lengths = [("Key", "Keylen"), ("IV", "IVlen"), ("AAD", "AADlen"), ("CT", "PTlen"), ("Tag", "Taglen")]
    for (name, variable) in lengths { try demandLength(of: name, in: item, from: variable) }
    let message = item.fails ? nil : try item.bytes("PT")
    let tag = try item.bytes("Tag")
    let ciphertext = try item.bytes("CT")
    guard message == nil || message?.count == ciphertext.count else {
      throw .value(line: item.line, "PT and CT differ in length")
    }
    return AEADCheck(
      algorithm: .gcm, key: try item.bytes("Key"), iv: try item.bytes("IV"), aad: try item.bytes("AAD"),
      message: message, sealed: .init(ciphertext: ciphertext, tag: tag), tagLength: tag.count,
      validity: item.fails ? .invalid : .valid)
  }

  /// A value cut short would otherwise look like a case with other lengths.
  private static func demandLength(
    of name: String, in item: LineFile.Case, from variable: String
  ) throws(VectorError) {
    guard let bits = item.variables[variable] else { return }
    let field = try item.required(name)
    let length = 4 * field.value.utf8.count
    guard Int(bits) == length else {
      throw .value(line: field.line, "\(name) has \(length) bits, but the section says \(variable) = \(bits)")
    }
  }

  private static func refuseFail(_ item: LineFile.Case) throws(VectorError) {
    if item.fails { throw .value(line: item.line, "FAIL has no meaning in a file of this kind") }
  }
}
