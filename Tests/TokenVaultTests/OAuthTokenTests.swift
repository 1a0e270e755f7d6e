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
    "{\"expires_at\":1e300}", "{\"scope\":{}}",
  ])
  func refusesWhatIsNoToken(_ text: String) {
    // Defends: a wrong answer of a provider is refused when it is stored, not when it is needed.
    #expect(throws: VaultError(.invalidToken, "")) { try OAuthToken(text) }
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
