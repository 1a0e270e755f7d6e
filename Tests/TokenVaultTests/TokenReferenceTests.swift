import Testing
import TokenVault

/// Texts that name a token and a member of it.
@Suite struct TokenReferenceTests {
  @Test func readsEveryForm() throws {
    // Defends: the parts of a reference, and their defaults.
    let ada = try TokenID(user: "ada@example.com")
    #expect(try TokenReference(parsing: "tv://ada@example.com") == TokenReference(ada))
    #expect(try TokenReference(parsing: "tv://ada@example.com/access_token") == TokenReference(ada))
    #expect(try TokenReference(parsing: "tv://ada%40example.com/id_token") == TokenReference(ada, field: "id_token"))
    let both = try TokenID(user: "a/b?c", provider: "re&d=dit")
    #expect(try TokenReference(parsing: "tv://a%2fb%3Fc?provider=re%26d=dit") == TokenReference(both))
    #expect(try TokenReference(parsing: "tv://é/ü") == TokenReference(TokenID(user: "é"), field: "ü"))
  }

  @Test func everyNameHasAReference() throws {
    // Defends: what a reference is written for is what it is read as, for every byte that a name may hold.
    for byte in UInt8(1)...255 {
      let id = try TokenID(user: [byte, 0x61], provider: [0x62, byte])
      let scalar = String(Unicode.Scalar(byte))
      let reference = TokenReference(id, field: "m" + scalar)
      #expect(try TokenReference(parsing: reference.text) == reference)
      #expect(reference.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
    }
  }

  @Test(arguments: [
    "", "ada", "tv:/ada", "TV://ada", "tv://", "tv:///x", "tv://a/", "tv://a?", "tv://a?provider=", "tv://a?x=b",
    "tv://a/b/c",
    "tv://a%", "tv://a%4", "tv://a%4g", "tv://a b", "tv://a\n", "tv://a#b", "tv://a{b}", "tv://a?provider=b?c",
    "tv://a/%ff",
    "tv://a&b", "tv://a\u{7f}",
  ])
  func refusesWhatIsNone(_ text: String) {
    // Defends: one text, one meaning: nothing is guessed.
    #expect(throws: VaultError(.usage, "")) { try TokenReference(parsing: text) }
  }

  @Test(arguments: ["tv://%00", "tv://a?provider=%00", "tv://" + String(repeating: "x", count: 1025)])
  func refusesNamesThatThereCannotBe(_ text: String) {
    // Defends: the limits of names hold behind the encoding too.
    #expect(throws: VaultError(.invalidName, "")) { try TokenReference(parsing: text) }
  }

  @Test func aTemplateNamesItsPlaces() throws {
    // Defends: where a template's places stand, so that a program can tell before it has the secrets.
    let text = "a{{tv://u}}\n{{x}} {{{ tv://v/m }}}"
    let places = try SecretTemplate(parsing: Array(text.utf8).span).places
    #expect(places.map(\.range) == [1..<11, 19..<33] && places.map(\.line) == [1, 2])
    #expect(places.map(\.reference.text) == ["tv://u/access_token", "tv://v/m"])
  }
}
