import Testing
import TokenVault

/// Tokens as providers really answer.
@Suite struct OAuthTokenTests {
  @Test func keepsEveryByteOfTheJSON() throws {
    // Defends: unknown members, number formats, escapes and inner white space come back as they came.
    let texts = [
      #"{"access_token":"a","expires_in":3600.50,"x":1e3,"nested":{"b":[1,2,{"c":null}]},"big":123456789012345678901234567890}"#,
      #"{ "scope" : "a b",  "access_token":"\u00e9\/" }"#,
      #"{"access_token":"日本語","名":"值","emoji":"👩‍🚀","e\u0301":1}"#,
      "{\"access_token\":\"\(String(repeating: "eyJhbGciOi", count: 500))\"}",
      "{}",
    ]
    for text in texts { #expect(try OAuthToken(" \r\n\t" + text + "\n").json == text) }
  }

  @Test func givesTheMembersThatItKnows() throws {
    // Defends: the five members of a token endpoint's answer, with and without values.
    let token = try OAuthToken(
      #"{"access_token":"at","refresh_token":"rt","expires_at":1790000000,"scope":"read","token_type":"bearer","n":[1]}"#
    )
    #expect(token.accessToken == "at" && token.refreshToken == "rt" && token.expiresAt == 1_790_000_000)
    #expect(token.scope == "read" && token.tokenType == "bearer" && token.member("n") == "[1]")
    #expect(token.memberNames == ["access_token", "expires_at", "n", "refresh_token", "scope", "token_type"])
    let empty = try OAuthToken(#"{"refresh_token":null,"expires_at":1.79e9}"#)
    #expect(empty.accessToken == nil && empty.refreshToken == nil && empty.expiresAt == 1_790_000_000)
  }

  @Test(arguments: [
    "", "  ", "null", "[]", "\"a\"", "12", "{", "{]", "{\"a\":}", "{\"a\":1}{", "<html>", "access_token=a",
    "{\"access_token\":1}", "{\"refresh_token\":[]}", "{\"expires_at\":\"soon\"}", "{\"expires_at\":1.5}",
    "{\"expires_at\":1e300}", "{\"scope\":{}}", "{\"a\":1,\"a\":1}", "{\"a\":\"\u{1}\"}", "{\"a\":1,}",
  ])
  func refusesWhatIsNoToken(_ text: String) {
    // Defends: a wrong answer of a provider is refused when it is stored, not when it is needed.
    #expect(throws: VaultError(.invalidToken, "")) { try OAuthToken(text) }
  }

  @Test func keepsMembersThatNobodyKnows() throws {
    // Defends: numbers of any size, halves of surrogate pairs and the order of members; names are told apart by their bytes.
    let text =
      #"{"z":1e400,"big":123456789012345678901234567890,"half":"\ud83dx","o":{"z":1,"a":[ -0.10 ]},"\u00e9":1,"e\u0301":2,"\ud800":0}"#
    let token = try OAuthToken(text)
    #expect(token.json == text)
    #expect(token.member("z") == "1e400" && token.member("big") == "123456789012345678901234567890")
    #expect(token.member("half") == "\u{fffd}x" && token.member("o") == #"{"z":1,"a":[-0.10]}"#)
    #expect(token.member("\u{e9}") == "1" && token.member("e\u{301}") == "2" && token.member("missing") == nil)
    #expect(token.memberNames.count == 7)
  }

  @Test(arguments: [
    ("1.79e9", 1_790_000_000), ("1790000000.0", 1_790_000_000), ("-1", -1), ("0", 0), ("null", nil),
    ("9007199254740993", 9_007_199_254_740_993), ("9.223372036854775807e18", .max),
  ])
  func readsTheExpiryExactly(_ number: String, _ seconds: Int64?) throws {
    // Defends: no second is lost to a floating-point type.
    #expect(try OAuthToken("{\"expires_at\":\(number)}").expiresAt == seconds)
  }

  @Test(arguments: [
    ("{\"c4n4ry_token\" \"c4n4ry\"}", "line 1, column 17: a colon is missing behind the name of a member"),
    ("\r\n {\"a\":\"c4n4ry\"\r\n\"b\":1}", "line 3, column 1: a comma or } is missing"),
    ("{\"c4n4ry\":1,\"c4n4ry\":2}", "line 1, column 13: a member stands twice"),
    ("{\"a\":c4n4ry}", "line 1, column 6: no JSON value begins like this"),
    ("{\"a\":\"c4n4ry", "line 1, column 13: the JSON text ends too early"),
    ("{\"a\":\(String(repeating: "[", count: 600))", "line 1, column 517: arrays and objects are nested too deeply"),
    ("[\"c4n4ry\"]", "it is an array"), ("\"c4n4ry\"", "it is a string"),
  ])
  func saysWhereTheJSONIsWrong(_ text: String, _ fault: String) {
    // Defends: the sentence names the place and what is wrong there, and repeats nothing of what may be secret.
    let error = #expect(throws: VaultError.self) { try OAuthToken(text) }
    #expect(error?.sentence == "the token is not a JSON object: \(fault)")
    #expect(error?.description.contains("c4n4ry") == false && error?.remedy?.contains("c4n4ry") == false)
  }

  @Test func findsEveryMemberOfMany() throws {
    // Defends: a token with very many members is no slower to look through than it is to read.
    let token = try OAuthToken("{" + (0..<40_000).map { "\"\($0)\":\($0)" }.joined(separator: ",") + "}")
    #expect(token.memberNames.allSatisfy { token.member($0) == $0 } && token.memberNames.count == 40_000)
  }

  @Test func survivesDeepNesting() {
    // Defends: no input makes the process trap; JSON that is nested without end is no token.
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: VaultError(.invalidToken, "")) { try OAuthToken("{\"a\":\(deep)") }
  }

  @Test func refusesMoreThanTheLimit() {
    // Defends: the value limit is named before anything is written.
    let long = String(repeating: "a", count: VaultLimits.value)
    #expect(throws: VaultError(.valueTooLarge, "")) { try OAuthToken("{\"access_token\":\"\(long)\"}") }
  }

  @Test func printsNoSecret() throws {
    // Defends: neither print, nor dump, nor interpolation shows any part of a token.
    let token = try OAuthToken(#"{"access_token":"c4n4ry","refresh_token":"c4n4ry"}"#)
    var dumped = ""
    dump(token, to: &dumped)
    for text in [dumped, "\(token)", String(reflecting: token), "\([token])"] { #expect(!text.contains("c4n4ry")) }
  }
}
