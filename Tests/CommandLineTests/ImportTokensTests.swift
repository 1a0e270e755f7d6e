import Foundation
import Glibc
import JSONText
import Testing

/// `import --from sqlite-tokens` and `--from jsonl`: rows made by Python's sqlite3 and cryptography, printed by sqlite3.
@Suite struct ImportTokensTests {
  private static let gate: ConditionTrait = .enabled(
    if: Predecessor.hasSQLite, "sqlite3, or Python's cryptography, is not installed")

  private func object(_ text: some StringProtocol) throws -> [(String, JSONValue)] {
    guard case .object(let members) = try JSONValue(parsing: Array(text.utf8).span) else { return [] }
    return members
  }

  private func string(_ name: String, in members: [(String, JSONValue)]) -> String? {
    guard case .string(let text)? = members.first(where: { $0.0 == name })?.1 else { return nil }
    return text
  }

  /// A bench with the predecessor's table, and its rows.
  private func rows(_ bench: Bench) throws -> [UInt8] {
    try bench.python(Predecessor.tokens)
    let printed = try bench.run(program: Predecessor.sqlite, bench.folder + "/tokens.db", Predecessor.query)
    try #require(printed.code == 0, "\(printed.errors)")
    return printed.output
  }

  // Defends: every token of the predecessor's table comes over byte for byte, NUL, emoji and a megabyte among them, with the times
  // that it had; a second run changes nothing.
  @Test(gate) func everythingComesOver() throws {
    let bench = try Bench()
    let rows = try rows(bench)
    let arguments = ["import", "--from", "sqlite-tokens", "--legacy-key", "file:\(bench.folder)/legacy.key"]
    let dry = try bench.run(arguments + ["--dry-run", "--json"], input: rows)
    #expect(dry.code == 0 && dry.text.contains(#""stored":302"#) && dry.text.contains(#""dry_run":true"#))
    #expect(try bench.run("list").text.isEmpty)
    let rejects = bench.folder + "/rejects"
    let done = try bench.run(arguments + ["--rejects", rejects], input: rows)
    #expect(done.code == 0 && !FileManager.default.fileExists(atPath: rejects), "\(done.errors)")
    #expect(done.errors.contains("cbc-raw (opens 10 of the first 10 rows)"))
    #expect(
      done.errors.contains("302 stored, 0 replaced, 0 skipped as they are there already, 0 rejected, of 302 rows"))
    let expected = try object(String(decoding: bench.contents(of: bench.folder + "/expected.json"), as: UTF8.self))
    let exported = try bench.run("export", "--to", "jsonl", "--reveal", "--quiet")
    #expect(exported.code == 0)
    var tokens: [String: String] = [:]
    for line in exported.lines {
      let members = try object(line)
      tokens[try #require(string("user_id", in: members))] = members.first { $0.0 == "token" }?.1.text
    }
    #expect(tokens.count == 302 && expected.count == 302)
    for (user, value) in expected {
      guard case .object(let members) = value else { continue }
      let token = try #require(string("token", in: members))
      #expect(try JSONValue(parsing: Array(token.utf8).span).text == tokens[user], "\(user.prefix(40))")
    }
    #expect(
      try bench.run("get", "user-7@example.com", "--format", "json").text.hasPrefix(#"{"access_token": "at-7", "#))
    #expect(try bench.run("get", "large").output.count == 1_048_576 - 100 + 1)
    for (user, time) in [
      ("user-1@example.com", "2024-02-01T00:00:00.250000Z"), ("user-2@example.com", "2024-02-01T00:00:00.250000Z"),
      ("user-3@example.com", "2024-02-01T00:00:00.250000Z"), ("user-4@example.com", "9999-12-31T23:59:59.000000Z"),
    ] {
      #expect(try bench.run("show", user, "--json").text.contains(#""updated":"\#(time)""#), "\(user)")
    }
    let before = try Fingerprint(bench.vault)
    let again = try bench.run(arguments, input: rows)
    #expect(again.code == 0 && again.errors.contains("302 skipped"))
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("verify").code == 0)
  }

  // Defends: another key imports nothing, says so, and is not taken for damage.
  @Test(gate) func wrongKey() throws {
    let bench = try Bench()
    let rows = try rows(bench)
    try bench.write(Array(String(repeating: "ab", count: 32).utf8), to: "other.key")
    let before = try Fingerprint(bench.vault)
    for profile in [[], ["--profile", "cbc-raw"], ["--profile", "cbc-pbkdf2,salt=prefix"]] {
      let outcome = try bench.run(
        ["import", "--from", "sqlite-tokens", "--legacy-key", "file:\(bench.folder)/other.key"] + profile, input: rows)
      #expect(outcome.code == 77 && outcome.errors.contains("nothing was imported"), "\(outcome.errors)")
      #expect(try Fingerprint(bench.vault) == before)
    }
  }

  // Defends: rows stay sealed if asked, and open later with the times that they had.
  @Test(gate) func keptSealed() throws {
    let bench = try Bench()
    let rows = try rows(bench)
    let kept = try bench.run(["import", "--from", "sqlite-tokens", "--keep-sealed"], input: rows)
    #expect(kept.code == 0 && kept.errors.contains("302 stored"), "\(kept.errors)")
    #expect(try bench.run("get", "user-1@example.com").code == 78)
    let export = try bench.run("export", "--to", "jsonl", "--reveal")
    #expect(export.code == 6 && export.output.isEmpty && export.errors.contains("302 could not be exported"))
    #expect(
      try bench.run("upgrade", "--legacy-key", "file:\(bench.folder)/legacy.key").text.hasPrefix("302 upgraded, 0 kept")
    )
    #expect(try bench.run("get", "user-1@example.com").text == "at-1\n")
    #expect(try bench.run("show", "user-1@example.com", "--json").text.contains("2024-02-01T00:00:00.250000Z"))
  }

  // Defends: every kind of bad row is rejected with its number, its reason and the row itself, in a file that only its owner can read;
  // all other rows are imported, and none is counted twice.
  @Test(gate) func badRows() throws {
    let bench = try Bench()
    let good = String(decoding: try rows(bench), as: UTF8.self).split(separator: "\n").map { String($0) }
    let row = try object(good[1])
    func changed(_ name: String, _ value: JSONValue?, user: String) -> String {
      var members = row.filter { $0.0 != name && $0.0 != "user_id" }
      if name != "user_id" { members.insert(("user_id", .string(user)), at: 0) }
      if let value { members.append((name, value)) }
      return JSONValue.object(members).text
    }
    let data = try #require(string("encrypted_data", in: row))
    let flipped = String(data.dropLast(2)) + (data.hasSuffix("00") ? "01" : "00")
    let bad: [(String, String)] = [
      ("not json", "not-json"), ("[]", "not-json"), (#"{"user_id":"a","user_id":"b"}"#, "not-json"),
      ("{}", "missing-member"),
      (changed("user_id", nil, user: ""), "missing-member"),
      (changed("user_id", .string(""), user: ""), "invalid-name"),
      (changed("user_id", .string("a\u{0}b"), user: ""), "invalid-name"),
      (changed("user_id", .bool(true), user: ""), "bad-member"),
      (changed("encrypted_data", .string(flipped), user: "p"), "legacy-unopened"),
      (changed("encrypted_data", .string(String(data.dropLast(2))), user: "q"), "legacy-unopened"),
      (changed("encrypted_data", .string(""), user: "r"), "legacy-malformed"),
      (changed("encrypted_data", .string("no base64!"), user: "s"), "bad-member"),
      (changed("encrypted_data", .number("5"), user: "t"), "bad-member"),
      (changed("encrypted_data", .null, user: "u"), "missing-member"),
      (changed("iv", .string("00"), user: "v"), "legacy-malformed"), (changed("iv", nil, user: "w"), "missing-member"),
      (changed("created_at", .string("infinity"), user: "x"), "time-out-of-range"),
      (changed("updated_at", .string("yesterday"), user: "y"), "bad-time"),
      (changed("updated_at", .number("1706704496000"), user: "z"), "time-out-of-range"), (good[0], "duplicate-user"),
    ]
    let long = #"{"user_id":"long","encrypted_data":""# + String(repeating: "00", count: 5 << 20) + #""}"#
    var input = Array((good.prefix(20).joined(separator: "\r\n") + "\r\n").utf8)
    for (text, _) in bad { input += Array((text + "\n").utf8) }
    input += [0xFF, 0xFE, UInt8(ascii: "\n"), UInt8(ascii: "\n")] + Array((long + "\n").utf8) + Array(good[20].utf8)
    let rejects = bench.folder + "/rejects.jsonl"
    let arguments = [
      "import", "--from", "sqlite-tokens", "--legacy-key", "file:\(bench.folder)/legacy.key", "--rejects", rejects,
    ]
    let outcome = try bench.run(arguments, input: input)
    #expect(outcome.code == 6, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("21 stored, 0 replaced, 0 skipped as they are there already, 22 rejected, of 43 rows"))
    var status = stat()
    #expect(unsafe lstat(rejects, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let listed = try String(decoding: bench.contents(of: rejects), as: UTF8.self).split(separator: "\n").map {
      try object($0)
    }
    let byLine = Dictionary(
      uniqueKeysWithValues: listed.map { (($0.first { $0.0 == "line" }?.1.wholeNumber ?? 0), $0) })
    #expect(byLine.count == 22)
    for (number, (text, code)) in bad.enumerated() {
      let members = try #require(byLine[Int64(21 + number)])
      #expect(string("code", in: members) == code, "\(number): \(members.map(\.1.text))")
      #expect(string("message", in: members)?.isEmpty == false)
      let kept = string("text", in: members) ?? members.first { $0.0 == "row" }?.1.text
      #expect(kept == text || code == "not-json", "\(number)")
    }
    #expect(byLine[41].flatMap { string("base64", in: $0) } == "//4=")
    #expect(byLine[43].flatMap { string("code", in: $0) } == "line-too-long")
    #expect(try bench.run("list").lines.count == 22)
    // The rows that were rejected are kept: the file is not written over, unless that is asked for.
    #expect(try bench.run(arguments, input: input).code == 5)
    #expect(try bench.run(arguments + ["--force"], input: input).code == 6)
    let plain = try bench.run(Array(arguments.dropLast(2)), input: input)
    #expect(plain.code == 6 && plain.errors.contains("line 22: not-json: it is an array, no object"))
    #expect(plain.errors.contains("and 2 more rows rejected"))
  }

  // Defends: a line of 100 MB is passed over in bounded memory, and what stands around it is imported.
  @Test func hugeLine() throws {
    let bench = try Bench()
    let path = bench.folder + "/rows"
    let line = Array(#"{"user_id":"a","access_token":"x"}"#.utf8) + [10]
    var bytes = line + [UInt8](repeating: UInt8(ascii: "7"), count: 100_000_000) + [10]
    bytes += Array(#"{"user_id":"b","access_token":"y"}"#.utf8)
    try bench.write(bytes, to: "rows")
    let outcome = try bench.run("import", "--from", "jsonl", path, "--json")
    #expect(outcome.code == 6 && outcome.text.contains(#""rows":3,"stored":2"#), "\(outcome.errors)")
    #expect(outcome.errors.contains("line 2: line-too-long: the line has 100000000 bytes"))
    #expect(try bench.run("get", "b").text == "y\n")
  }

  // Defends: an import that was killed has stored whole batches, and is simply run again: nothing is missing and nothing is there twice.
  @Test func killedAndRunAgain() throws {
    let bench = try Bench()
    // Four blocks of 4 MiB are in hand before the first is stored.
    let lines = ManyLines(batches: 10)
    let running = try Background(Call("import", "--from", "jsonl"), on: bench)
    running.send(Array(lines.bytes.prefix(34 << 20)))
    try waitUntil("a batch is stored") { try !bench.run("list", "--json").text.isEmpty }
    kill(running.child, SIGKILL)
    #expect(running.end() == 128 + SIGKILL)
    let before = try bench.run("list", "--json").lines.count
    #expect(before > 0 && before < lines.count)
    let again = try bench.run(["import", "--from", "jsonl", "--json"], input: lines.bytes)
    #expect(again.code == 0, "\(again.errors)")
    #expect(again.text.contains(#""stored":\#(lines.count - before),"replaced":0,"skipped":\#(before),"rejected":0"#))
    #expect(try bench.run("list", "--json").lines.count == lines.count)
  }

  // Defends: tokens in the clear go out and in again as they were: ttl, providers, names that are not UTF-8, members of any name.
  @Test func linesGoOutAndIn() throws {
    let bench = try Bench()
    let lines = [
      #"{"user_id":"a","token":{"access_token":"1","user_id":7,"ttl":"x", "y" : 1.50}}"#,
      #"{"user_id":"a","provider":"reddit","access_token":"2"}"#,
      #"{"user_id":"c","ttl":"30d","access_token":"nul\u0000"}"#, #"{"user_id_hex":"ff00fe","access_token":"3"}"#,
      #"{"user_id_hex":"fffe","access_token":"3"}"#,
    ]
    let first = try bench.run("import", "--from", "jsonl", input: lines.joined(separator: "\n"))
    #expect(first.code == 6 && first.errors.contains("line 4: invalid-name"), "\(first.errors)")
    let out = try bench.run("export", "--to", "jsonl", "--reveal")
    #expect(out.code == 0 && out.lines.count == 4)
    #expect(out.text.contains(#""token":{"access_token":"1","user_id":7,"ttl":"x", "y" : 1.50}}"#))
    #expect(out.text.contains(#"{"user_id_hex":"fffe","token":{"access_token":"3"}}"#))
    let other = try Bench()
    #expect(try other.run(["import", "--from", "jsonl"], input: out.output).code == 0)
    let again = try other.run("export", "--to", "jsonl", "--reveal")
    func withoutTimes(_ text: String) -> String { text.replacing(/"ttl":"[0-9]+ms"/, with: "") }
    #expect(withoutTimes(again.text) == withoutTimes(out.text) && again.text.contains("ms\""))
  }

  // Defends: options that don't go together are refused, with a sentence; a key never comes from where the rows come from.
  @Test(arguments: [
    ["--from", "csv"], ["--from", "jsonl", "--legacy-key", "env:X"], ["--from", "sealed"],
    ["--from", "jsonl", "--profile", "cbc-raw"],
    ["--from", "sqlite-tokens", "--legacy-key", "stdin"],
    ["--from", "sqlite-tokens", "--legacy-key", "env:K", "--profile", "rot13"],
    ["--from", "sqlite-tokens", "--legacy-key", "env:K", "--profile", "gcm-raw"],
    ["--from", "jsonl", "--on-conflict", "merge"],
    ["--from", "jsonl", "--on-conflict", "newer"], ["--from", "jsonl", "--force"],
    ["--from", "reddit-accounts", "--keep-sealed"], ["--from", "jsonl", "--keep-sealed"],
    ["--from", "jsonl", "/nowhere"],
  ])
  func wrongOptions(_ arguments: [String]) throws {
    let bench = try Bench()
    var call = Call(["import"] + arguments)
    call.environment = ["K": String(repeating: "00", count: 32)]
    let outcome = try bench.run(call)
    #expect(outcome.code == 64 && outcome.errors.hasPrefix("tokenvault: "), "\(outcome.errors)")
  }
}
