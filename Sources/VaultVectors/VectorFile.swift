/// A file of test vectors, read and recognised.
package struct VectorFile: Sendable {
  /// The file's name in reports.
  package let name: String
  /// What the content was recognised as: `NIST GCM`, `Wycheproof AES-GCM`.
  package let kind: String
  /// All cases in the order of the file, also those that can't be run. Never empty.
  package let cases: [VectorCase]

  /// Recognises what `bytes` are from their content and reads every case. Nothing is run.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: for reports. It decides nothing, but for Monte Carlo files, whose lines look like all others of CBC.
  /// - Throws: ``VectorError`` with the line or the JSON path for a file that is damaged, or of no kind that is known. A file
  ///   is read whole or not at all.
  package static func load(_ bytes: [UInt8], name: String) throws(VectorError) -> VectorFile {
    if name.hasSuffix(".tv-vector") || bytes.starts(with: ScenarioReader.beginning) {
      let check = ScenarioCheck(scenario: try ScenarioReader.scenario(of: bytes))
      return VectorFile(name: name, kind: Scenario.kind, cases: [VectorCase(id: check.scenario.comment, check: check)])
    }
    let isSpace: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    guard let first = bytes.first(where: { !isSpace($0) }) else { throw .unrecognised("the file is empty") }
    let isJSON = first == UInt8(ascii: "{") || name.hasSuffix(".json")
    let file = isJSON ? try json(bytes, name: name) : try lines(bytes, name: name)
    guard !file.cases.isEmpty else { throw .unrecognised("the file holds no case") }
    return file
  }

  private static func json(_ bytes: [UInt8], name: String) throws(VectorError) -> VectorFile {
    let root = try JSONNode(parsing: bytes)
    if try root.member("testGroups") != nil {
      let kind = "Wycheproof \(try root.string("algorithm"))"
      return VectorFile(name: name, kind: kind, cases: try WycheproofReader.cases(of: root))
    }
    if try root.member("vectors") != nil {
      return VectorFile(name: name, kind: "XAES-256-GCM", cases: try XAESReader.cases(of: root))
    }
    throw .unrecognised("the JSON object has neither \"testGroups\" nor \"vectors\"")
  }

  private static func lines(_ bytes: [UInt8], name: String) throws(VectorError) -> VectorFile {
    let file = try LineFile(parsing: bytes)
    let (kind, cases) = try recognised(file, name: name)
    return VectorFile(name: name, kind: kind, cases: cases)
  }

  /// The fields of one case decide for the file, so that a later case which lacks one is an error.
  private static func recognised(
    _ file: LineFile, name: String
  ) throws(VectorError) -> (kind: String, cases: [VectorCase]) {
    if file.cases.contains(where: { $0.has("Key", "IV", "AAD", "CT", "Tag") }) {
      return ("NIST GCM", try NISTReader.gcm(file))
    }
    if file.cases.contains(where: { $0.has("KEY", "IV", "PLAINTEXT", "CIPHERTEXT") }) {
      return try cbc(file, name: name)
    }
    if file.cases.contains(where: { $0.has("IKM", "OKM") }) { return ("HKDF", try RFCReader.hkdf(file)) }
    if file.cases.contains(where: { $0.has("N", "r", "p", "DERIVED_KEY") }) {
      return ("scrypt", try RFCReader.scrypt(file))
    }
    if file.cases.contains(where: { $0.has("P", "S", "c", "DK") }) { return ("PBKDF2", try RFCReader.pbkdf2(file)) }
    return (
      "other fields", unsupported(file) { "the fields \($0.fields.map(\.name).sorted().joined(separator: ", "))" }
    )
  }

  /// CFB and OFB files have the fields of CBC; the comments at their head tell them apart, and so they do Monte Carlo.
  private static func cbc(
    _ file: LineFile, name: String
  ) throws(VectorError) -> (kind: String, cases: [VectorCase]) {
    let words = file.comments.flatMap { $0.split(whereSeparator: \.isWhitespace) }
    if let other = words.first(where: { $0.contains("CFB") || $0.contains("OFB") }) {
      return ("NIST \(other)", unsupported(file) { _ in "the mode \(other)" })
    }
    if words.contains("MCT") || words.contains("Monte") || name.contains("MCT") {
      return ("NIST CBC Monte Carlo", try NISTReader.cbcMonteCarlo(file))
    }
    return ("NIST CBC", try NISTReader.cbc(file))
  }

  private static func unsupported(_ file: LineFile, _ reason: (LineFile.Case) -> String) -> [VectorCase] {
    file.cases.map { VectorCase(id: $0.id, check: UnsupportedCheck(reason: reason($0))) }
  }
}
