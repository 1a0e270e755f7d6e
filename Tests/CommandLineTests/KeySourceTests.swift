import Glibc
import Testing

/// Every place that a key or passphrase is read from, and what happens where it is not there.
@Suite struct KeySourceTests {
  private static let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
  private static let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
  private static let raw = [UInt8](0..<32)

  /// A vault that the key above opens.
  private static func bench() throws -> Bench {
    let bench = try Bench(withVault: false)
    try bench.write(Array(digits.utf8), to: "key")
    try #require(bench.run("init", "--key", "file:" + bench.folder + "/key").code == 0)
    return bench
  }

  private static let forms: [[UInt8]] = [
    Array(digits.utf8), Array((digits.uppercased() + "\n").utf8), Array((digits + "\r\n").utf8), Array(base64.utf8),
    Array((base64 + "\n").utf8), raw,
  ]

  @Test(arguments: forms)
  func everyFormOpensFromFileDescriptorInputCommandAndCredential(_ key: [UInt8]) throws {
    let bench = try Self.bench()
    try bench.write(key, to: "form")
    let path = bench.folder + "/form"
    #expect(try bench.run("list", "--key", "file:" + path).code == 0)
    #expect(try bench.run("list", "--key", "cmd:cat '\(path)'").code == 0)
    var call = Call("list", "--key", "stdin")
    call.input = .bytes(key)
    #expect(try bench.run(call).code == 0)
    call = Call("list", "--key", "fd:7")
    call.descriptors = [7: path]
    #expect(try bench.run(call).code == 0)
    call = Call("list", "--key", "cred:form")
    call.environment = ["CREDENTIALS_DIRECTORY": bench.folder]
    #expect(try bench.run(call).code == 0)
    guard key != Self.raw else { return }
    call = Call("list")
    call.environment = ["K": String(decoding: key, as: UTF8.self), "TOKENVAULT_KEY": "env:K"]
    #expect(try bench.run(call).code == 0)
  }

  /// One line end is dropped and nothing else; a key of another length is no wrong key but none.
  @Test(arguments: [
    "", "\n", digits + "\n\n", " " + digits, String(digits.dropLast()), digits + "0", "\(digits) ",
    String(base64.dropLast(2)),
    String(repeating: "é", count: 32),
  ])
  func whatIsNoKeyIsRefused(_ text: String) throws {
    let bench = try Self.bench()
    try bench.write(Array(text.utf8), to: "form")
    let outcome = try bench.run("list", "--json", "--key", "file:" + bench.folder + "/form")
    #expect(outcome.code == 77 && outcome.errors.contains(#""kind":"no-key""#), "\(outcome.errors)")
    #expect(!outcome.errors.contains("0001020304"))
  }

  /// 32 bytes are a key only as a file or a stream gives them: as the value of a variable they are a text that somebody
  /// thought of, and with a line end behind them they are 33 bytes.
  @Test func textOf32CharactersIsNoKey() throws {
    let bench = try Self.bench()
    let text = "correct horse battery staple 123"
    var call = Call("init", "--json", "--key", "env:K", "--vault", bench.folder + "/other.tv")
    call.environment = ["K": text]
    var outcome = try bench.run(call)
    #expect(outcome.code == 77 && outcome.errors.contains(#""kind":"no-key""#), "\(outcome.errors)")
    try bench.write(Self.raw + [0x0a], to: "form")
    outcome = try bench.run("list", "--json", "--key", "file:" + bench.folder + "/form")
    #expect(outcome.code == 77 && outcome.errors.contains(#""kind":"no-key""#), "\(outcome.errors)")
  }

  /// A source that was named and fails is an error, though another variable would open the vault.
  @Test(arguments: [
    ("env:MISSING", 77), ("env:EMPTY", 77), ("file:/nowhere/key", 77), ("file:/dev/null", 77), ("file:/", 77),
    ("fd:9", 77),
    ("cred:key", 77), ("cmd:false", 69), ("cmd:/nowhere/program", 69), ("cmd:true", 69), ("cmd:cat /dev/zero", 69),
  ])
  func aSourceThatFailsIsAnError(_ source: String, _ code: Int32) throws {
    let bench = try Self.bench()
    let before = try Fingerprint(bench.vault)
    var call = Call("list", "--key", source)
    call.environment = ["K": Self.digits, "TOKENVAULT_KEY": "env:K", "EMPTY": ""]
    let outcome = try bench.run(call)
    #expect(outcome.code == code && !outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(try Fingerprint(bench.vault) == before)
  }

  @Test(arguments: [
    digits, "env:", "file:", "fd:", "fd:x", "fd:-1", "cmd:", "cmd:  ", "cmd:a 'b", "cred:../key", "cred:",
    "hex:" + digits, "STDIN",
    "env:A=B", "key",
  ])
  func whatIsNoSourceIsRefusedWithTheList(_ text: String) throws {
    let bench = try Self.bench()
    let outcome = try bench.run("list", "--key", text)
    #expect(outcome.code == 64 && outcome.errors.contains("cred:NAME"))
    #expect(!outcome.errors.contains("00010203"))
  }

  @Test func aFIFOIsNotWaitedFor() throws {
    let bench = try Self.bench()
    try #require(unsafe mkfifo(bench.folder + "/fifo", 0o600) == 0)
    #expect(try bench.run("list", "--key", "file:" + bench.folder + "/fifo").code == 77)
  }

  @Test(arguments: [0o644, 0o640, 0o604, 0o660, 0o602])
  func aKeyFileThatOthersReachIsRefused(_ mode: Int) throws {
    let bench = try Self.bench()
    let path = bench.folder + "/key"
    try #require(unsafe chmod(path, mode_t(mode)) == 0)
    let outcome = try bench.run("list", "--key", "file:" + path)
    #expect(outcome.code == 78 && outcome.errors.contains("chmod 600 " + path))
    try #require(unsafe chmod(path, 0o400) == 0)
    #expect(try bench.run("list", "--key", "file:" + path).code == 0)
  }

  /// No shell: what it would obey is a word like others. Standard error is passed on, the arguments are not repeated.
  @Test func aCommandRunsWithoutAShell() throws {
    let bench = try Self.bench()
    let outcome = try bench.run("list", "--key", "cmd:echo $HOME; touch \(bench.folder)/touched")
    #expect(outcome.code == 77)
    #expect(unsafe access(bench.folder + "/touched", F_OK) != 0)
    let failed = try bench.run("list", "--key", "cmd:sh -c \"echo reason >&2; exit 3\"")
    #expect(failed.code == 69 && failed.errors == "reason\ntokenvault: the program of cmd:sh failed with exit code 3\n")
    #expect(try bench.run("list", "--key", "cmd:sh -c 'kill -9 $$'").code == 69)
    let endless = try bench.run("list", "--key", "cmd:cat /dev/zero")
    #expect(endless.errors == "tokenvault: the program of cmd:cat printed more than 65536 bytes\n")
  }

  @Test func standardInputIsNotBothKeyAndToken() throws {
    let bench = try Self.bench()
    let before = try Fingerprint(bench.vault)
    let outcome = try bench.run("put", "ada", "--key", "stdin", input: Self.digits)
    #expect(outcome.code == 64 && outcome.errors.contains("both the key and the token"))
    #expect(try Fingerprint(bench.vault) == before)
  }

  @Test func keyAndPassphraseExcludeEachOther() throws {
    let bench = try Self.bench()
    #expect(try bench.run("list", "--key", "env:A", "--passphrase", "env:B").code == 64)
    var call = Call("list")
    call.environment = ["TOKENVAULT_KEY": "env:A", "TOKENVAULT_PASSPHRASE": "env:B"]
    #expect(try bench.run(call).code == 64)
    call = Call("list", "--key", "file:" + bench.folder + "/key")
    call.environment = ["TOKENVAULT_PASSPHRASE": "env:B"]
    #expect(try bench.run(call).code == 0)
  }

  /// The key file beside the vault is not used unless it is named; the sources that would work are listed.
  @Test func nothingIsGuessed() throws {
    let bench = try Bench()
    var call = Call("list")
    call.givesKey = false
    let outcome = try bench.run(call)
    #expect(outcome.code == 77 && outcome.errors.contains("cmd:PROGRAM") && outcome.errors.contains("--passphrase"))
    #expect(!outcome.errors.contains("the terminal"))
  }

  /// A passphrase is bytes: only one line end is dropped, spaces and composition count.
  @Test func aPassphraseIsTakenAsItIs() throws {
    let bench = try Bench(withVault: false)
    try bench.write(Array(" pass phrase e\u{301} \r\n".utf8), to: "passphrase")
    try #require(bench.run("init", "--passphrase", "file:" + bench.folder + "/passphrase").code == 0)
    var call = Call("list", "--passphrase", "env:P")
    call.environment = ["P": " pass phrase e\u{301} "]
    #expect(try bench.run(call).code == 0)
    call.environment = ["P": "pass phrase e\u{301}"]
    #expect(try bench.run(call).code == 77)
  }

  /// The program of a key source sees neither a key that another source names, nor the variable that names the program itself:
  /// it would run itself without end, were it this command with another vault.
  @Test func aCommandSeesNoKey() throws {
    let bench = try Self.bench()
    var call = Call("key", "change", "--new-key", "cmd:sh -c 'env >&2; exit 1'", "--key", "env:K")
    call.environment = ["K": Self.digits, "TOKENVAULT_PASSPHRASE": "env:P", "KEPT": "yes"]
    let outcome = try bench.run(call)
    #expect(outcome.code == 69 && outcome.errors.contains("KEPT=yes"), "\(outcome.errors)")
    #expect(!outcome.errors.contains(Self.digits) && !outcome.errors.contains("TOKENVAULT_PASSPHRASE"))
    call = Call("list")
    call.environment = ["TOKENVAULT_KEY": "cmd:\(Bench.program) list"]
    let nested = try bench.run(call)
    #expect(nested.code == 69 && nested.errors.contains("none was given"), "\(nested.errors)")
  }
}
