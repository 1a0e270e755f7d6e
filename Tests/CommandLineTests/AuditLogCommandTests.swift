import Glibc
import JSONText
import Testing
import TokenVault

@testable import tokenvault

/// `audit log`, by the real command.
@Suite struct AuditLogCommandTests {
  /// A vault with events of three users, two providers, two actors and three kinds.
  private func bench() throws -> Bench {
    let bench = try Bench()
    let vault = try bench.open()
    let store = TokenStore(vault)
    let token = try { try OAuthToken(json: Array(#"{"refresh_token":"rt-canary"}"#.utf8).span) }()
    let web = try AuditContext(
      actor: "web-1", reason: "sign-in \u{1b}[2J", ipAddress: "192.0.2.7", userAgent: "Agent/1")
    for (user, provider) in [("ada", "reddit"), ("bob", "reddit"), ("ada", "github")] {
      let account = NewAccount(try ProviderAccount(id: user + provider), token: token)
      try store.link(account, for: TokenID(user: user, provider: provider), by: web)
    }
    try store.revoke(TokenID(user: "bob", provider: "reddit"), by: AuditContext(actor: "cron"))
    try store.unlink(TokenID(user: "ada", provider: "github"))
    try vault.close()
    return bench
  }

  private func log(_ bench: Bench, _ arguments: String...) throws -> [String] {
    let outcome = try bench.run(Call(["audit", "log", "--json"] + arguments))
    #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    return try outcome.lines.map { (line) in
      guard case .object(let members) = try JSONValue(parsing: Array(line.utf8).span) else { return "" }
      return ["event", "user_id", "provider"].map { (name) in
        guard case .string(let text)? = members.first(where: { $0.0 == name })?.1 else { return "-" }
        return text
      }.joined(separator: " ")
    }
  }

  /// Each filter alone and together; a table for people in which nothing is obeyed by a terminal; no secret.
  @Test func filters() throws {
    let bench = try bench()
    let all = [
      "linked ada reddit", "linked bob reddit", "linked ada github", "revoked bob reddit", "unlinked ada github",
    ]
    #expect(try log(bench) == all)
    #expect(try log(bench, "--user", "ada") == [all[0], all[2], all[4]])
    #expect(try log(bench, "--provider", "reddit") == [all[0], all[1], all[3]])
    #expect(try log(bench, "--event", "revoked", "--event", "unlinked") == Array(all[3...]))
    #expect(try log(bench, "--actor", "web-1") == Array(all[..<3]))
    #expect(try log(bench, "--user", "ada", "--provider", "github", "--event", "linked") == [all[2]])
    #expect(try log(bench, "--tail", "2") == Array(all[3...]))
    #expect(try log(bench, "--tail", "9") == all)
    #expect(try log(bench, "--since", "1h") == all)
    #expect(try log(bench, "--until", "1h") == [])
    #expect(try log(bench, "--since", "2001-01-01", "--until", "9999-12-31T23:59:59.5+01:00") == all)
    var call = Call("audit", "log", "--json")
    call.environment["TOKENVAULT_ACTOR"] = "who asks"
    #expect(try bench.run(call).lines.count == 5)
    let table = try bench.run("audit", "log")
    #expect(table.lines[0].split(separator: " ") == ["TIME", "EVENT", "USER", "PROVIDER", "ACTOR", "REASON", "FROM"])
    #expect(table.lines[1].hasSuffix(#"sign-in \u{1b}[2J  192.0.2.7"#) && table.lines.count == 6)
    #expect(table.lines[5].hasSuffix("-") && table.lines[4].contains("cron"))
    #expect(try !bench.run("audit", "log", "--json").text.contains("rt-canary"))
  }

  /// Every member is in the JSON, and what happened before a compaction is there after it, with what that did.
  @Test func allMembers() throws {
    let bench = try bench()
    let line = try #require(try bench.run("audit", "log", "--json").lines.first)
    let rest = #""event":"linked","user_id":"ada","provider":"reddit","actor":"web-1","reason":"sign-in \u001b[2J""#
    #expect(line.contains(rest + #","ip":"192.0.2.7","user_agent":"Agent/1"}"#))
    #expect(line.contains(#"{"seq":3,"time":"20"#))
    for command in ["compact", "rotate"] {
      #expect(try bench.run(command, "--actor", "cron", "--reason", "weekly").code == 0)
    }
    #expect(try bench.run("rekey", "--new-key", "file:" + bench.keyFile).code == 0)
    let lines = try bench.run("audit", "log", "--json", "--tail", "3").lines
    #expect(lines[0].contains(#""event":"compacted","actor":"cron","reason":"weekly","generation":2,"records":"#))
    #expect(lines[1].contains(#""event":"rotated""#) && lines[1].contains(#""generation":3"#))
    #expect(lines[2].contains(#""event":"rekeyed""#) && lines[2].contains(#""dropped_records":0"#))
    #expect(try bench.run("audit", "log", "--json").lines.count == 8)
    #expect(try bench.run("compact", "--audit-keep", "0s").code == 0)
    #expect(try log(bench) == ["compacted - -"])
    #expect(try bench.run("compact", "--dry-run").code == 0)
    #expect(try log(bench).count == 1)
  }

  /// What makes no sense is refused with what would, and before the vault is opened.
  @Test(arguments: [
    (["--event", "invented"], "failed_refresh"), (["--event", ""], "linked"), (["--since", "2026-02-29"], "7d"),
    (["--since", "2026-13-01"], "7d"), (["--until", "2026-01-01T24:00:00Z"], "7d"), (["--until", "yesterday"], "7d"),
    (["--since", "2026"], "7d"), (["--since", ""], "7d"), (["--since", "2026-01-01T00:00:00"], "7d"),
    (["--since", "2026-01-01T00:00:00Zz"], "7d"), (["--tail", "0"], "from 1 on"), (["--tail", "-3"], "tail"),
    (["--tail", "99999999999999999999"], "tail"), (["--follow", "--until", "1h"], "exclude"),
    (["--since", "1h", "--until", "2h"], "not before"), (["--tail"], "tail"),
  ])
  func badInput(_ arguments: [String], _ sentence: String) throws {
    let bench = try Bench(withVault: false)
    let outcome = try bench.run(Call(["audit", "log"] + arguments))
    #expect(outcome.code == 64 && outcome.errors.contains(sentence) && outcome.text.isEmpty, "\(outcome.errors)")
  }

  /// Moments are read as RFC 3339 has them.
  @Test(
    arguments: [
      ("1970-01-01", 0), ("1970-01-01T00:00:00Z", 0), ("1969-12-31 23:59:59.999999z", -1),
      ("2000-02-29", 951_782_400_000_000),
      ("2026-11-21T08:00:00.25+02:00", 1_795_240_800_250_000), ("2026-11-21T08:00:00-00:30", 1_795_249_800_000_000),
      ("0000-01-01", -62_167_219_200_000_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
      ("2026-11-21T08:00:00.1234567Z", 1_795_248_000_123_456),
    ] as [(String, Int64)])
  func moments(_ text: String, _ microseconds: Int64) throws {
    #expect(try TimePoint(text, of: "--since").microseconds == microseconds)
    if !text.contains(".1234567") {
      #expect(Timestamp.full(microseconds).hasPrefix(String(Timestamp.seconds(microseconds).dropLast())))
    }
  }

  /// The newest of 20 000 events cost the reading of themselves, and of what every opening reads.
  @Test(.enabled(if: StoppedWriter.isPossible, "counting another process's system calls needs strace"))
  func tailReadsFewFrames() throws {
    let bench = try Bench()
    try bench.writeEvents(20_000)
    func reads(_ arguments: String...) throws -> (count: Int, lines: [String]) {
      let trace = bench.folder + "/trace"
      let counting = ["-f", "-qq", "-o", trace, "-e", "trace=pread64", Bench.program]
      var call = Call(counting + ["audit", "log", "--json"] + arguments)
      call.program = "/usr/bin/strace"
      let outcome = try bench.run(call)
      #expect(outcome.code == 0, "\(outcome.errors)")
      return (try bench.contents(of: trace).split(separator: UInt8(ascii: "\n")).count, outcome.lines)
    }
    let one = try reads("--tail", "1")
    let eleven = try reads("--tail", "11")
    #expect(one.lines.count == 1 && one.lines[0].contains(#""reason":"19999""#))
    #expect(eleven.lines.count == 11 && eleven.lines[0].contains(#""reason":"19989""#))
    #expect(eleven.count - one.count <= 44 && one.count < 100, "\(one.count) and \(eleven.count) reads")
    let all = try reads()
    #expect(all.lines.count == 20_000 && all.count > 20_000)
  }

  /// Following goes on through changes of the file by others, gives each event once, and ends with 0 when it is told to.
  @Test(arguments: [SIGINT, SIGTERM]) func following(_ number: Int32) throws {
    let bench = try Bench()
    #expect(try bench.run("audit", "reads", "on").code == 0)
    let following = try Listening(Call("audit", "log", "--follow", "--json"), on: bench)
    #expect(try following.line().contains(#""audit_reads":"on""#))
    try bench.put("ada")
    #expect(try bench.run("get", "ada", "--actor", "me").code == 0)
    #expect(try following.line().contains(#""event":"read","user_id":"ada","actor":"me""#))
    #expect(try bench.run("compact").code == 0)
    #expect(try following.line().contains(#""event":"compacted""#))
    #expect(try bench.run("get", "ada").code == 0)
    #expect(try following.line().contains(#""event":"read","user_id":"ada"}"#))
    for _ in 0..<3 { #expect(try bench.run("rotate").code == 0) }
    for generation in 3...5 { #expect(try following.line().contains(#""generation":\#(generation)"#)) }
    #expect(try bench.run("audit", "reads", "off").code == 0)
    #expect(try following.line().contains(#""audit_reads":"off""#))
    kill(following.child, number)
    #expect(try following.rest().isEmpty)
    #expect(following.end() == 0 && following.errors.isEmpty, "\(following.errors)")
  }

  /// With a filter and a tail, following begins with the newest that pass and goes on with those that do.
  @Test func followingWithFilters() throws {
    let bench = try Bench()
    try bench.writeEvents(100)
    let following = try Listening(
      Call("audit", "log", "--follow", "--tail", "2", "--user", "user-3", "--json"), on: bench)
    #expect(try following.line().contains(#""reason":"87""#))
    #expect(try following.line().contains(#""reason":"94""#))
    try bench.writeEvents(8)
    #expect(try following.line().contains(#""reason":"3""#))
    kill(following.child, SIGTERM)
    #expect(try following.rest().isEmpty)
    #expect(following.end() == 0)
  }

  /// A reader that goes away ends the command, while it writes and while it waits, without a word.
  @Test func closedPipe() throws {
    let bench = try Bench()
    try bench.writeEvents(20_000)
    for arguments in [["--follow", "--tail", "1"], ["--follow"], []] {
      let running = try Listening(Call(["audit", "log", "--json"] + arguments), on: bench)
      _ = try running.line()
      running.stopListening()
      #expect(running.end() == 74 && running.errors.isEmpty, "\(running.errors)")
    }
    var call = Call("audit", "log")
    call.output = .path("/dev/full")
    #expect(try bench.run(call).code == 74)
  }

  /// A vault that goes away under a following command ends it with the reason.
  @Test func theVaultGoesAway() throws {
    let bench = try Bench()
    #expect(try bench.run("audit", "reads", "on").code == 0)
    let following = try Listening(Call("audit", "log", "--follow"), on: bench)
    _ = try following.line()
    _ = try following.line()
    try #require(unsafe unlink(bench.vault) == 0)
    #expect(following.end() == 66 && following.errors.contains("is gone"))
  }

  /// Behind a damaged event frame, what is newer is shown, and the command ends with the place of the damage.
  @Test func damagedEventFrame() throws {
    let bench = try Bench()
    try bench.writeEvents(3000)
    var bytes = try bench.contents(of: bench.vault)
    for place in 40_000..<40_064 { bytes[place] ^= 1 }
    try bench.write(bytes, to: "vault.tv")
    let outcome = try bench.run("audit", "log", "--json")
    #expect(outcome.code == 65 && outcome.errors.contains(#""offset":"#), "\(outcome.errors)")
    #expect(outcome.lines.count > 2000 && outcome.lines.last?.contains(#""reason":"2999""#) == true)
    #expect(try bench.run("audit", "log", "--tail", "3").code == 0)
    let verified = try bench.run("audit", "verify", "--json")
    #expect(verified.code == 65 && verified.text.isEmpty && verified.errors.contains(#""code":"damaged""#))
  }
}
