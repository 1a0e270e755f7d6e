import Testing
import TokenVault

/// Secrets in text that passes by in pieces.
@Suite struct RedactorTests {
  private static func store(_ secrets: [String]) throws -> (TemporaryVault, TokenStore) {
    let temporary = try TemporaryVault()
    let store = TokenStore(temporary.vault)
    for (number, secret) in secrets.enumerated() {
      try store.put(OAuthToken(#"{"access_token":"\#(secret)"}"#), for: TokenID(user: "\(number)"))
    }
    return (temporary, store)
  }

  private static func redactor(_ store: TokenStore) throws -> Redactor {
    try store.redactor { (id) in Array("<".utf8) + id.user + Array(">".utf8) }
  }

  private static func redacted(_ pieces: [ArraySlice<UInt8>], _ store: TokenStore, pausing: Bool = false) throws
    -> String
  {
    var redactor = try redactor(store)
    var output: [UInt8] = []
    for piece in pieces {
      output += try redactor.redact(Array(piece).span)
      if pausing { output += redactor.pause() }
    }
    return String(decoding: try output + redactor.finish(), as: UTF8.self)
  }

  @Test(arguments: [
    ("x secret-one y", "x <0> y"), ("secret-one", "<0>"), ("secret-onesecret-one", "<0><0>"), ("secret-on", "<0>"),
    ("secret-", "secret-"), ("secret-on e", "secret-on e"), ("ssecret-one", "s<0>"), ("secret-two-longer", "<2>"),
    ("secret-two-longe!", "<1>-longe!"), ("secret-two-longe", "<2>"), ("secret-two", "<1>"), ("overlapped-over", "<3>"),
    ("tailoverlapped-overlapped", "tail<3>"), ("aaaaaaaaab", "<5><5>b"), ("aaaaaaaa", "<5>"), ("", ""),
  ])
  func wherever(_ text: String, _ expected: String) throws {
    // Defends: the longest secret that stands there, overlaps as a whole, however the text is cut, and whether it pauses or not.
    let (temporary, store) = try Self.store([
      "secret-one", "secret-two", "secret-two-longer", "overlapped-over", "lapped-overlapped", "aaaaaaaa", "short",
      "secret-one",
    ])
    defer { withExtendedLifetime(temporary) {} }
    let bytes = Array(text.utf8)
    let whole = try Self.redacted([bytes[...]], store)
    if text == "aaaaaaaaab" {
      // Two that overlap are one stretch, under the name of the first.
      #expect(whole == "<5>b")
    } else {
      #expect(whole == expected)
    }
    for first in 0...bytes.count {
      #expect(try Self.redacted([bytes[..<first], bytes[first...]], store) == whole)
    }
    #expect(try Self.redacted(bytes.indices.map { bytes[$0...$0] }, store) == whole)
  }

  @Test func aPauseShowsFourBytesAtMost() throws {
    // Defends: a prompt is seen though it ends like a secret begins; of a secret that comes slowly no more than that is.
    let (temporary, store) = try Self.store(["secret-one"])
    defer { withExtendedLifetime(temporary) {} }
    for slow in 1..<10 {
      let bytes = Array("secret-one".utf8)
      let text = try Self.redacted([bytes[..<slow], bytes[slow...]], store, pausing: true)
      #expect(text == (slow <= 4 ? String(decoding: bytes[..<slow], as: UTF8.self) : "") + "<0>")
    }
    let single = Array("secret-one".utf8)
    #expect(try Self.redacted(single.indices.map { single[$0...$0] }, store, pausing: true) == "secr<0>")
    var redactor = try Self.redactor(store)
    var waits = [redactor.isWaiting]
    _ = try redactor.redact(Array("x sec".utf8).span)
    waits.append(redactor.isWaiting)
    #expect(redactor.pause() == Array("sec".utf8))
    waits.append(redactor.isWaiting)
    #expect(waits == [false, true, false] && redactor.pause().isEmpty)
    #expect(try redactor.redact(Array("t!".utf8).span) == Array("t!".utf8))
  }

  @Test func asTheSimplestWayWouldHaveIt() throws {
    // Defends: of texts over two letters, full of secrets that begin alike, overlap and contain each other, exactly the bytes are
    // left that lie in no secret.
    var state: UInt64 = 7
    func random(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
    for _ in 0..<6 {
      let secrets = (0..<30).map { _ in
        String((0..<8 + random(6)).map { _ in random(5) == 0 ? "b" : "a" as Character })
      }
      let (temporary, store) = try Self.store(secrets)
      defer { withExtendedLifetime(temporary) {} }
      for _ in 0..<20 {
        let text = (0..<200).map { _ in random(5) == 0 ? UInt8(ascii: "b") : UInt8(ascii: "a") } + Array("....".utf8)
        var isSecret = [Bool](repeating: false, count: text.count)
        for secret in secrets.map({ Array($0.utf8) }) {
          for start in 0...text.count - secret.count where text[start..<start + secret.count].elementsEqual(secret) {
            for index in start..<start + secret.count { isSecret[index] = true }
          }
        }
        var pieces: [ArraySlice<UInt8>] = []
        var rest = text[...]
        while !rest.isEmpty {
          let count = min(rest.count, 1 + random(20))
          pieces.append(rest.prefix(count))
          rest = rest.dropFirst(count)
        }
        let left = String(decoding: zip(text, isSecret).filter { !$0.1 }.map(\.0), as: UTF8.self)
        let found = try Self.redacted(pieces, store).replacing(/<[0-9]+>/, with: "")
        #expect(found == left)
      }
    }
  }

  @Test func manySecretsThatBeginAlike() throws {
    // Defends: ten thousand tokens of one issuer, with the same first bytes, cost no more than a search among them.
    let temporary = try TemporaryVault()
    let store = TokenStore(temporary.vault)
    let head = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."
    try store.put(
      contentsOf: (0..<10_000).map { (number) in
        try NewToken(
          OAuthToken(#"{"access_token":"\#(head)\#(number * 7919 % 100_003)"}"#), for: TokenID(user: "\(number)"))
      }, ifAbsent: false)
    var redactor = try Self.redactor(store)
    var text: [UInt8] = []
    for number in stride(from: 0, to: 10_000, by: 5) { text += Array("\(head)\(number * 7919 % 100_003) ".utf8) }
    let output = try redactor.redact(text.span) + redactor.finish()
    let expected = stride(from: 0, to: 10_000, by: 5).map { "<\($0)> " }.joined()
    #expect(String(decoding: output, as: UTF8.self) == expected)
  }

  @Test func whichMembersAreSecrets() throws {
    // Defends: by the end of their names, at any depth; too short ones are counted.
    let temporary = try TemporaryVault()
    let store = TokenStore(temporary.vault)
    let json = #"""
      {"access_token":"access-1","token_type":"type-234","scope":"scope-56","id_token":"id-token","a":{"b":[{"bot_token":"deeply-in"}]},
       "client_secret":"secret-1","password":"password","refresh_token":"short"}
      """#
    try store.put(OAuthToken(json), for: TokenID(user: "u", provider: "p"))
    var redactor = try store.redactor()
    #expect(redactor.leftOut == 1)
    let text = "access-1 type-234 scope-56 id-token deeply-in secret-1 password short"
    let output = try redactor.redact(Array(text.utf8).span) + redactor.finish()
    let mark = "[redacted]"
    #expect(
      String(decoding: output, as: UTF8.self)
        == "\(mark) type-234 scope-56 \(mark) \(mark) \(mark) \(mark) short")
  }
}
