import Foundation
import Glibc
import JSONText
import Testing
import TokenVault
import VaultCrypto

/// `export`, and what it gives.
@Suite struct ExportCommandTests {
  private static let reference =
    URL(filePath: #filePath).pathComponents.dropLast(3).joined(separator: "/") + "/spec/reference"

  /// A vault with a token, one that will be over, an account, and a revoked one; and a key for the export.
  private func bench() throws -> Bench {
    let bench = try Bench()
    try bench.put("ada", #"{"access_token":"secret-value" , "n":1.50}"#)
    #expect(try bench.run("put", "soon", "--ttl", "30d", input: #"{"access_token":"s"}"#).code == 0)
    #expect(try bench.run("put", "over", "--ttl", "1ms", input: #"{"access_token":"o"}"#).code == 0)
    let store = try store(bench)
    for (user, account) in [("mara", "t2_a"), ("gone", "t2_b")] {
      let new = NewAccount(
        try ProviderAccount(id: account, name: "n"),
        token: try OAuthToken(json: Array(#"{"refresh_token":"rt"}"#.utf8).span))
      try store.link(new, for: TokenID(user: user, provider: "reddit"))
    }
    try store.revoke(TokenID(user: "gone", provider: "reddit"))
    try bench.write(Array((String(repeating: "5c", count: 32) + "\n").utf8), to: "export.key")
    return bench
  }

  private func store(_ bench: Bench) throws -> TokenStore {
    let source = try KeySource(parsing: "file:" + bench.keyFile)
    return TokenStore(try Vault.open(at: bench.vault, credential: source.credential(.key)))
  }

  private func sealed(_ bench: Bench, _ more: String...) throws -> Outcome {
    try bench.run(Call(["export", "--to", "sealed", "--export-key", "file:\(bench.folder)/export.key"] + more))
  }

  // Defends: tokens in the clear are written only when that is said; then they are as they were put, what is over or revoked left out.
  @Test func clear() throws {
    let bench = try bench()
    let refused = try bench.run("export", "--to", "jsonl")
    #expect(refused.code == 64 && refused.output.isEmpty && refused.errors.contains("--reveal"))
    let outcome = try bench.run("export", "--to", "jsonl", "--reveal")
    #expect(outcome.code == 0 && outcome.lines.count == 3)
    #expect(outcome.lines[0] == #"{"user_id":"ada","token":{"access_token":"secret-value" , "n":1.50}}"#)
    #expect(outcome.lines[2] == #"{"user_id":"mara","provider":"reddit","token":{"refresh_token":"rt"}}"#)
    #expect(outcome.errors == "tokenvault: exported 3 entries; 1 revoked left out\n")
    #expect(try bench.run("export", "--to", "jsonl", "--reveal", "--provider", "reddit").lines.count == 1)
    #expect(try bench.run("export", "--to", "jsonl", "--reveal", "--prefix", "s").lines.count == 1)
  }

  // Defends: sealed lines hold whole entries, revoked accounts too, open in another vault with that key alone and for that user alone,
  // and keep accounts, times and reservations.
  @Test func sealedLines() throws {
    let bench = try bench()
    let lines = try sealed(bench)
    #expect(lines.code == 0 && lines.lines.count == 4 && !lines.text.contains("secret-value"))
    let other = try Bench()
    try other.write(try bench.contents(of: bench.folder + "/export.key"), to: "export.key")
    try other.write(Array(String(repeating: "5d", count: 32).utf8), to: "wrong.key")
    let wrong = try other.run(
      ["import", "--from", "sealed", "--export-key", "file:\(other.folder)/wrong.key"], input: lines.output)
    #expect(wrong.code == 77 && wrong.errors.contains("nothing was imported"), "\(wrong.errors)")
    let swapped = Array(lines.text.replacing(#""user_id":"ada""#, with: #""user_id":"eve""#).utf8)
    let stolen = try other.run(
      ["import", "--from", "sealed", "--export-key", "file:\(other.folder)/export.key", "--dry-run"], input: swapped)
    #expect(stolen.code == 6 && stolen.errors.contains("line 1: legacy-unopened"))
    let done = try other.run(
      ["import", "--from", "sealed", "--export-key", "file:\(other.folder)/export.key"], input: lines.output)
    #expect(done.code == 0 && done.errors.contains("4 stored"), "\(done.errors)")
    // The time of a record goes along: what came from there is not newer than what is there.
    let again = try other.run(
      ["import", "--from", "sealed", "--export-key", "file:\(other.folder)/export.key", "--on-conflict", "newer"],
      input: lines.output)
    #expect(again.code == 0 && again.errors.contains("4 skipped"), "\(again.errors)")
    let (left, right) = (try store(bench), try store(other))
    for id in try [
      TokenID(user: "ada"), TokenID(user: "soon"), TokenID(user: "mara", provider: "reddit"),
      TokenID(user: "gone", provider: "reddit"),
    ] {
      let (a, b) = (try #require(try left.account(of: id)), try #require(try right.account(of: id)))
      #expect(
        a.providerAccount == b.providerAccount && a.linked == b.linked && a.revoked == b.revoked && a.expiry == b.expiry
      )
      #expect(a.bytes == b.bytes && a.scopes == b.scopes)
    }
    let taken = NewAccount(try ProviderAccount(id: "t2_a"), token: try OAuthToken(json: Array("{}".utf8).span))
    #expect(throws: VaultError.self) { try right.link(taken, for: TokenID(user: "x", provider: "reddit")) }
  }

  // Defends: the second implementation of the format opens sealed lines and items for DynamoDB, and finds the same entries in them.
  @Test(.enabled(if: Predecessor.hasSQLite, "Python's cryptography is not installed")) func referenceOpens() throws {
    let bench = try bench()
    let items = try bench.run("export", "--to", "dynamodb", "--export-key", "file:\(bench.folder)/export.key")
    #expect(items.code == 0 && items.lines.count == 3)
    #expect(items.lines[1].contains(#""ttl":{"N":""#) && !items.lines[0].contains(#""ttl""#))
    let script = """
      import base64, json, sys
      sys.path.insert(0, sys.argv[2])
      import tokenvault
      key = bytes.fromhex("5c" * 32)
      def token(value):
          # Attributes stand before the JSON, and any of their bytes may be a brace, or white space.
          for start in [start for start, byte in enumerate(value) if byte == ord("{")]:
              try:
                  json.loads(value[start:])
                  return value[start:].decode()
              except ValueError:
                  pass
      for line in sys.stdin:
          item = json.loads(line)
          if "sealed" in item:
              name = item["user_id"].encode() + (b"\\0" + item["provider"].encode() if "provider" in item else b"")
              value = tokenvault.open_text(key, name, item["sealed"].encode())
          else:
              name = item["user_id"]["S"].encode()
              data, iv = base64.b64decode(item["encrypted_data"]["B"]), base64.b64decode(item["iv"]["B"])
              int(item["created_at"]["N"]), int(item["updated_at"]["N"])
              aad = b"tokenvault/1 text\\0" + name
              value = tokenvault.xaes_open(key, data[:12] + iv, aad, data[28:], data[12:28])
          print(name.replace(b"\\0", b"/").decode(), token(value))
      """
    let lines = try bench.python(script, Self.reference, input: sealed(bench).output)
    let opened = [
      "ada {\"access_token\":\"secret-value\" , \"n\":1.50}", "soon {\"access_token\":\"s\"}",
      "mara/reddit {\"refresh_token\":\"rt\"}",
    ]
    #expect(lines.lines == opened + ["gone/reddit {}"])
    #expect(try bench.python(script, Self.reference, input: items.output).lines == opened)
  }

  // Defends: the file is its owner's alone, is there only when it is whole, and never takes the place of another unless that is asked.
  @Test func files() throws {
    let bench = try bench()
    let path = bench.folder + "/out"
    #expect(try sealed(bench, "--out", path).code == 0)
    var status = stat()
    #expect(unsafe lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let before = try Fingerprint(path)
    #expect(try sealed(bench, "--out", path).code == 5)
    #expect(try Fingerprint(path) == before)
    #expect(try sealed(bench, "--out", path, "--force").code == 0)
    #expect(try Fingerprint(path) != before)
    #expect(try sealed(bench, "--out", bench.folder + "/no/such/folder").code == 73)
    #expect(try bench.run("export", "--to", "jsonl", "--reveal", "--json").code == 64)
    let json = try sealed(bench, "--out", path, "--force", "--json")
    #expect(json.text == #"{"exported":4,"revoked":0,"left_out":[]}"# + "\n")
    let left = try FileManager.default.contentsOfDirectory(atPath: bench.folder).filter { $0.hasSuffix(".tmp") }
    #expect(left.isEmpty)
    var full = Call("export", "--to", "jsonl", "--reveal")
    full.output = .path("/dev/full")
    #expect(try bench.run(full).code == 74)
  }

  // Defends: an event is there of every export that began, with who, why and how many; without it nothing is given.
  @Test func audited() throws {
    let bench = try bench()
    #expect(try bench.run("export", "--to", "jsonl", "--reveal", "--actor", "ops", "--reason", "ticket 7").code == 0)
    let source = try KeySource(parsing: "file:" + bench.keyFile)
    let vault = try Vault.open(at: bench.vault, credential: source.credential(.key))
    var events: [AuditEvent] = []
    try vault.snapshot().forEachEvent { (entry) throws(VaultError) in
      if let event = try AuditEvent(entry) { events.append(event) }
      return true
    }
    let event = try #require(events.first)
    #expect(
      event.kind == .exported && event.id == nil && event.context.actor == "ops" && event.context.reason == "ticket 7")
    #expect(event.details.map { "\($0.0)=\($0.1.text)" } == [#"form="jsonl""#, "rows=3"])
    #expect(try bench.run("export", "--to", "sealed").code == 64)
    #expect(try bench.run("export", "--to", "csv").code == 64)
  }
}
