import Foundation
import JSONText
import Testing

/// `import --from reddit-accounts`: rows of a real PostgreSQL, and texts that Node sealed.
@Suite struct ImportAccountsTests {
  /// SQL that makes the predecessor's table and fills it, sealed with scrypt as its program did.
  private static let script = """
    import base64, hashlib, os, sys
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    secret = os.urandom(32).hex()
    with open(os.open(sys.argv[1] + "/legacy.key", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(secret + "\\n")
    salts = [os.urandom(64), os.urandom(64)]

    def seal(text, number):
        salt, iv = salts[number % 2], os.urandom(16)
        key = hashlib.scrypt(secret.encode(), salt=salt, n=16384, r=8, p=1, maxmem=2**26, dklen=32)
        sealed = AESGCM(key).encrypt(iv, text.encode(), None)
        return ":".join(base64.b64encode(part).decode() for part in (salt, iv, sealed[-16:], sealed[:-16]))

    print('''create table reddit_accounts (id serial primary key, user_id integer unique not null, refresh_token_encrypted text,
      access_token_hash varchar(64), reddit_username text, reddit_id text, scopes text[], expires_at timestamptz,
      last_rotated_at timestamptz, linked_at timestamptz, last_used_at timestamp, revoked_at timestamptz);''')
    for n in range(1, 13):
        text = seal(f"rt-{n}", n)
        if n == 11: text = text[:-4] + "AAA="
        account = "t2_1" if n == 12 else f"t2_{n}"
        revoked = "'2024-03-01 00:00:00+00'" if n == 3 else "null"
        rotated = {5: "'infinity'", 6: "'-infinity'", 7: "'10000-01-01'", 8: "'0044-03-15 BC'"}.get(n, "'2024-01-02 05:30:00+05:30'")
        expires = "'infinity'" if n == 4 else "'2024-02-01 00:00:00.75+00'"
        print(f'''insert into reddit_accounts (user_id, refresh_token_encrypted, access_token_hash, reddit_username, reddit_id, scopes,
          expires_at, last_rotated_at, linked_at, last_used_at, revoked_at) values ({n}, '{text}',
          '{hashlib.sha256(b"access-token-of-all").hexdigest()}', 'name_{n}', '{account}', '{{identity,"b c"}}', {expires}, {rotated},
          '2024-01-01 00:00:00.123456+00', '2024-01-03 12:00:00', {revoked});''')
    """

  // Defends: rows of a real PostgreSQL, printed by psql in its server's time zone, become accounts with all times; what can't be is
  // rejected: infinite times, two users of one account, a text that does not open. The profile is found.
  @Test(
    .enabled(
      if: Predecessor.hasSQLite && PostgresCluster.programs != nil,
      "PostgreSQL, or Python's cryptography, is not installed"))
  func postgres() throws {
    let bench = try Bench()
    let sql = try bench.python(Self.script).output
    let cluster = try PostgresCluster(bench)
    _ = try cluster.psql("", input: sql)
    let rows = try cluster.psql("select row_to_json(a) from reddit_accounts a order by user_id")
    #expect(String(decoding: rows, as: UTF8.self).contains("+05:30"))
    let rejects = bench.folder + "/rejects"
    let arguments = [
      "import", "--from", "reddit-accounts", "--legacy-key", "file:\(bench.folder)/legacy.key", "--rejects", rejects,
      "--actor", "ops",
    ]
    let outcome = try bench.run(arguments, input: rows)
    #expect(outcome.code == 6, "\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "gcm-scrypt,n=16384,r=8,p=1,secret=utf8,parts=salt:iv:tag:data,text=base64 (opens 9 of the first 10 rows)"))
    #expect(
      outcome.errors.contains("6 stored, 0 replaced, 0 skipped as they are there already, 6 rejected, of 12 rows"))
    let listed = String(decoding: try bench.contents(of: rejects), as: UTF8.self).split(separator: "\n")
    for (line, code) in [
      (5, "time-out-of-range"), (6, "time-out-of-range"), (7, "time-out-of-range"), (8, "time-out-of-range"),
      (11, "legacy-unopened"), (12, "account-taken"),
    ] {
      #expect(
        listed.contains {
          $0.hasPrefix(#"{"line":\#(line),"code":"\#(code)""#) && $0.contains(#""row":{"id":\#(line),"#)
        })
    }
    #expect(try bench.run("get", "2", "--provider", "reddit", "--field", "refresh_token").text == "rt-2\n")
    let token = try bench.run("get", "2", "--provider", "reddit", "--format", "json").text
    #expect(token == #"{"refresh_token":"rt-2","expires_at":1706745600,"scope":"identity b c"}"# + "\n")
    #expect(
      try bench.run("get", "4", "--provider", "reddit", "--format", "json").text
        == #"{"refresh_token":"rt-4","scope":"identity b c"}"# + "\n")
    #expect(try bench.run("get", "3", "--provider", "reddit").code == 4)
    let shown = try bench.run("show", "2", "--provider", "reddit", "--json").text
    #expect(shown.contains("2024-01-02T00:00:00.000000Z"), "\(shown)")
    // Of an access token the hash alone came over: it is known all the same when it turns up, be its account revoked or not.
    let leak = try bench.run(["leak-check", "--json"], input: Array("x access-token-of-all y\n".utf8))
    #expect(
      leak.code == 6 && leak.text.contains(#""user_id":"2""#) && leak.text.contains(#""user_id":"3""#), "\(leak.text)")
    // What was rejected is imported once it is mended; the rest is there already.
    let mended = try cluster.psql("select row_to_json(a) from (select * from reddit_accounts where user_id <= 4) a")
    #expect(try bench.run(arguments + ["--force"], input: mended).errors.contains("4 skipped"))
  }

  // Defends: what Node sealed in the family's variants is imported, the profile found from the rows alone.
  @Test(arguments: [6, 24, 42]) func nodeTexts(_ first: Int) throws {
    let root = URL(filePath: #filePath).pathComponents.dropLast(3).joined(separator: "/")
    let bench = try Bench()
    let kept = String(decoding: try bench.contents(of: root + "/testvectors/legacy/sealed-texts.jsonl"), as: UTF8.self)
    let line = try #require(kept.split(separator: "\n").dropFirst(first).first)
    guard case .object(let members) = try JSONValue(parsing: Array(line.utf8).span) else { return }
    let texts = members.map { (member) -> String in
      if case .string(let text) = member.1 { text } else { "" }
    }
    let row = JSONValue.object([
      ("user_id", .integer(7)), ("reddit_id", .string("t2_x")), ("refresh_token_encrypted", .string(texts[2])),
    ]).text
    var call = Call("import", "--from", "reddit-accounts", "--legacy-key", "env:SECRET", "--json")
    (call.environment, call.input) = (["SECRET": texts[1]], .bytes(Array(row.utf8)))
    let outcome = try bench.run(call)
    #expect(outcome.code == 0 && outcome.text.contains(texts[0]), "\(outcome.errors)")
    #expect(try bench.run("get", "7", "--provider", "reddit", "--field", "refresh_token").text == texts[3] + "\n")
    call.arguments += ["--profile", "gcm-raw"].map { Array($0.utf8) }
    #expect(try bench.run(call).code == 77)
  }
}
