import Foundation
import Glibc
import Testing

/// `inject`: templates become files with secrets, or nothing becomes of them.
@Suite struct InjectTests {
  private static func bench() throws -> Bench {
    let bench = try Bench()
    try bench.put("ada@example.com", #"{"access_token":"acc-1234567","refresh_token":"ref-7654321"}"#)
    return bench
  }

  @Test func referencesBecomeSecretsAndAllElseStays() throws {
    // Defends: every form of a place, and that other braces, odd bytes and a missing last line end come through as they are.
    let bench = try Self.bench()
    let outcome = try bench.run("put", "a/b {c}", "--provider", "p?q", input: #"{"access_token":"odd","x y":"spaced"}"#)
    try #require(outcome.code == 0)
    let text = """
      a={{tv://ada@example.com}} b={{ tv://ada%40example.com/refresh_token\t}}{{tv://ada@example.com/access_token}}
      {{ .Values.x }} {{ {{tv://a%2Fb%20%7Bc%7D?provider=p%3fq}}}} tv://ada@example.com {tv://x} {{{tv://a%2Fb%20%7bc%7d/x%20y?provider=p%3Fq}}}
      """
    try bench.write(Array(text.utf8) + [0, 0xff], to: "template")
    let expected = """
      a=acc-1234567 b=ref-7654321acc-1234567
      {{ .Values.x }} {{ odd}} tv://ada@example.com {tv://x} {spaced}
      """
    let filled = try bench.run("inject", "-i", bench.folder + "/template")
    #expect(filled.output == Array(expected.utf8) + [0, 0xff] && filled.code == 0, "\(filled.errors)\(filled.text)")
    #expect(try bench.run("inject", input: "x{{tv://ada@example.com}}").text == "xacc-1234567")
  }

  @Test(arguments: [
    ("{{tv://nobody}}", 3, "line 2: the vault has no token under that name"),
    ("{{tv://ada@example.com/nothing}}", 3, "line 2: the token has no such member"),
    ("{{tv://ada@example.com", 64, "line 2: a reference to a token is not closed"),
    ("{{tv://ada@example.com}", 64, "line 2: a reference to a token is not closed"),
    ("{{tv://ada@example.com\n}}", 64, "line 2: a reference to a token is not closed"),
    ("{{tv://}}", 64, "line 2: that is not a reference"), ("{{tv:///x}}", 64, "line 2: that is not a reference"),
    ("{{tv://a%4}}", 64, "line 2: that is not a reference"), ("{{tv://a/b/c}}", 64, "line 2: that is not a reference"),
    ("{{tv://a?user=b}}", 64, "line 2: that is not a reference"), ("{{tv://a%00b}}", 64, "line 2: a user id"),
  ])
  func aBadReferenceWritesNothing(_ place: String, _ code: Int32, _ sentence: String) throws {
    // Defends: neither standard output nor the file gets a part; the line is named, the user is not.
    let bench = try Self.bench()
    let template = "{{tv://ada@example.com}}\n" + place
    let outcome = try bench.run("inject", input: template)
    #expect(outcome.code == code && outcome.output.isEmpty && outcome.errors.contains(sentence), "\(outcome.errors)")
    #expect(!outcome.errors.contains("nobody") && !outcome.errors.contains("ada@"))
    let files = try FileManager.default.contentsOfDirectory(atPath: bench.folder).filter { !$0.hasPrefix(".") }
    #expect(try bench.run("inject", "-o", bench.folder + "/out", input: template).code == code)
    #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder).filter { !$0.hasPrefix(".") } == files)
  }

  @Test func aFileIsForItsOwnerAloneAndReplacesNone() throws {
    // Defends: 0600 whatever the umask says, no temporary left, nothing overwritten but with --force, which leaves a link's target
    // alone.
    let bench = try Self.bench()
    let path = bench.folder + "/out"
    for mask in ["000", "777"] {
      var call = Call(
        "-c", "umask \(mask); printf '{{tv://ada@example.com}}' | \(Bench.program) inject --force -o \(path)")
      call.program = "/bin/sh"
      #expect(try bench.run(call).code == 0)
      var status = stat()
      #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
    }
    let before = try Fingerprint(path)
    let refused = try bench.run("inject", "-o", path, input: "{{tv://ada@example.com/refresh_token}}")
    #expect(refused.code == 5 && refused.errors.contains("--force"))
    #expect(try Fingerprint(path) == before)
    try #require(unsafe symlink(path, bench.folder + "/link") == 0)
    #expect(try bench.run("inject", "-o", bench.folder + "/link", input: "x").code == 5)
    #expect(try bench.run("inject", "--force", "-o", bench.folder + "/link", input: "y").code == 0)
    #expect(try Fingerprint(path) == before)
    #expect(try bench.contents(of: bench.folder + "/link") == Array("y".utf8))
    let left = try FileManager.default.contentsOfDirectory(atPath: bench.folder).filter { $0.contains("tmp") }
    #expect(left.isEmpty)
    #expect(try bench.run("inject", "-o", "/nowhere/out", input: "x").code == 73)
    #expect(try bench.run("inject", "--force", "-o", bench.folder, input: "x").code == 73)
  }

  @Test func inputAndOutputFailHonestly() throws {
    // Defends: a full disk, a template that is not there or a folder, and a key that comes where the template should.
    let bench = try Self.bench()
    var call = Call("inject")
    call.input = .bytes(Array("{{tv://ada@example.com}}".utf8))
    call.output = .path("/dev/full")
    #expect(try bench.run(call).code == 74)
    #expect(try bench.run("inject", "-i", bench.folder + "/nothing").code == 74)
    #expect(try bench.run("inject", "-i", bench.folder).code == 74)
    #expect(try bench.run("inject", "-i", "/dev/zero").code == 64)
    #expect(try bench.run("inject", "--key", "stdin", input: "x").code == 64)
    #expect(try bench.run("inject", "--force", input: "x").code == 64)
    call = Call("inject")
    call.input = .closed
    #expect(try bench.run(call).code == 74)
  }

  @Test func aTextWithoutReferencesNeedsNoVault() throws {
    // Defends: it is copied as it is, and somebody who mistook the syntax is told.
    let bench = try Bench(withVault: false)
    let outcome = try bench.run("inject", input: "{tv://ada}")
    #expect(outcome.code == 0 && outcome.text == "{tv://ada}" && outcome.errors.contains("no reference"))
  }
}
