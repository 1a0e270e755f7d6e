import Testing

@testable import VaultVectors

@Suite("Damaged and foreign vector files")
struct BadVectorFileTests {
  private static let gcm = """
    # CAVS 14.0

    [Keylen = 256]
    [IVlen = 96]
    [PTlen = 0]
    [AADlen = 0]
    [Taglen = 128]

    Count = 0
    Key = f5a2b27c74355872eb3ef6c5feafaa740e6ae990d9d48c3bd9bb8235e589f010
    IV = 58d2240f580a31c1d24948e9
    CT = 
    AAD = 
    Tag = 15e051a5e4a5f5da6cea92e2ebee5bac
    PT = 

    Count = 1
    Key = e5a8123f2e2e007d4e379ba114a2fb66e6613f57c72d4e4f024964053028a831
    IV = 51e43385bf533e168427e1ad
    CT = 
    AAD = 
    Tag = 38fe845c66e66bdd884c2aecafd280e6
    FAIL
    """

  private static let cbc = """
    [ENCRYPT]

    COUNT = 0
    KEY = 6ed76d2d97c69fd1339589523931f2a6cff554b15f738f21ec72dd97a7330907
    IV = 851e8764776e6796aab722dbb644ace8
    PLAINTEXT = 6282b8c05c5c1530b97d4816ca434762
    CIPHERTEXT = 6acc04142e100a65f51b97adf5172c41
    """

  /// A good file; a test says its form, and not the lines of it.
  enum Good: Sendable {
    case mac, pbkdf2, gcm, cbc

    var text: String {
      switch self {
      case .mac: SampleFiles.mac
      case .pbkdf2: SampleFiles.pbkdf2
      case .gcm: BadVectorFileTests.gcm
      case .cbc: BadVectorFileTests.cbc
      }
    }
  }

  // Defends against damage going unseen: no beginning of a JSON file is a file, for numberOfTests or for the syntax.
  @Test func noTruncatedJSONLoads() throws {
    let bytes = Array(SampleFiles.mac.utf8)
    #expect(VectorRun.verify(try VectorFile.load(bytes, name: "mac.json")).counts == .init(passed: 3))
    for count in bytes.indices {
      #expect(throws: VectorError.self, "\(count) bytes") {
        try VectorFile.load(Array(bytes[..<count]), name: "mac.json")
      }
    }
  }

  // Defends the same for lines: what is cut off is an error, or a case less; never a full count.
  @Test(arguments: [(Good.gcm, 2), (.cbc, 1)])
  func noTruncatedLinesPassInFull(_ good: Good, _ cases: Int) throws {
    let bytes = Array(good.text.utf8)
    #expect(VectorRun.verify(try VectorFile.load(bytes, name: "nist.rsp")).counts == .init(passed: cases))
    for count in bytes.indices {
      guard let file = try? VectorFile.load(Array(bytes[..<count]), name: "nist.rsp") else { continue }
      #expect(VectorRun.verify(file).passed < cases, "\(count) bytes")
    }
  }

  // Defends every reader against a crash: each byte of small files becomes others, and what loads is run.
  @Test(arguments: [Good.mac, .pbkdf2, .gcm, .cbc])
  func noChangedByteCrashes(_ good: Good) {
    let bytes = Array(good.text.utf8)
    for index in bytes.indices {
      for value in [UInt8(ascii: "0"), UInt8(ascii: "\""), UInt8(ascii: "]"), UInt8(ascii: "\n"), 0x00, 0xFF] {
        var changed = bytes
        changed[index] = value
        guard let file = try? VectorFile.load(changed, name: "changed") else { continue }
        #expect(VectorRun.verify(file).results.count == file.cases.count)
      }
    }
  }

  // Defends that the line end says nothing.
  @Test(arguments: [Good.gcm, .cbc, .mac])
  func bothLineEndsAreTheSame(_ good: Good) throws {
    let windows = good.text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    let counts = VectorRun.verify(try SampleFiles.load(good.text)).counts
    #expect(VectorRun.verify(try SampleFiles.load(windows)).counts == counts)
    #expect(counts.passed > 0)
  }

  /// A change of a good file, and the error that must come.
  struct Damage: Sendable {
    let good: Good
    let old: String
    let new: String
    let code: VectorError.Code
    let location: String?

    init(_ good: Good, _ old: String, _ new: String, _ code: VectorError.Code, at location: String?) {
      self.good = good
      self.old = old
      self.new = new
      self.code = code
      self.location = location
    }
  }

  // Defends the sentence: every kind of damage has its code and names the line or the JSON path.
  @Test(arguments: [
    Damage(.mac, "\"4a65", "\"a65", .value, at: "$.testGroups[0].tests[0].key"),
    Damage(.mac, "\"4a65", "\"4g65", .value, at: "$.testGroups[0].tests[0].key"),
    Damage(.mac, "\"invalid\"", "\"wrong\"", .value, at: "$.testGroups[0].tests[1].result"),
    Damage(.mac, "\"invalid\"", "false", .value, at: "$.testGroups[0].tests[1].result"),
    Damage(.mac, "\"tagSize\": 256", "\"tagSize\": \"256\"", .value, at: "$.testGroups[1].tagSize"),
    Damage(.mac, "\"tagSize\": 256", "\"tagSize\": 1e9", .value, at: "$.testGroups[1].tagSize"),
    Damage(.mac, "\"msg\"", "\"message\"", .value, at: "$.testGroups[0].tests[0]"),
    Damage(.mac, "\"tcId\": 2", "\"tcId\": 1", .value, at: "$.testGroups[0].tests[1].tcId"),
    Damage(.mac, "\"numberOfTests\": 3", "\"numberOfTests\": 4", .count, at: "$.numberOfTests"),
    Damage(.mac, "\"numberOfTests\": 3", "\"numberOfTests\": -3", .value, at: "$.numberOfTests"),
    Damage(.mac, "\"numberOfTests\": 3, ", "", .value, at: "$"),
    Damage(.mac, "\"testGroups\": [", "\"testGroups\": [7, ", .value, at: "$.testGroups[0]"),
    Damage(.mac, "\"testGroups\"", "\"groups\"", .unrecognised, at: nil),
    Damage(.mac, "\"flags\": []", "\"flags\": [}", .syntax, at: "line 3"),
    Damage(.mac, "\"flags\": []", "\"flags\": \"\\ud80\\u0041\"", .syntax, at: "line 3"),
    Damage(.mac, "\"flags\": []", "\"key\": []", .syntax, at: "line 3"),
    Damage(.gcm, "Key = f5", "Key = 5", .value, at: "line 10"),
    Damage(.gcm, "Key = f5", "Key = x5", .value, at: "line 10"),
    Damage(.gcm, "Tag = 15e0", "Tag = 15", .value, at: "line 14"),
    Damage(.gcm, "PT = \n", "", .value, at: "line 9"),
    Damage(.gcm, "PT = ", "FAIL\nPT =", .value, at: "line 9"),
    Damage(.gcm, "IV = 51", "Key = 51", .syntax, at: "line 19"),
    Damage(.gcm, "[IVlen = 96]", "[IVlen = 96", .syntax, at: "line 4"),
    Damage(.gcm, "\nFAIL", "\nFAILED", .syntax, at: "line 23"),
    Damage(.cbc, "COUNT = 0", "FAIL", .syntax, at: "line 3"),
    Damage(.cbc, "IV = 85", "IV =", .value, at: nil),
    Damage(.cbc, "PLAINTEXT = 62", "PLAINTEXT = ", .value, at: "line 3"),
  ])
  func damageIsNamed(_ damage: Damage) throws {
    let parts = damage.good.text.split(separator: damage.old, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2)
    do {
      let file = try SampleFiles.load(parts.joined(separator: damage.new))
      // A value of another length may be a case that can't be run. It must not pass.
      #expect(damage.location == nil && VectorRun.verify(file).passed == 0)
    } catch {
      #expect(error.code == damage.code)
      #expect(error.location == damage.location)
      #expect(!error.sentence.isEmpty)
    }
  }

  // Defends that content nobody knows is refused with a sentence.
  @Test(arguments: ["", " \n\n", "# a comment alone\n", "{}", "{\"vectors\": []}", "[]", "prose", "\u{FEFF}{}", "null"])
  func foreignContentIsRefused(_ text: String) {
    #expect(throws: VectorError.self) { try SampleFiles.load(text) }
    #expect(throws: VectorError.self) { try SampleFiles.load(text, name: "a.json") }
  }

  // Defends that unknown types of groups and other algorithms are counted as what they are.
  @Test func foreignGroupsAreNotApplicable() throws {
    let group = "{\"type\": \"EddsaVerify\", \"tests\": [{\"tcId\": 1}, {\"tcId\": 2}]}"
    let signatures = VectorRun.verify(
      try SampleFiles.load(SampleFiles.wycheproof("EDDSA", tests: 2, groups: group)))
    #expect(signatures.counts == .init(notApplicable: 2))
    let other = SampleFiles.mac.split(separator: "HMACSHA256").joined(separator: "HMACSHA1")
    #expect(VectorRun.verify(try SampleFiles.load(other)).counts == .init(notApplicable: 3))
  }

  // Defends files of other modes and fields: counted, not run, not an error.
  @Test func foreignLinesAreNotApplicable() throws {
    let outputFeedback = VectorRun.verify(try SampleFiles.load("# AESVS test data for OFB\n" + Self.cbc))
    #expect(outputFeedback.counts == .init(notApplicable: 1))
    let codebook = VectorRun.verify(try SampleFiles.load("COUNT = 0\nKEY = 00\nPLAINTEXT = 00\nCIPHERTEXT = 00\n"))
    #expect(codebook.counts == .init(notApplicable: 1))
  }

  // Defends against nesting that would exhaust the stack.
  @Test func deepNestingIsRefused() {
    let deep = "{\"a\":" + String(repeating: "[", count: 100_000)
    #expect(throws: VectorError.self) { try SampleFiles.load(deep) }
  }

  // Defends against a line length limit, and against time that grows with the square of the length.
  @Test func longLinesAreRead() throws {
    let long = String(repeating: "00", count: 5_000_000)
    let padded = SampleFiles.mac.split(separator: "\n").joined().split(separator: "\"\"", maxSplits: 1)
    let json = padded.joined(separator: "\"\(long)\"")
    #expect(VectorRun.verify(try SampleFiles.load(json)).counts == .init(passed: 3))
    let lines = VectorRun.verify(try SampleFiles.load("# \(long)\n" + Self.cbc))
    #expect(lines.counts == .init(passed: 1))
  }

  // Defends paths: what is not there, and folders without vectors, are errors in the report and not silence.
  @Test func pathsWithoutVectorsAreUnreadable() {
    let source = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let report = VectorRun.verify(paths: [source, "\(source)/nowhere", "/dev/null"])
    #expect(report.unreadable.map { $0.error?.code } == [.unreadable, .unreadable, .unreadable])
    #expect(report.cases == 0)
  }
}
