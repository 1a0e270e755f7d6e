import Glibc
import Testing
import TokenVault

/// Accounts by the real command: link, revoke, unlink, and what the other commands say of them.
@Suite struct AccountCommandTests {
  private static let token =
    #"{"access_token":"at-secret","refresh_token":"rt-secret","expires_in":3600,"scope":"identity read"}"#

  @discardableResult
  private func link(
    _ bench: Bench, _ user: String, _ account: String = "t2_a", _ more: String..., input: String = token
  ) throws -> Outcome {
    var call = Call(["link", user, "--provider", "reddit", "--account", account] + more)
    call.input = .bytes(Array(input.utf8))
    return try bench.run(call)
  }

  // Defends: of the access token a link leaves the hash alone, and 'get' says what to do; show and list tell who it is, when
  // what happened, and no secret.
  @Test func linkedAccountIsShown() throws {
    let bench = try Bench()
    let told = try link(bench, "ada", "t2_a", "--name", "u_ada", "--json")
    #expect(
      told.text == #"{"user_id":"ada","provider":"reddit","seq":1,"provider_account_id":"t2_a","#
        + #""provider_user_name":"u_ada"}"# + "\n")
    let got = try bench.run("get", "ada", "--provider", "reddit")
    #expect(got.code == 3 && got.output.isEmpty && got.errors.contains("only the hash"), "\(got.errors)")
    #expect(got.errors.contains("refresh --print") && got.errors.contains("--keep-access-token"))
    #expect(try bench.run("get", "ada", "--provider", "reddit", "--field", "refresh_token").text == "rt-secret\n")
    #expect(try bench.run("has", "ada", "--provider", "reddit", "--valid-for", "50m").code == 0)
    #expect(try bench.run("has", "ada", "--provider", "reddit", "--valid-for", "70m").code == 4)
    let shown = try bench.run("show", "ada", "--provider", "reddit", "--json").text
    for part in [
      #""provider_account_id":"t2_a","provider_user_name":"u_ada","scopes":["identity","read"],"linked_at":"2"#,
      #""last_rotated_at":null,"last_used_at":null,"revoked_at":null,"keeps_access_token":false"#,
      #""refresh_token":{"concealed":true,"bytes":9}"#,
    ] { #expect(shown.contains(part), "\(shown)") }
    let table = try bench.run("show", "ada", "--provider", "reddit").text
    #expect(table.contains("u_ada") && table.contains("identity read") && table.contains("only its hash"))
    let listed = try bench.run("list", "--json").text
    #expect(listed.contains(#""provider_account_id":"t2_a""#) && listed.contains(#""revoked_at":null"#), "\(listed)")
    #expect(try bench.run("list").lines[0].hasSuffix("ACCOUNT"))
    for text in [shown, table, listed] { #expect(!text.contains("secret")) }
  }

  // Defends: whether the access token is kept is remembered until it is said otherwise.
  @Test func accessTokenIsKeptIfAsked() throws {
    let bench = try Bench()
    try link(bench, "ada", "t2_a", "--keep-access-token")
    try link(bench, "ada")
    #expect(try bench.run("get", "ada", "--provider", "reddit").text == "at-secret\n")
    try link(bench, "ada", "t2_a", "--no-keep-access-token")
    #expect(try bench.run("get", "ada", "--provider", "reddit").code == 3)
  }

  // Defends: scopes that are named stand in the place of the token's.
  @Test func scopesCanBeNamed() throws {
    let bench = try Bench()
    try link(bench, "ada", "t2_a", "--scope", "vote", "--scope", "save edit")
    let shown = try bench.run("show", "ada", "--provider", "reddit", "--json").text
    #expect(shown.contains(#""scopes":["vote","save","edit"]"#), "\(shown)")
  }

  // Defends: a revoked account is 4 for whoever wants its token and 5 for whoever puts one; it is listed, and linking takes the
  // revocation back.
  @Test func revokedUntilLinkedAgain() throws {
    let bench = try Bench()
    try link(bench, "ada")
    try bench.put("bob")
    #expect(try bench.run("list", "--revoked").output.isEmpty)
    let told = try bench.run("revoke", "ada", "--provider", "reddit", "--json")
    #expect(told.text == #"{"user_id":"ada","provider":"reddit","revoked":true,"was_active":true}"# + "\n")
    #expect(told.errors.contains("provider was not told") && told.errors.contains("tokenvault compact"))
    let again = try bench.run("revoke", "ada", "--provider", "reddit", "--json")
    #expect(again.code == 0 && again.text.contains(#""was_active":false"#) && again.errors.contains("already"))
    for format in [[], ["--format", "json"], ["--field", "refresh_token"]] {
      let got = try bench.run(Call(["get", "ada", "--provider", "reddit"] + format))
      #expect(got.code == 4 && got.output.isEmpty && got.errors.contains("the account is revoked"))
    }
    let has = try bench.run("has", "ada", "--provider", "reddit")
    #expect(has.code == 4 && has.output.isEmpty && has.errors.isEmpty)
    let put = try bench.run("put", "ada", "--provider", "reddit", input: Self.token)
    #expect(put.code == 5 && put.errors.contains("link it again"), "\(put.errors)")
    let revoked = try bench.run("list", "--revoked", "--json").lines
    #expect(revoked.count == 1 && revoked[0].contains(#""revoked_at":"2"#), "\(revoked)")
    #expect(try bench.run("list", "--revoked").lines[1].contains("revoked"))
    #expect(try bench.run("list", "--expiring-within", "30d", "--provider", "reddit").output.isEmpty)
    #expect(try bench.run("show", "ada", "--provider", "reddit").text.contains("revoked"))
    try link(bench, "ada")
    #expect(try bench.run("has", "ada", "--provider", "reddit").code == 0)
    #expect(try bench.run("list", "--revoked").output.isEmpty)
    #expect(try bench.run("revoke", "ivo", "--provider", "reddit").code == 3)
  }

  // Defends: an account has one user, also when two want it at once; who unlinks it gives it up, and is asked before.
  @Test func accountHasOneUser() throws {
    let bench = try Bench()
    try link(bench, "ada")
    let before = try Fingerprint(bench.vault)
    let refused = try link(bench, "ivo")
    #expect(refused.code == 5 && refused.errors.contains("another user"), "\(refused.errors)")
    #expect(!refused.errors.contains("ada") && !refused.errors.contains("t2_a"))
    let unasked = try bench.run("unlink", "ada", "--provider", "reddit")
    #expect(unasked.code == 64 && unasked.errors.contains("--yes"))
    #expect(try Fingerprint(bench.vault) == before)
    let told = try bench.run("unlink", "ada", "--provider", "reddit", "--yes", "--json")
    #expect(told.text.hasPrefix(#"{"user_id":"ada","provider":"reddit","unlinked":true"#))
    #expect(told.errors.contains("provider was not told"))
    #expect(try bench.run("unlink", "ada", "--provider", "reddit", "--yes").code == 3)
    #expect(try link(bench, "ivo").code == 0)
    #expect(try link(bench, "ada").code == 5)
    #expect(try link(bench, "ada", "t2_b").code == 0)
  }

  // Defends: on a terminal the question says what goes, and no is no.
  @Test func unlinkAsksOnTheTerminal() throws {
    let bench = try Bench()
    try link(bench, "ada")
    for (verb, question, answer, code) in [
      ("unlink", "Unlink the account of ada? [y/N] ", "n\n", Int32(130)),
      ("delete", "It is unlinked from the provider's account, too. [y/N] ", "y\n", 0),
    ] {
      let terminal = try PseudoTerminal()
      let child = try terminal.start(Call(verb, "ada", "--provider", "reddit"), on: bench)
      try terminal.await(question)
      try terminal.type(answer)
      #expect(terminal.end(of: child) == code)
    }
    #expect(try bench.run("has", "ada", "--provider", "reddit").code == 3)
  }

  // Defends: a delete of an account says that it was one, and gives the provider's account up.
  @Test func deleteUnlinks() throws {
    let bench = try Bench()
    try link(bench, "ada")
    let told = try bench.run("delete", "ada", "--provider", "reddit", "--yes", "--json")
    #expect(told.text.contains(#""deleted":true,"unlinked":true"#) && told.errors.contains("unlinked"))
    #expect(try link(bench, "ivo").code == 0)
    #expect(try kinds(bench) == [.linked, .unlinked, .linked])
  }

  // Defends: a link is made only if the entry is as its caller says.
  @Test func conditionsAreKept() throws {
    let bench = try Bench()
    #expect(try link(bench, "ada", "t2_a", "--if-seq", "1").code == 5)
    #expect(try link(bench, "ada", "t2_a", "--if-absent").code == 0)
    let before = try Fingerprint(bench.vault)
    #expect(try link(bench, "ada", "t2_a", "--if-absent").code == 5)
    #expect(try link(bench, "ada", "t2_a", "--if-seq", "7").code == 5)
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try link(bench, "ada", "t2_b", "--if-seq", "1").code == 0)
  }

  // Defends: an entry whose time is over is hidden from every command, its account is free again, and a compaction leaves
  // nothing of it.
  @Test func whatIsOverIsGone() throws {
    let bench = try Bench()
    try link(bench, "ada", "t2_a", "--ttl", "1ms")
    #expect(try bench.run("get", "ada", "--provider", "reddit").code == 3)
    #expect(try bench.run("show", "ada", "--provider", "reddit").code == 3)
    #expect(try bench.run("revoke", "ada", "--provider", "reddit").code == 3)
    #expect(try bench.run("unlink", "ada", "--provider", "reddit", "--yes").code == 3)
    #expect(try bench.run("list", "--json").output.isEmpty)
    #expect(try bench.run("history", "ada", "--provider", "reddit").code == 0)
    try #require(bench.run("compact").code == 0)
    #expect(try bench.run("history", "ada", "--provider", "reddit").code == 3)
    #expect(try link(bench, "ivo").code == 0)
    #expect(try link(bench, "ada").code == 5)
  }

  // Defends: a use is noted when the token was printed, and only then; without the flag a get changes nothing.
  @Test func useIsRecorded() throws {
    let bench = try Bench()
    try link(bench, "ada", "t2_a", "--keep-access-token")
    let before = try Fingerprint(bench.vault)
    #expect(try bench.run("get", "ada", "--provider", "reddit").text == "at-secret\n")
    #expect(try bench.run("get", "ada", "--provider", "reddit", "--field", "none", "--record-use").code == 3)
    var call = Call("get", "ada", "--provider", "reddit", "--record-use")
    call.output = .path("/dev/full")
    #expect(try bench.run(call).code == 74)
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("get", "ada", "--provider", "reddit", "--record-use").text == "at-secret\n")
    #expect(try bench.run("show", "ada", "--provider", "reddit", "--json").text.contains(#""last_used_at":"2"#))
    #expect(try bench.run("get", "ada", "--provider", "reddit", "--valid-for", "50m").code == 0)
  }

  // Defends: who, why and from where are in the events of each of these commands.
  @Test func eventsSayWhoWhyAndFromWhere() throws {
    let bench = try Bench()
    let origin = ["--ip", "2001:db8::7", "--user-agent", "Agent/1.0", "--actor", "web-1", "--reason", "asked"]
    let name = ["ada", "--provider", "reddit"]
    for arguments in [
      ["link"] + name + ["--account", "t2_a"] + origin, ["put"] + name + Array(origin.suffix(4)),
      ["revoke"] + name + origin, ["unlink", "--yes"] + name + origin,
    ] {
      var call = Call(arguments)
      call.input = .bytes(Array(Self.token.utf8))
      #expect(try bench.run(call).code == 0)
    }
    let events = try events(bench)
    #expect(events.map(\.kind) == [.linked, .refreshed, .revoked, .unlinked])
    for event in events {
      #expect(event.context.actor == "web-1" && event.context.reason == "asked")
      guard event.kind != .refreshed else { continue }
      #expect(event.context.ipAddress == "2001:db8::7" && event.context.userAgent == "Agent/1.0")
    }
  }

  static let badCalls: [(arguments: [String], sentence: String)] = [
    (["ada", "--account", "t2_a"], "--provider"),
    (["ada", "--provider", "", "--account", "t2_a"], "--provider"),
    (["ada", "--provider", "reddit"], "--account"),
    (["--provider", "reddit", "--account", "t2_a"], "<id>"),
    (["", "--provider", "reddit", "--account", "t2_a"], "user id is empty"),
    (["ada", "--provider", "reddit", "--account", ""], "1 to 512 bytes"),
    (["ada", "--provider", "reddit", "--account", String(repeating: "a", count: 513)], "1 to 512 bytes"),
    (["ada", "--provider", "reddit", "--account", "a", "--name", String(repeating: "a", count: 1025)], "1024 bytes"),
    (["ada", "--provider", "reddit", "--account", "a", "--ttl", "0"], "--ttl"),
    (["ada", "--provider", "reddit", "--account", "a", "--ttl", "-5m"], "--ttl"),
    (["ada", "--provider", "reddit", "--account", "a", "--ttl=-5m"], "--ttl"),
    (["ada", "--provider", "reddit", "--account", "a", "--ttl", "soon"], "--ttl"),
    (["ada", "--provider", "reddit", "--account", "a", "--scope", " "], "--scope"),
    (["ada", "--provider", "reddit", "--account", "a", "--scope", String(repeating: "s", count: 1025)], "1024 bytes"),
    (["ada", "--provider", "reddit", "--account", "a", "--ip", "localhost"], "IP address"),
    (["ada", "--provider", "reddit", "--account", "a", "--ip", "192.0.2.256"], "IP address"),
    (["ada", "--provider", "p", "--account", "a", "--user-agent", String(repeating: "a", count: 1025)], "user agent"),
    (["ada", "--provider", "reddit", "--account", "a", "--actor", String(repeating: "a", count: 1025)], "actor"),
    (["ada", "--provider", "reddit", "--account", "a", "--if-absent", "--if-seq", "1"], "exclude"),
    (["ada", "--provider", "reddit", "--account", "a", "--if-seq", "-1"], "--if-seq"),
    (["ada", "--provider", "reddit", "--account", "a", "--key", "stdin"], "standard input"),
    (["ada", "--provider", "reddit", "--account", "a", "at-secret-in-the-arguments"], "not shown"),
  ]

  // Defends: each wrong argument is 64 with a sentence about it, and no secret is repeated; the vault is untouched.
  @Test(arguments: badCalls)
  func badArgumentsAreRefused(_ bad: (arguments: [String], sentence: String)) throws {
    let bench = try Bench()
    let before = try Fingerprint(bench.vault)
    var call = Call(["link"] + bad.arguments)
    call.input = .bytes(Array(Self.token.utf8))
    let outcome = try bench.run(call)
    #expect(outcome.code == 64 && outcome.output.isEmpty && outcome.errors.contains(bad.sentence), "\(outcome.errors)")
    #expect(!outcome.errors.contains("secret"))
    #expect(try Fingerprint(bench.vault) == before)
  }

  // Defends: what is no token links nobody.
  @Test(arguments: BadInputTests.badTokens)
  func badTokensAreRefused(_ token: String) throws {
    let bench = try Bench()
    let before = try Fingerprint(bench.vault)
    let outcome = try link(bench, "ada", "t2_a", "--json", input: token)
    #expect(outcome.code == 64 && outcome.errors.contains(#""kind":"invalid-token""#), "\(outcome.errors)")
    #expect(try Fingerprint(bench.vault) == before)
  }

  // Defends: a token over the limit is refused, one just under it is linked.
  @Test func tokensHaveALimit() throws {
    let bench = try Bench()
    let filled = { (count: Int) in #"{"refresh_token":"\#(String(repeating: "x", count: count - 20))"}"# }
    let long = try link(bench, "ada", "t2_a", "--json", input: filled((1 << 20) + 1))
    #expect(long.code == 64 && long.errors.contains(#""kind":"value-too-large""#), "\(long.errors)")
    #expect(try bench.run("list").output.isEmpty)
    #expect(try link(bench, "ada", input: filled(1_000_000)).code == 0)
  }

  // Defends: revoke and unlink refuse the same.
  @Test(arguments: ["revoke", "unlink"])
  func otherCommandsRefuseTheSame(_ command: String) throws {
    let bench = try Bench()
    try link(bench, "ada")
    let before = try Fingerprint(bench.vault)
    let yes = command == "unlink" ? ["--yes"] : []
    for (arguments, code) in [
      ([], Int32(64)), (["ada", "--provider", "reddit", "--ip", "::g"], 64), (["ada"], 3),
      (["ada", "--provider", "github"], 3), (["ivo", "--provider", "reddit"], 3),
    ] {
      let outcome = try bench.run(Call([command] + arguments + yes))
      #expect(outcome.code == code && !outcome.errors.isEmpty, "\(arguments): \(outcome.errors)")
    }
    #expect(try Fingerprint(bench.vault) == before)
  }

  private func kinds(_ bench: Bench) throws -> [AuditEvent.Kind] { try events(bench).map(\.kind) }

  private func events(_ bench: Bench) throws -> [AuditEvent] {
    let vault = try Vault.open(at: bench.vault, credential: KeySource.file(bench.keyFile).credential(.key))
    var events: [AuditEvent] = []
    try vault.snapshot().forEachRecord { (entry) throws(VaultError) in
      guard entry.operation == .event, let event = try AuditEvent(entry) else { return }
      events.append(event)
    }
    return events
  }
}
