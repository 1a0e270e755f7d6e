import Glibc
import Testing

/// Bad input, each with its own code and sentence, and the vault file untouched: content, size and inode.
@Suite struct BadInputTests {
  /// A vault file that is not what it should be.
  struct BadFile: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let code: Int32
    let kind: String
    let sentence: String
    let make: @Sendable ([UInt8]) throws -> [UInt8]
  }

  static let files = [
    BadFile(testDescription: "empty", code: 65, kind: "header-damaged", sentence: "the file is empty") { _ in [] },
    BadFile(testDescription: "text", code: 65, kind: "header-damaged", sentence: "this is not a vault") { _ in
      Array("These are my passwords, in the clear.\n".utf8)
    },
    BadFile(testDescription: "cut header", code: 65, kind: "header-damaged", sentence: "ends inside its header") {
      (file) in
      Array(file[..<100])
    },
    BadFile(testDescription: "wrong checksum", code: 65, kind: "header-damaged", sentence: "checksum does not fit") {
      (file) in
      var file = file
      file[126] ^= 1
      return file
    },
    BadFile(testDescription: "version", code: 78, kind: "unsupported-version", sentence: "format version 2") { (file) in
      Forgery.header(file) { $0[9] = 2 }
    },
    BadFile(testDescription: "feature", code: 78, kind: "unsupported-feature", sentence: "does not know") { (file) in
      Forgery.header(file) { $0[15] = 1 }
    },
    BadFile(testDescription: "scrypt N = 2^63", code: 65, kind: "limit-exceeded", sentence: "63") { (file) in
      try Forgery.slot(file) { (clear) in
        clear.replaceSubrange(clear.startIndex..<clear.startIndex + 4, with: [2, 63, 8, 1])
      }
    },
  ]

  /// Reading and writing commands alike refuse the file with the same code, say why, and leave it as it is.
  @Test(arguments: files)
  func badFilesAreNamed(_ file: BadFile) throws {
    let bench = try Bench()
    try bench.put("ada")
    try bench.write(file.make(bench.contents(of: bench.vault)), to: "bad.tv")
    let path = bench.folder + "/bad.tv"
    let before = try Fingerprint(path)
    for arguments in [
      ["get", "ada"], ["put", "ada"], ["list"], ["has", "ada"], ["delete", "ada", "--yes"], ["history", "ada"],
    ] {
      var call = Call(arguments + ["--vault", path, "--json"])
      call.input = .bytes(Array(#"{"access_token":"x"}"#.utf8))
      let outcome = try bench.run(call)
      #expect(outcome.code == file.code, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(#""kind":"\#(file.kind)""#) && outcome.errors.contains(file.sentence))
      #expect(outcome.output.isEmpty)
    }
    let verified = try bench.run("verify", "--vault", path)
    #expect(verified.code == file.code && (verified.text + verified.errors).contains(file.sentence))
    #expect(try Fingerprint(path) == before)
  }

  /// Who mistypes a command is told so, and not what was typed, which may be a secret that lost its way.
  @Test(arguments: [["lst"], ["help", "lst"], ["lst", "--json"], [""]])
  func commandsThatAreNotThere(_ arguments: [String]) throws {
    let outcome = try Bench().run(Call(arguments))
    #expect(outcome.code == 64 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("there is no such command") && !outcome.errors.contains("lst"), "\(outcome.errors)")
  }

  /// Who gives the vault as an argument is told how it is given, and who gives something else too many is not.
  @Test func aVaultIsNoArgument() throws {
    let bench = try Bench()
    for arguments in [["verify"], ["list", "--json"]] {
      let outcome = try bench.run(Call(arguments + [bench.vault]))
      #expect(outcome.code == 64 && outcome.errors.contains("a vault's path goes with --vault"), "\(outcome.errors)")
    }
    let other = try bench.run(Call(["list", "ada", "--vault", bench.vault]))
    #expect(other.code == 64 && !other.errors.contains("a vault's path"), "\(other.errors)")
  }

  /// The times of slots are under no key: whatever stands there is shown, and no command traps on it.
  @Test(arguments: [UInt8(0x7f), 0x80])
  func slotsOfAllTimesAreShown(_ highest: UInt8) throws {
    let bench = try Bench()
    let forged = try Forgery.slot(bench.contents(of: bench.vault)) { (clear) in
      let time = [highest] + [UInt8](repeating: highest < 0x80 ? 0xff : 0, count: 7)
      clear.replaceSubrange(clear.startIndex + 8..<clear.startIndex + 16, with: time)
    }
    try bench.write(forged, to: "forged.tv")
    for format in [[], ["--json"]] {
      var call = Call(["inspect", "--vault", bench.folder + "/forged.tv"] + format)
      // A key would tell that the slot is forged.
      call.givesKey = false
      let outcome = try bench.run(call)
      #expect(outcome.code == 0 && outcome.text.contains(highest < 0x80 ? "294247-01-10" : "-290308-12-21"))
    }
  }

  /// Each cut is damage, or an interrupted append: then a prefix of the writes is there. Nothing is changed by looking.
  @Test func cutFilesAreDamagedOrTorn() throws {
    let bench = try Bench()
    for name in ["a", "b", "c"] { try bench.put(name) }
    let whole = try bench.contents(of: bench.vault)
    for length in stride(from: 0, to: whole.count, by: 37) {
      try bench.write(Array(whole[..<length]), to: "cut.tv")
      let path = bench.folder + "/cut.tv"
      let before = try Fingerprint(path)
      let listed = try bench.run("list", "--json", "--vault", path)
      let verified = try bench.run("verify", "--vault", path)
      #expect(listed.code == verified.code && (listed.code == 0 || listed.code == 65), "\(length): \(listed.errors)")
      if listed.code == 0 {
        let names = listed.lines.map { String($0.dropFirst(12).prefix(1)) }
        #expect(["a", "b", "c"].starts(with: names) && names.count < 3)
      }
      #expect(try Fingerprint(path) == before)
    }
  }

  @Test func flippedBitsAreFound() throws {
    let bench = try Bench()
    for name in ["a", "b"] { try bench.put(name) }
    let whole = try bench.contents(of: bench.vault)
    for index in stride(from: 0, to: whole.count, by: 29) {
      var flipped = whole
      flipped[index] ^= 1 << UInt8(index % 8)
      try bench.write(flipped, to: "flipped.tv")
      let path = bench.folder + "/flipped.tv"
      let before = try Fingerprint(path)
      let verified = try bench.run("verify", "--vault", path)
      #expect(verified.code == 65, "byte \(index): \(verified.text) \(verified.errors)")
      let got = try bench.run("get", "a", "--vault", path)
      #expect(got.code == 65 || got.text == "secret-value\n", "byte \(index): \(got.errors)")
      #expect(try Fingerprint(path) == before)
    }
  }

  @Test func noVaultSaysHowToMakeOne() throws {
    let bench = try Bench(withVault: false)
    for arguments in [["list"], ["verify"], ["inspect"], ["get", "ada"]] {
      let outcome = try bench.run(Call(arguments))
      #expect(outcome.code == 66 && outcome.errors.contains("tokenvault init"))
    }
  }

  /// Wrong keys are never called damage, and damage never a wrong key.
  @Test func wrongKeysAreCalledSo() throws {
    let bench = try Bench()
    try bench.put("ada")
    let before = try Fingerprint(bench.vault)
    var call = Call("get", "ada", "--key", "env:K", "--json")
    call.environment = ["K": String(repeating: "ab", count: 32)]
    let outcome = try bench.run(call)
    #expect(outcome.code == 77 && outcome.errors.hasPrefix(#"{"error":{"code":"wrong_key","exit":77,"#))
    #expect(outcome.errors.contains(#""kind":"wrong-key""#) && !outcome.errors.contains("abab"))
    call.arguments = Call("verify", "--key", "env:K").arguments
    #expect(try bench.run(call).code == 77)
    call.arguments = Call("get", "ada", "--passphrase", "env:K").arguments
    #expect(try bench.run(call).code == 77)
    #expect(try Fingerprint(bench.vault) == before)
  }

  @Test func aWrongPassphraseIsCalledSo() throws {
    let bench = try Bench(withVault: false)
    var call = Call("init", "--passphrase", "env:P")
    call.environment = ["P": "correct horse"]
    try #require(bench.run(call).code == 0)
    let before = try Fingerprint(bench.vault)
    call.arguments = Call("list", "--passphrase", "env:P").arguments
    #expect(try bench.run(call).code == 0)
    call.environment = ["P": "correct horses"]
    let outcome = try bench.run(call)
    #expect(outcome.code == 77 && !outcome.errors.contains("horse"))
    #expect(try Fingerprint(bench.vault) == before)
  }

  static let badTokens = [
    "", "  \n", "not json", "[1]", "\"text\"", "{\"access_token\":", "{\"access_token\":1}",
    "{\"expires_at\":\"soon\"}",
    "\u{feff}{}x", "{\"a\":\"\u{1}\"}", "{\"error\":\"invalid_grant\"}",
  ]

  @Test(arguments: badTokens)
  func badTokensAreRefused(_ token: String) throws {
    let bench = try Bench()
    let before = try Fingerprint(bench.vault)
    let outcome = try bench.run("put", "ada", "--json", input: token)
    #expect(outcome.code == 64 && outcome.errors.contains(#""kind":"invalid-token""#), "\(outcome.errors)")
    #expect(try Fingerprint(bench.vault) == before)
  }

  /// One byte over the limit is refused by reading no more than that.
  @Test func sizesHaveLimits() throws {
    let bench = try Bench()
    let before = try Fingerprint(bench.vault)
    let frame = #"{"access_token":""}"#
    let filled = { (count: Int) in #"{"access_token":"\#(String(repeating: "x", count: count - frame.utf8.count))"}"# }
    let long = try bench.run("put", "ada", "--json", input: filled((1 << 20) + 1))
    #expect(long.code == 64 && long.errors.contains(#""kind":"value-too-large""#), "\(long.errors)")
    for name in ["", String(repeating: "n", count: 1025), String(repeating: "ж", count: 513)] {
      let outcome = try bench.run("put", "--json", "--", name, input: "{}")
      #expect(outcome.code == 64 && outcome.errors.contains(#""kind":"invalid-name""#), "\(outcome.errors)")
    }
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("put", String(repeating: "n", count: 1024), input: "{}").code == 0)
    #expect(try bench.run("put", "ada", input: filled(1_000_000)).code == 0)
  }

  /// A link is not followed, a FIFO not waited for, and what lies behind either stays as it is.
  @Test(arguments: ["link", "folder", "FIFO"])
  func theVaultMustBeARegularFile(_ kind: String) throws {
    let bench = try Bench()
    try bench.put("ada")
    let before = try Fingerprint(bench.vault)
    let path = bench.folder + "/other.tv"
    switch kind {
    case "link": try #require(unsafe symlink(bench.vault, path) == 0)
    case "folder": try #require(unsafe mkdir(path, 0o700) == 0)
    default: try #require(unsafe mkfifo(path, 0o600) == 0)
    }
    for arguments in [["list"], ["put", "bob"], ["verify"], ["inspect"]] {
      var call = Call(arguments + ["--vault", path, "--json"])
      call.input = .bytes(Array("{}".utf8))
      let outcome = try bench.run(call)
      #expect(outcome.code == 78 && outcome.errors.contains(#""kind":"not-a-vault-file""#), "\(outcome.errors)")
    }
    #expect(try bench.run("init", "--dev", "--vault", path).code == 5)
    #expect(try Fingerprint(bench.vault) == before)
  }

  @Test func othersMustNotReadTheVault() throws {
    let bench = try Bench()
    try #require(unsafe chmod(bench.vault, 0o644) == 0)
    let outcome = try bench.run("list")
    #expect(outcome.code == 78 && outcome.errors.contains("chmod 600"), "\(outcome.errors)")
  }

  /// A name in bytes that are no text would silently become another name.
  @Test func argumentsMustBeText() throws {
    let bench = try Bench()
    let before = try Fingerprint(bench.vault)
    var call = Call("put")
    call.bytes = [[0x61, 0xff]]
    call.input = .bytes(Array("{}".utf8))
    let outcome = try bench.run(call)
    #expect(outcome.code == 64 && outcome.errors == "tokenvault: argument 2 is not UTF-8\n")
    #expect(try Fingerprint(bench.vault) == before)
  }
}
