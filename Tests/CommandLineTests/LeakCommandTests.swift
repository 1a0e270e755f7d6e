import Foundation
import Glibc
import Testing

/// `leak-check` and `scan`, as real processes.
@Suite struct LeakCommandTests {
  private static let access = "ya29.access-token-of-ada"
  private static let refresh = "1//0refresh/token-of-bob"
  private static let superseded = "ya29.superseded-token-of-ada"

  private static func bench() throws -> Bench {
    let bench = try Bench()
    try bench.put("ada", #"{"access_token":"\#(superseded)"}"#)
    try bench.put("ada", #"{"access_token":"\#(access)"}"#)
    let call = try bench.run(
      "put", "bob", "--provider", "reddit", input: #"{"refresh_token":"\#(refresh)","access_token":"short"}"#)
    try #require(call.code == 0)
    return bench
  }

  @Test func showsWhereAndWhose() throws {
    // Defends: line, offset, owner and kind of each, superseded ones too; what to do next; and never the token.
    let bench = try Self.bench()
    let text = "a\ntoken=\(Self.access)&\n{\"refresh_token\":\"1\\/\\/0refresh\\/token-of-bob\"}\n\(Self.superseded)"
    let outcome = try bench.run("leak-check", input: text)
    #expect(outcome.code == 6)
    #expect(
      outcome.lines == [
        "WHERE            USER  PROVIDER  WHAT", "line 2, byte 8   ada   -         access token, current",
        "line 3, byte 52  bob   reddit    refresh token, current",
        "line 4, byte 82  ada   -         access token, superseded",
      ])
    #expect(outcome.errors.contains("found 3 tokens of 2 accounts, 2 of what the vault holds now"))
    #expect(outcome.errors.contains("revoke") && outcome.errors.contains("of less than 8 bytes are not looked for: 1"))
    for token in [Self.access, Self.refresh, Self.superseded] {
      #expect(!outcome.text.contains(token) && !outcome.errors.contains(token))
    }
  }

  @Test func writesJSON() throws {
    // Defends: one object a line, with what a program needs; the error is JSON too.
    let bench = try Self.bench()
    let outcome = try bench.run("leak-check", "--json", "--quiet", input: "x \(Self.access)\n")
    #expect(outcome.code == 6 && outcome.text.isEmpty && outcome.errors.isEmpty)
    let loud = try bench.run("leak-check", "--json", input: "x \(Self.access)\n" + Self.refresh)
    #expect(
      loud.lines == [
        #"{"line":1,"offset":2,"user_id":"ada","token":"access_token","current":true,"hash":false}"#,
        #"{"line":2,"offset":27,"user_id":"bob","provider":"reddit","token":"refresh_token","current":true,"hash":false}"#,
      ])
    #expect(loud.errors.contains(#""code":"finding""#))
  }

  @Test func nothingFound() throws {
    // Defends: 0 and silence, also for an empty input and a vault without a token.
    let bench = try Self.bench()
    for input in ["", "\n", "nothing of interest", Self.access + "x"] {
      let outcome = try bench.run("leak-check", "--no-input", input: input)
      #expect(outcome.code == 0 && outcome.output.isEmpty)
    }
    #expect(try Bench().run("leak-check", input: Self.access).code == 0)
  }

  @Test func tokensAndHashesOneALine() throws {
    // Defends: lists of tokens and of hashes, the two other kinds of input; hexadecimal digits of either case.
    let bench = try Self.bench()
    let hash = try Self.sha256(Self.access, bench)
    let lines = [hash, hash.uppercased(), Self.access, "x" + hash].joined(separator: "\r\n")
    let outcome = try bench.run("leak-check", input: lines)
    #expect(outcome.code == 6 && outcome.lines.count == 4)
    #expect(outcome.lines.count { $0.hasSuffix(", its hash") } == 2)
  }

  /// By another program than ours.
  private static func sha256(_ text: String, _ bench: Bench) throws -> String {
    try bench.write(Array(text.utf8), to: "plain")
    var call = Call(bench.folder + "/plain")
    call.program = "/usr/bin/sha256sum"
    return String(try bench.run(call).text.prefix(64))
  }

  @Test func readsAFile() throws {
    // Defends: a file is read as standard input is; one that can't be read is no text without tokens.
    let bench = try Self.bench()
    try bench.write(Array(Self.access.utf8), to: "text")
    #expect(try bench.run("leak-check", bench.folder + "/text").code == 6)
    #expect(try bench.run("leak-check", "-", input: Self.access).code == 6)
    let none = try bench.run("leak-check", bench.folder + "/none")
    #expect(none.code == 74 && none.errors.contains("can't be opened"))
    let folder = try bench.run("leak-check", bench.folder)
    #expect(folder.code == 74 && folder.errors.contains("can't be read"))
    var call = Call("leak-check")
    call.input = .closed
    #expect(try bench.run(call).code == 74)
    call = Call("leak-check", "--key", "stdin")
    call.givesKey = false
    #expect(try bench.run(call).code == 64)
    call = Call("leak-check")
    call.input = .bytes(Array(Self.access.utf8))
    call.output = .path("/dev/full")
    #expect(try bench.run(call).code == 74)
  }

  @Test func aPipeOfTwentyMegabytes() throws {
    // Defends: what comes in pieces through a pipe is read to its end, and a token across two pieces is found.
    let bench = try Self.bench()
    let running = try Background(Call("leak-check"), on: bench)
    var line = Array("2026-11-21T14:44:08Z INFO request took 12 ms, status 200, path /api/v1/me\n".utf8)
    line += Array("Authorization: Bearer ya29.somebody-elses-token!\n".utf8)
    let piece = Array(repeatElement(line, count: 4000).joined())
    let token = Array(" \(Self.access)\n".utf8)
    var sent = 0
    while sent < 20_000_000 {
      running.send(piece)
      running.send(Array(token.prefix(9)))
      running.send(Array(token.dropFirst(9)))
      sent += piece.count + token.count
    }
    let count = sent / (piece.count + token.count)
    #expect(running.end() == 6)
    #expect(running.errors.contains("found \(count) tokens of 1 account"))
  }

  private static let folders = ["repo/.git", "repo/src/deep/er", "repo/empty"]

  /// A folder as a repository is, with two tokens in it, and with what must not be followed or read.
  private static func tree(_ bench: Bench) throws -> String {
    let root = bench.folder + "/repo"
    for folder in folders {
      try FileManager.default.createDirectory(atPath: bench.folder + "/" + folder, withIntermediateDirectories: true)
    }
    try bench.write(Array("[remote]\n\turl = https://x:\(access)@example.com\n".utf8), to: "repo/.git/config")
    try bench.write([0, 1, 2, 0xff] + Array(refresh.utf8) + [0], to: "repo/src/deep/er/binary")
    try bench.write([], to: "repo/src/nothing")
    try bench.write(Array("let x = 1\n".utf8), to: "repo/src/main.swift")
    try bench.write(Array(superseded.utf8), to: "outside")
    try #require(unsafe mkfifo(root + "/pipe", 0o600) == 0)
    try #require(unsafe symlink(root, root + "/src/loop") == 0)
    try #require(unsafe symlink(bench.folder + "/outside", root + "/link") == 0)
    try #require(unsafe link(bench.vault, root + "/vault-under-another-name") == 0)
    return root
  }

  @Test func scansAFolder() throws {
    // Defends: every file is read, hidden and binary ones too; a pipe, a loop of links and the vault itself are not.
    let bench = try Self.bench()
    let root = try Self.tree(bench)
    let outcome = try bench.run("scan", "--json", root)
    #expect(outcome.code == 6)
    #expect(
      outcome.lines == [
        #"{"path":"\#(root)/.git/config","line":2,"offset":26,"user_id":"ada","token":"access_token","current":true,"hash":false}"#,
        #"{"path":"\#(root)/src/deep/er/binary","line":1,"offset":4,"user_id":"bob","provider":"reddit","#
          + #""token":"refresh_token","current":true,"hash":false}"#,
      ])
    let table = try bench.run("scan", root + "/src", root + "/.git/config")
    #expect(table.lines.count == 3 && table.lines[1].hasPrefix(root + "/src/deep/er/binary:1, byte 4  "))
    #expect(table.errors.contains("found 2 tokens of 2 accounts"))
    let quiet = try bench.run("scan", "--quiet", root)
    #expect(quiet.code == 6 && quiet.output.isEmpty && quiet.errors.isEmpty)
  }

  @Test func tellsWhatIsNotRead() throws {
    // Defends: a file that can't be read is named, the others are read, and "nothing found" is never said of it.
    let bench = try Self.bench()
    let root = try Self.tree(bench)
    // Opens for everybody, and fails when it is read.
    let unreadable = "/proc/self/mem"
    let empty = try bench.run("scan", root + "/empty", unreadable)
    #expect(empty.code == 74 && empty.errors.contains(unreadable + " was not read: "))
    let both = try bench.run("scan", unreadable, root)
    #expect(both.code == 6 && both.lines.count == 3 && both.errors.contains(unreadable + " was not read: "))
    for path in [root + "/link", root + "/pipe", root + "/none", bench.vault, "/proc"] {
      let outcome = try bench.run("scan", path)
      #expect(outcome.code == 74 && outcome.errors.contains(path + " was not read: "), "\(path)")
    }
    guard geteuid() != 0 else { return }
    try #require(unsafe chmod(root + "/src/main.swift", 0) == 0)
    try #require(unsafe chmod(root + "/empty", 0) == 0)
    let outcome = try bench.run("scan", root)
    #expect(outcome.code == 6 && outcome.lines.count == 3)
    #expect(outcome.errors.contains("main.swift was not read") && outcome.errors.contains("empty was not read"))
    try #require(unsafe chmod(root + "/empty", 0o700) == 0)
  }

  @Test func leavesOutLargeFiles() throws {
    // Defends: --max-size counts what it leaves out; a file of that size is read.
    let bench = try Self.bench()
    try bench.write(Array(repeating: 0x20, count: 1000) + Array(Self.access.utf8), to: "large")
    let path = bench.folder + "/large"
    #expect(try bench.run("scan", "--max-size", "1024", path).code == 6)
    try FileManager.default.createDirectory(atPath: bench.folder + "/in", withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: path, toPath: bench.folder + "/in/large")
    let outcome = try bench.run("scan", "--max-size", "1023", bench.folder + "/in")
    #expect(outcome.code == 0 && outcome.errors.contains("larger than --max-size and left out: 1"))
    for size in ["", "1X", "-1", "M", "99999999999G"] {
      #expect(try bench.run("scan", "--max-size", size, path).code == 64)
    }
  }

  @Test func namesThatAreNoText() throws {
    // Defends: a path of any bytes is read and shown, and obeyed by no terminal.
    let bench = try Self.bench()
    let root = bench.folder + "/names"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    let path = root.utf8.map { CChar(bitPattern: $0) } + [0x2F, CChar(bitPattern: 0xff), 0x1b, 0]
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
    try #require(descriptor >= 0)
    try #require(unsafe write(descriptor, Self.access, Self.access.utf8.count) == Self.access.utf8.count)
    close(descriptor)
    #expect(try bench.run("scan", root).lines.last?.hasPrefix(root + #"/\xff\x1b:1, byte 0"#) == true)
    #expect(try bench.run("scan", "--json", root).text.contains(#"ff1b","line":1"#))
  }
}
