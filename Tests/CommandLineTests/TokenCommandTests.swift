import Glibc
import Testing

/// What scripts lean on: put, get, has, show, list, delete and history, by the real command.
@Suite struct TokenCommandTests {
  private static let token =
    #"{"access_token":"at-1","refresh_token":"it's","expires_at":4102444800,"scope":"read write","#
    + #""token_type":"Bearer","x-odd":{"deep":[1,2.50,null]},"x odd":"ü"}"#

  @Test func putSaysNothingUnlessAskedForJSON() throws {
    let bench = try Bench()
    let quiet = try bench.run("put", "ada", input: Self.token)
    #expect(quiet.code == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
    let told = try bench.run("put", "ada", "--provider", "github", "--json", input: Self.token)
    #expect(told.text == #"{"user_id":"ada","provider":"github","seq":2}"# + "\n")
  }

  @Test func theTokenComesBackAsItWasPut() throws {
    let bench = try Bench()
    try bench.put("ada", Self.token)
    #expect(try bench.run("get", "ada").text == "at-1\n")
    #expect(try bench.run("get", "ada", "--format", "json").text == Self.token + "\n")
    #expect(try bench.run("get", "ada", "--field", "refresh_token").text == "it's\n")
    #expect(try bench.run("get", "ada", "--field", "x-odd").text.contains("2.5"))
    #expect(try bench.run("get", "ada", "--format", "header").text == "Authorization: Bearer at-1\n")
  }

  /// With `--json` there is nothing but JSON: the token as it was put, or a member as it was written in it.
  @Test func JSONIsWhatIsAskedFor() throws {
    let bench = try Bench()
    try bench.put("ada", Self.token)
    #expect(try bench.run("get", "ada", "--json").text == Self.token + "\n")
    #expect(try bench.run("get", "ada", "--json", "--field", "refresh_token").text == "\"it's\"\n")
    #expect(try bench.run("get", "ada", "--json", "--field", "x-odd").text == #"{"deep":[1,2.50,null]}"# + "\n")
    #expect(try bench.run("get", "ada", "--json", "--field", "nothing").code == 3)
    #expect(try bench.run("get", "ada", "--json", "--format", "plain").text == "at-1\n")
    #expect(try bench.run("get", "ada", "--field", "scope", "--format", "json").code == 64)
    #expect(try bench.run("show", "ada", "--json").text.contains(#""expires_at":4102444800,"refresh_token":{"#))
  }

  /// A shell that evaluates the lines has the values, and a provider can't set a variable that the shell lives by.
  @Test func variablesAreSafeToEvaluate() throws {
    let bench = try Bench()
    try bench.put("ada", #"{"access_token":"a'b $(id) `id`","path":"/evil","refresh_token":"x\ny"}"#)
    let lines = try bench.run("get", "ada", "--format", "env").text
    var shell = Call("-c", lines + #"printf '%s|%s|%s' "$ACCESS_TOKEN" "$TOKEN_PATH" "$REFRESH_TOKEN""#)
    shell.program = "/bin/sh"
    #expect(try bench.run(shell).text == "a'b $(id) `id`|/evil|x\ny")
    #expect(!lines.contains("\nPATH="))
  }

  @Test func whatIsNotThereIsThree() throws {
    let bench = try Bench()
    try bench.put("ada", Self.token)
    #expect(try bench.run("get", "bob").code == 3)
    #expect(try bench.run("get", "ada", "--field", "nothing").code == 3)
    let missing = try bench.run("get", "ada", "--provider", "github")
    #expect(missing.code == 3 && missing.errors.contains("'tokenvault list'"))
    #expect(try bench.run("show", "bob").code == 3)
    #expect(try bench.run("delete", "bob", "--yes").code == 3)
    #expect(try bench.run("history", "bob").code == 3)
    let has = try bench.run("has", "bob")
    #expect(has.code == 3 && has.output.isEmpty && has.errors.isEmpty)
  }

  /// `--valid-for` looks at `expires_at`, and lets pass what says nothing of its end.
  @Test func aTokenThatEndsTooSoonIsFour() throws {
    let bench = try Bench()
    try bench.put("old", #"{"access_token":"a","expires_at":1000000000}"#)
    try bench.put("far", Self.token)
    try bench.put("none", #"{"access_token":"a"}"#)
    #expect(try bench.run("has", "old").code == 0)
    #expect(try bench.run("has", "old", "--valid-for", "0").code == 4)
    #expect(try bench.run("get", "old", "--valid-for", "1m").code == 4)
    #expect(try bench.run("get", "old", "--valid-for", "1m").output.isEmpty)
    #expect(try bench.run("get", "far", "--valid-for", "30d").code == 0)
    #expect(try bench.run("has", "none", "--valid-for", "2w").code == 0)
    #expect(try bench.run("list", "--expiring-within", "1h").lines.count == 2)
  }

  @Test func conditionsAreKept() throws {
    let bench = try Bench()
    #expect(try bench.run("put", "ada", "--if-absent", input: Self.token).code == 0)
    let before = try Fingerprint(bench.vault)
    #expect(try bench.run("put", "ada", "--if-absent", input: Self.token).code == 5)
    #expect(try bench.run("put", "ada", "--if-seq", "7", input: Self.token).code == 5)
    #expect(try bench.run("put", "bob", "--if-seq", "1", input: Self.token).code == 5)
    // One failure is one message, and with --json nothing but JSON: no log lines beside it.
    #expect(try bench.run("put", "ada", "--if-absent", input: Self.token).errors.hasPrefix("tokenvault: there is"))
    let told = try bench.run("put", "ada", "--if-absent", "--json", input: Self.token).errors
    #expect(told.hasPrefix(#"{"error":{"code":"conflict","#) && told.split(separator: "\n").count == 1)
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("put", "ada", "--if-seq", "1", input: Self.token).code == 0)
    #expect(try bench.run("put", "ada", "--if-seq", "1", "--if-absent", input: Self.token).code == 64)
  }

  @Test func showConcealsUnlessTold() throws {
    let bench = try Bench()
    try bench.put("ada", Self.token)
    for outcome in [try bench.run("show", "ada"), try bench.run("show", "ada", "--json")] {
      #expect(outcome.code == 0 && outcome.text.contains("read write"))
      #expect(!outcome.text.contains("at-1") && !outcome.text.contains("it's") && !outcome.text.contains("deep"))
    }
    #expect(try bench.run("show", "ada").text.contains("(concealed, 4 bytes)"))
    #expect(try bench.run("show", "ada", "--reveal").text.contains("at-1"))
    #expect(try bench.run("show", "ada", "--reveal", "--json").text.contains(Self.token))
  }

  @Test func listFiltersAndTellsNoSecret() throws {
    let bench = try Bench()
    try bench.put("ada", Self.token)
    try bench.put("adam")
    try #require(bench.run("put", "ada", "--provider", "github", "--ttl", "30d", input: Self.token).code == 0)
    #expect(try bench.run("list", "--json").lines.count == 3)
    #expect(try bench.run("list", "--json", "--prefix", "adam").lines.count == 1)
    let github = try bench.run("list", "--json", "--provider", "github").text
    #expect(github.hasPrefix(#"{"user_id":"ada","provider":"github","seq":3,"updated":"2"#))
    #expect(github.contains(#""expires_at":4102444800,"forgotten_at":"2"#))
    #expect(!github.contains("at-1"))
    let table = try bench.run("list").lines
    #expect(table.count == 4 && table[0].hasPrefix("USER  PROVIDER  SEQ"))
  }

  @Test func historyTellsEveryWrite() throws {
    let bench = try Bench()
    try bench.put("ada", #"{"access_token":"1"}"#)
    try bench.put("bob")
    try bench.put("ada", #"{"access_token":"12"}"#)
    #expect(try bench.run("delete", "ada", "--yes", "--json").text == #"{"user_id":"ada","deleted":true}"# + "\n")
    let lines = try bench.run("history", "ada", "--json").lines
    #expect(lines.count == 3)
    #expect(lines.first?.hasSuffix(#""operation":"put","bytes":20}"#) == true)
    #expect(lines.last?.hasSuffix(#""operation":"delete","bytes":0}"#) == true)
    #expect(try bench.run("history", "ada").lines.count == 4)
    #expect(try bench.run("get", "ada").code == 3)
  }

  /// Options of the vault stand before the command or behind it.
  @Test func globalOptionsStandOnBothSides() throws {
    let bench = try Bench()
    try bench.put("ada", Self.token)
    let environment = ["TOKENVAULT_FILE": "/nowhere/vault.tv"]
    for arguments in [
      ["--vault", bench.vault, "--json", "list"], ["list", "--vault", bench.vault, "--json"],
      ["--json", "list", "--vault", bench.vault],
    ] {
      var call = Call(arguments)
      call.environment = environment
      #expect(try bench.run(call).text.hasPrefix(#"{"user_id":"ada""#))
    }
  }

  @Test func variablesStandForOptions() throws {
    let bench = try Bench()
    try bench.put("ada")
    var call = Call("list")
    call.environment = ["TOKENVAULT_JSON": "1", "TOKENVAULT_LOCK_TIMEOUT": "2s"]
    #expect(try bench.run(call).text.hasPrefix(#"{"user_id":"ada""#))
    call.environment = ["TOKENVAULT_JSON": "perhaps"]
    #expect(try bench.run(call).code == 64)
    call.environment = ["TOKENVAULT_LOCK_TIMEOUT": "soon"]
    #expect(try bench.run(call).code == 64)
  }

  /// Writers wait for each other as long as they are told; readers do not.
  @Test func aLockThatIsHeldIsSeventyFive() throws {
    let bench = try Bench()
    try bench.put("ada", Self.token)
    let before = try Fingerprint(bench.vault)
    let lock = unsafe open(bench.vault + ".lock", O_RDWR | O_CLOEXEC)
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
    defer { close(lock) }
    let outcome = try bench.run("put", "bob", "--lock-timeout", "10ms", "--json", input: "{}")
    #expect(outcome.code == 75 && outcome.errors.contains(#""code":"locked""#), "\(outcome.errors)")
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("get", "ada").code == 0)
  }
}
