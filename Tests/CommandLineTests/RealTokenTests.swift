import Testing

/// Tokens and names as they are out there.
@Suite struct RealTokenTests {
  /// The same letters composed differently are two names; every script, and characters of no width, keep apart.
  static let names = [
    "ada@example.com", "王小明", "Мария", "مريم", "देवी", "e\u{301}", "\u{e9}", "👩‍💻", "a b", "-dash", "a/b:c?d=e&f",
    "\u{200b}",
    String(repeating: "ж", count: 512),
  ]

  @Test func namesInManyScriptsStayApart() throws {
    let bench = try Bench()
    for (index, name) in Self.names.enumerated() {
      let call = try bench.run("put", "--", name, input: #"{"access_token":"t\#(index)"}"#)
      #expect(call.code == 0, "\(call.errors)")
    }
    for (index, name) in Self.names.enumerated() {
      #expect(try bench.run("get", "--", name).text == "t\(index)\n")
    }
    let listed = try bench.run("list", "--json")
    #expect(listed.lines.count == Self.names.count)
    #expect(listed.lines.contains { $0.contains(#""王小明""#) })
  }

  /// A name can't move the cursor, colour the screen or turn the direction of text.
  @Test(arguments: ["list", "list --json", "show", "show --json", "get", "delete"])
  func controlCharactersDoNotReachTheTerminal(_ command: String) throws {
    let bench = try Bench()
    let name = "a\u{1b}[31m\u{7}\r\n\u{9b}2J\u{202e}b"
    try bench.put(name, #"{"access_token":"t","\u001b[2Jmember":"v\u001b[31m"}"#)
    var words = command.split(separator: " ").map { String($0) }
    switch words[0] {
    case "list": break
    case "get": words = ["get", name + "x"]
    default: words.insert(name, at: 1)
    }
    let outcome = try bench.run(Call(words))
    let seen = (outcome.text + outcome.errors).unicodeScalars.filter { $0 != "\n" }
    #expect(!seen.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) || $0.value == 0x202e })
  }

  /// Five kilobytes of id_token, deep members, large numbers, escapes, duplicates of white space: all as it came.
  @Test func oddTokensComeBackByteForByte() throws {
    let bench = try Bench()
    let jwt = "eyJhbGciOiJSUzI1NiJ9." + String(repeating: "QUJDREVGR0hJSktM", count: 320) + ".c2ln"
    let tokens = [
      #"{"id_token":"\#(jwt)","access_token":"a"}"#,
      #"{ "access_token" : "a" , "n": 12345678901234567890, "f":1e300, "z":-0.0, "e":"\u00e9\ud83d\ude00\/" }"#,
      #"{"":"empty","a":{"b":[[[{}]]]},"null":null,"t":true}"#,
      "{\n\t\"access_token\":\"a\"\r\n}",
      "{}",
    ]
    for (index, token) in tokens.enumerated() {
      let outcome = try bench.run("put", "t\(index)", input: token)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(try bench.run("get", "t\(index)", "--format", "json").text == token + "\n")
      #expect(try bench.run("show", "t\(index)").code == 0)
    }
    #expect(try bench.run("get", "t0", "--field", "id_token").text == jwt + "\n")
    #expect(try bench.run("get", "t0", "--format", "header", "--field", "id_token").code == 0)
  }

  /// Nothing of a token stands in any file of the folder, nor in what is said.
  @Test func nothingOfATokenIsLeftLyingAbout() throws {
    let bench = try Bench()
    let canary = "canary-7f3a9c"
    try bench.put("ada", #"{"access_token":"\#(canary)","refresh_token":"\#(canary)"}"#)
    let said = try bench.run("list").text + bench.run("show", "ada").text + bench.run("inspect").text
    #expect(!said.contains(canary))
    let bytes = try bench.contents(of: bench.vault)
    #expect(!String(decoding: bytes, as: UTF8.self).contains(canary))
  }
}
