internal import Logging
internal import Metrics
internal import TokenVault
internal import VaultCrypto
internal import VaultEngine
internal import VaultLaboratory

extension FuzzTarget {
  /// Texts in which references to tokens stand, or tokens: references, templates, the redactor and the search for leaks. The first
  /// byte says which.
  static let references = FuzzTarget(
    "references", longest: 2048,
    seeds: { _ in
      let texts = [
        "tv://alice/access_token?provider=reddit", "tv://a%20b",
        "line\n{{ tv://alice/access_token }} and {{tv://bob}}\n",
        "Authorization: Bearer \(ReferenceTexts.secrets[0])\n", "a=\(ReferenceTexts.secrets[1])&b=%74oken-of-bob",
        "{\"t\":\"\(ReferenceTexts.secrets[0])\\n\\u0061bc\"}", ReferenceTexts.secrets.joined(separator: "/"),
      ]
      return texts.flatMap { (text) in (0..<UInt8(4)).map { [$0, 7] + Array(text.utf8) } }
    }
  ) { (input) throws(Violation) in
    guard input.count > 1 else { return }
    let text = input.extracting(2..<input.count).array
    switch input[0] % 4 {
    case 0: try ReferenceTexts.checkReference(text)
    case 1: try ReferenceTexts.checkTemplate(text)
    case 2: try ReferenceTexts.checkRedactor(text, cut: Int(input[1]))
    default: try ReferenceTexts.checkLeaks(text, block: Int(input[1]))
    }
  }
}

/// What must hold of texts.
enum ReferenceTexts {
  /// Tokens of a vault. Some begin alike, one ends as another begins, one is no token of RFC 6750.
  static let secrets = [
    "token-of-alice", "token-of-bob", "token-of-bob-and-more", "and-more-token-of", "aaaaaaaa", "aaaaaaaaaaaa",
    "not a token: {\u{e9}}",
  ]

  static func checkReference(_ bytes: [UInt8]) throws(Violation) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let reference = try? TokenReference(parsing: text) else { return }
    try demand((try? TokenReference(parsing: reference.text)) == reference, "a reference is another when it is written")
  }

  static func checkTemplate(_ bytes: [UInt8]) throws(Violation) {
    guard let template = try? SecretTemplate(parsing: bytes.span) else { return }
    var end = 0
    var line = 1
    for place in template.places {
      try demand(place.range.lowerBound >= end && place.range.upperBound <= bytes.count, "places overlap")
      line += bytes[end..<place.range.lowerBound].count { $0 == UInt8(ascii: "\n") }
      try demand(place.line == line, "a place is on line \(place.line), not \(line)")
      let inner = String(decoding: bytes[place.range].dropFirst(2).dropLast(2), as: UTF8.self)
      let reference = inner.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
      try demand(
        (try? TokenReference(parsing: String(reference))) == place.reference, "a place holds another reference")
      end = place.range.upperBound
    }
  }

  /// A text in pieces is redacted as a whole is, and no secret is left in it.
  static func checkRedactor(_ bytes: [UInt8], cut: Int) throws(Violation) {
    guard let store = try? Self.store.get() else { throw Violation("there is no vault to take secrets from") }
    do {
      let whole = try redacted(bytes, store, piece: bytes.count)
      try demand(try redacted(bytes, store, piece: cut + 1) == whole, "another text when it comes in pieces")
      for secret in secrets {
        try demand(!contains(whole, Array(secret.utf8)), "a secret was left in the text")
      }
      if !secrets.contains(where: { contains(bytes, Array($0.utf8.prefix(8))) }) {
        try demand(whole == bytes, "a text without secrets was changed")
      }
    } catch let violation as Violation {
      throw violation
    } catch {
      throw Violation("the redactor failed: \(error)")
    }
  }

  private static func redacted(_ bytes: [UInt8], _ store: TokenStore, piece: Int) throws -> [UInt8] {
    var redactor = try store.redactor { _ in Array("#".utf8) }
    var output: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: max(piece, 1)) {
      output += try redactor.redact(bytes.span.extracting(start..<min(bytes.count, start + piece)))
    }
    return try output + redactor.finish()
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard text.count >= part.count else { return false }
    return (0...text.count - part.count).contains {
      text[$0] == part[0] && text[$0..<$0 + part.count].elementsEqual(part)
    }
  }

  /// What is found is there, in the order of the text, and the same when the text comes in small pieces.
  static func checkLeaks(_ bytes: [UInt8], block: Int) throws(Violation) {
    guard let known = try? Self.known.get() else { throw Violation("there are no tokens to look for") }
    do {
      let findings = try LeakScanner(known).findings(in: bytes)
      var place = 0
      for finding in findings {
        try demand(Int(finding.offset) >= place && Int(finding.offset) < bytes.count, "a finding is out of order")
        place = Int(finding.offset)
        let line = 1 + bytes.prefix(place).count { $0 == UInt8(ascii: "\n") }
        try demand(Int(finding.line) == line, "a finding is on line \(finding.line), not \(line)")
      }
      var start = 0
      var pieces: [LeakFinding] = []
      try LeakScanner(known).scan { (output) in
        let end = min(bytes.count, start + min(output.freeCapacity, block + 1))
        output.append(contentsOf: bytes.span.extracting(start..<end))
        start = end
      } found: {
        pieces.append($0)
      }
      try demand(pieces == findings, "other findings when the text comes in pieces")
      // A block that no token fits in finds less, and must still end.
      for finding in try LeakScanner(known, block: block + 1).findings(in: bytes) {
        try demand(finding.offset < UInt64(bytes.count), "a finding behind the end")
      }
      for (number, secret) in secrets.enumerated() where bytes == Array(secret.utf8) {
        try demand(!findings.isEmpty, "token \(number) is not found where it stands alone")
      }
    } catch let violation as Violation {
      throw violation
    } catch {
      throw Violation("the search failed: \(error)")
    }
  }

  /// Made once.
  private static let store: Result<TokenStore, any Error> = Result {
    let store = TokenStore(
      try Vault.create(.simulated(SimulatedDisk(), seed: 1), credential: key()), logger: Logger(label: "fuzzing"),
      metrics: NOOPMetricsHandler.instance, now: { 0 })
    for (number, secret) in secrets.enumerated() {
      let json = Array("{\"access_token\":\"\(secret)\",\"token_type\":\"bearer\"}".utf8)
      try store.put(OAuthToken(json: json.span), for: TokenID(user: "user-\(number)", provider: ""))
    }
    return store
  }

  private static let known = Result { try store.get().knownTokens() }
}
