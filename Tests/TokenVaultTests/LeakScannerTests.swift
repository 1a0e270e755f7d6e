import Testing
import VaultCrypto

@testable import TokenVault

/// Tokens in texts, against a plain reference and by hand.
@Suite struct LeakScannerTests {
  typealias Finding = LeakReference.Finding

  private static func known(
    _ tokens: [(user: String, token: String, kind: LeakFinding.Kind, isCurrent: Bool)],
    hashes: [(user: String, token: String, hasLength: Bool)] = []
  ) throws -> (LeakReference, KnownTokens) {
    var builder = KnownTokensBuilder()
    var reference = LeakReference()
    for (user, token, kind, isCurrent) in tokens {
      var write = KnownWrite(of: Array(user.utf8), version: 5, isCurrent ? .replaces : .tells)
      try write.add(Array(token.utf8).span, kind)
      builder.add(write)
      let digest = try SHA256.digest(of: Array(token.utf8).span).hex
      reference.known[digest, default: []].append((user, kind.rawValue, isCurrent))
    }
    for (user, token, hasLength) in hashes {
      let digest = try TokenDigest(of: token)
      var write = KnownWrite(of: Array(user.utf8), version: 5, .tells)
      write.add(hasLength ? digest : TokenDigest(sha256: digest.sha256, length: nil))
      builder.add(write)
      reference.known[digest.hexadecimal, default: []].append((user, "access_token", false))
    }
    return (reference, builder.build())
  }

  /// What a scanner with blocks of `block` bytes finds in `text`, of which `step` bytes come at a time.
  private static func scan(
    _ text: [UInt8], _ known: KnownTokens, block: Int = 1 << 20, steps: [Int] = [.max]
  ) throws -> [Finding] {
    var found: [Finding] = []
    var place = 0
    var reads = 0
    try LeakScanner(known, block: block).scan { (output) in
      let step = steps[reads % steps.count]
      reads += 1
      let end = min(text.count, place + min(step, output.freeCapacity))
      output.append(contentsOf: text.span.extracting(place..<end))
      place = end
    } found: {
      found.append(Finding($0))
    }
    return found
  }

  private static let token = "ya29.a0AfB_by-Cd~Ef+Gh/Ij"
  private static let odd = "EAAG|app id:4!x%41"
  private static let hashed = "gho_16C7e42F292c6912E7710c838347Ae178B4a"

  private static func standard() throws -> (LeakReference, KnownTokens) {
    try known(
      [
        ("ada", token, .accessToken, true), ("ada", "1//0refresh-token", .refreshToken, false),
        ("bob", odd, .accessToken, true), ("eve", "eyJhbGci.eyJzdWIi.c2lnbg", .accessToken, true),
        ("eve", "QWxhZGRpbg==", .refreshToken, true), ("tom", "dots.at.the.end....", .accessToken, true),
      ], hashes: [("kim", hashed, true)])
  }

  /// Forms in which tokens stand in texts: `@` is the token `ya29.a0AfB_by-Cd~Ef+Gh/Ij`.
  @Test(arguments: [
    #"{"access_token":"@","token_type":"bearer"}"#, "{\n  \"access_token\" : \"@\"\n}", "Authorization: Bearer @\r\n",
    "@", "  @  ", "TOKEN=@", "export TOKEN='@'", "TOKEN=\"@\"", "access_token: @", "https://x:@@example.com/",
    "GET /cb?access_token=@&state=1 HTTP/1.1", "https://x.example/cb#access_token=@", "it is @.", "it is @...",
    "a,@,b", "<token>@</token>", "(@)", "`@`", "\u{0}@\u{0}", "ü@ü", "--token=@", "a=b=@", "x==@",
    #"{"access_token":"ya29.a0AfB_by-Cd~Ef+Gh\/Ij"}"#, #"{"access_token":"ya29.a0AfB_by-Cd~Ef+Gh\u002fIj"}"#,
    #"{"body":"{\"access_token\":\"@\"}"}"#, #""first\n@\nsecond""#, #""a\u0026access_token=@\u0026b""#,
    #"C:\@"#, #"{"q":"access_token\u003d@"}"#,
    "access_token=ya29.a0AfB_by-Cd%7eEf%2BGh%2FIj&x=1",
    "u=http%3A%2F%2Fx%3Faccess_token%3Dya29.a0AfB_by-Cd~Ef%2bGh%2fIj",
    #"\u0025u=ya29.a0AfB_by-Cd~Ef\u002bGh%2fIj"#,
  ])
  func isFoundInManyForms(_ form: String) throws {
    // Defends: each way in which a token stands in a text, with the place where it begins.
    let (reference, known) = try Self.standard()
    let text = Array(form.replacing("@@", with: Self.token + "\u{1}").replacing("@", with: Self.token).utf8)
    let found = try Self.scan(text, known)
    #expect(found.contains { $0.user == "ada" && $0.kind == "access_token" && $0.isCurrent && !$0.isHash })
    let expected = try reference.findings(in: text)
    #expect(found == expected)
  }

  @Test(arguments: [
    "x@", "@x", "", "\n", "=", "....", "////", "%%%", "\\\\\\", "ya29.a0AfB_by-Cd~Ef+Gh\n/Ij",
    "YA29.A0AFB_BY-CD~EF+GH/IJ",
  ])
  func isNotFoundInOthers(_ form: String) throws {
    // Defends: no part of a word, and nothing that differs, is a token.
    let (reference, known) = try Self.standard()
    let text = Array(form.replacing("@", with: Self.token).utf8)
    #expect(try Self.scan(text, known).isEmpty)
    #expect(try reference.findings(in: text).isEmpty)
  }

  @Test func otherBytesAndHashes() throws {
    // Defends: a token of other bytes is found on a line of its own; one of which the hash is known, in a text and as its hash.
    let (reference, known) = try Self.standard()
    let hash = try TokenDigest(of: Self.token).hexadecimal
    let lines = [
      "  " + Self.odd + "\t\r", "not alone " + Self.odd, Self.hashed, hash, "sha256:" + hash.uppercased(),
      #"\x"# + hash, String(hash.dropLast()), "QWxhZGRpbg==", "x=QWxhZGRpbg==.", "dots.at.the.end....",
      "dots.at.the.end.....", "1//0refresh-token", "/path/1//0refresh-token", "/QWxhZGRpbg==/revoke", Self.odd,
    ]
    let text = Array(lines.joined(separator: "\n").utf8)
    let found = try Self.scan(text, known)
    #expect(found == (try reference.findings(in: text)))
    #expect(found.map(\.line) == [1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 14, 15])
    #expect(found.map(\.isHash) == [false, false, true, true, true] + Array(repeating: false, count: 7))
    #expect(found.first { $0.line == 12 }?.isCurrent == false)
  }

  @Test func unknownLength() throws {
    // Defends: where only a hash is known, all lengths of ordinary tokens are tried, in runs and lines.
    let tokens = ["sixteen-bytes-it", "a b c d e f g h i", String(repeating: "x", count: 4096)]
    let (reference, known) = try Self.known([], hashes: tokens.map { ("u", $0, false) })
    let text = Array(tokens.joined(separator: "\n").utf8)
    #expect(try Self.scan(text, known).map(\.line) == [1, 2, 3])
    #expect(try Self.scan(text, known) == reference.findings(in: text))
  }

  @Test func tooShortOnes() throws {
    // Defends: a word of every text is no token; it is counted, so that somebody may be told.
    let (_, known) = try Self.known([("ada", "1234567", .accessToken, true), ("ada", "12345678", .refreshToken, true)])
    #expect(known.tooShort == 1 && known.count == 1)
    #expect(try Self.scan(Array("1234567 12345678".utf8), known).map(\.offset) == [8])
  }

  @Test func sameTokens() throws {
    // Defends: a token of two accounts is found for both; one that was written twice, once, and as current if it is.
    let (_, known) = try Self.known([
      ("ada", Self.token, .refreshToken, false), ("bob", Self.token, .refreshToken, true),
      ("ada", Self.token, .refreshToken, true), ("ada", Self.token, .refreshToken, false),
    ])
    #expect(known.count == 2)
    let found = try Self.scan(Array(Self.token.utf8), known)
    #expect(found.map(\.user) == ["ada", "bob"] && found.allSatisfy(\.isCurrent))
  }

  private static let page = """
    {"access_token":"\(token)","x":"\(hashed)"}\r
      \(odd)\t
    see /a/QWxhZGRpbg==/b?t=1%2F%2f0refresh-token, \\u003d1//0refresh-token.
    \(odd)
    """

  @Test func everyCut() throws {
    // Defends: what is found does not depend on how the input was cut.
    let (reference, known) = try Self.standard()
    let text = Array(Self.page.utf8)
    let expected = try reference.findings(in: text)
    #expect(expected.count == 7)
    for cut in 0..<text.count {
      #expect(try Self.scan(text, known, steps: [max(1, cut), .max]) == expected, "cut at \(cut)")
    }
    #expect(try Self.scan(text, known, steps: [1]) == expected)
  }

  @Test func everyBlock() throws {
    // Defends: wherever a block ends, nothing is lost, twice or elsewhere, as long as lines and runs are shorter than it.
    let (reference, known) = try Self.standard()
    let longest = Self.page.utf8.split(separator: 10).map(\.count).max() ?? 0
    for padding in 0..<40 {
      let text = Array((String(repeating: "-", count: padding) + "\n" + Self.page + "\n\n" + Self.page).utf8)
      let expected = try reference.findings(in: text)
      for block in longest + 1..<longest + 20 {
        #expect(try Self.scan(text, known, block: block, steps: [7, 64]) == expected, "block \(block), \(padding)")
      }
    }
  }

  @Test func linesThatAreLongerThanABlock() throws {
    // Defends: of a line without end the runs are seen; it is never taken for a token as a whole, nor is the end of it.
    let (reference, known) = try Self.standard()
    let block = 64
    var text = Array((String(repeating: "- ", count: 40) + Self.odd).utf8)
    #expect(try Self.scan(text, known, block: block).isEmpty)
    text += Array((" " + Self.token + " x\n" + Self.odd).utf8)
    let expected = try reference.findings(in: text)
    #expect(expected.map(\.line) == [1, 2])
    for step in 1..<70 { #expect(try Self.scan(text, known, block: block, steps: [step]) == expected) }
  }

  @Test func runsThatAreLongerThanABlock() throws {
    // Defends: a run without end takes no memory, hides nothing behind it, and its end is no token.
    let (_, known) = try Self.standard()
    for length in [63, 64, 65, 127, 128, 129, 200] {
      let run = String(repeating: "A", count: length)
      for step in [1, 63, 64, 65, 1000] {
        let text = run + "/" + Self.token + " " + Self.token + "\n" + Self.token
        let found = try Self.scan(Array(text.utf8), known, block: 64, steps: [step])
        #expect(found.map(\.offset) == [length + 27, length + 53], "\(length) \(step)")
        #expect(found.map(\.line) == [1, 2])
      }
    }
  }

  @Test func exactlyABlock() throws {
    // Defends: the limit is the same wherever in a text the run or the line stands.
    let word = String(repeating: "w", count: 31)
    let (_, known) = try Self.known([("ada", word, .accessToken, true), ("ada", word + "w", .accessToken, true)])
    for before in ["", "\n", "x ", "x\n", String(repeating: "y ", count: 40)] {
      for after in ["", "\n", " x", " " + String(repeating: "y", count: 40)] {
        let short = try Self.scan(Array((before + word + after).utf8), known, block: 32, steps: [5])
        #expect(short.map(\.offset) == [before.utf8.count], "\(before)|\(after)")
        #expect(try Self.scan(Array((before + word + "w" + after).utf8), known, block: 32, steps: [5]).isEmpty)
      }
    }
  }

  @Test(arguments: 1...16)
  func agreesWithTheReference(_ seed: Int) throws {
    // Defends: on texts that nobody thought of, cut anywhere, exactly what the reference finds is found.
    let (reference, known) = try Self.standard()
    var random = SeededNumbers(seed: UInt64(seed))
    let parts = [
      Self.token, Self.hashed, Self.odd, "1//0refresh-token", "QWxhZGRpbg==", "dots.at.the.end....",
      "1%2f%2F0refresh-token", #"1\/\/0refresh-token"#, #"1\u002f/0refresh-token"#, "eyJhbGci.eyJzdWIi.c2lnbg",
      try TokenDigest(of: Self.hashed).hexadecimal,
      " ", "\n", "\r\n", "=", "==", "/", ".", "..", "%", "%2", "%41", "\\", "\\\\", "\\u", "\\n", "\"", "&", "\u{0}",
      "ü",
      "-", "\t", "a", "0",
    ]
    var text: [UInt8] = []
    while text.count < 4000 {
      text += Array(parts[random.next(below: parts.count)].utf8)
      if random.next(below: 8) == 0 { text.append(UInt8(random.next(below: 256))) }
      if random.next(below: 3) == 0 { text.append([0x20, 0x0A][random.next(below: 2)]) }
    }
    let expected = try reference.findings(in: text)
    #expect(expected.count > 30)
    #expect(try Self.scan(text, known) == expected, "seed \(seed)")
    let steps = (0..<7).map { _ in 1 + random.next(below: 300) }
    #expect(try Self.scan(text, known, block: 2000, steps: steps) == expected, "seed \(seed) in blocks")
  }

  @Test func aMillionBytesInOneRun() throws {
    // Defends: the longest token that there can be is found, and a run or a line of any length takes no long time.
    let long = String(repeating: "Ab0-", count: 262_000)
    let (_, known) = try Self.known([("ada", long, .accessToken, true)])
    let text = Array((long + "x access_token=" + long + "\n").utf8)
    #expect(try Self.scan(text, known, block: 2 << 20).map(\.offset) == [1_048_015])
    for byte in ["=", ".", "/", "%", "\\", "a", "=a", "a/", "%41"] {
      let text = Array(String(repeating: byte, count: 3_000_000 / byte.utf8.count).utf8)
      #expect(try Self.scan(text, Self.standard().1, block: 2 << 20).isEmpty)
    }
  }

  @Test func manyKnownTokens() throws {
    // Defends: each of many tokens is found, and no other.
    var builder = KnownTokensBuilder()
    for number in 0..<20_000 {
      var write = KnownWrite(of: Array("user-\(number)".utf8), version: 1, .replaces)
      try write.add(Array("token-\(number)-of-many".utf8).span, .accessToken)
      builder.add(write)
    }
    let known = builder.build()
    #expect(known.count == 20_000)
    let text = (0..<40_000).map { "token-\($0)-of-many" }.joined(separator: "\n")
    let found = try LeakScanner(known, block: 1 << 16).findings(in: Array(text.utf8))
    #expect(found.map { String(decoding: $0.owner.user, as: UTF8.self) } == (0..<20_000).map { "user-\($0)" })
    #expect(found.map(\.line) == (1...20_000).map { UInt64($0) })
  }

  @Test func classesOfBytes() {
    // Defends: the bits of the two numbers are these bytes and no others.
    let bytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
    for byte in UInt8.min...UInt8.max {
      #expect(TokenBytes.isToken(byte) == bytes.utf8.contains(byte))
      #expect(TokenBytes.isPart(byte) == (bytes + "%\\").utf8.contains(byte))
    }
  }

  @Test func nothingKnown() throws {
    // Defends: a vault without tokens finds nothing, in anything.
    let (_, known) = try Self.known([])
    #expect(known.count == 0)
    #expect(try Self.scan(Array(Self.page.utf8), known).isEmpty)
  }
}

/// Numbers that look random, the same for the same seed.
struct SeededNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

  mutating func next(below count: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state >> 33) % count
  }
}
