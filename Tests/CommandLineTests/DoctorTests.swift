import Foundation
import Glibc
import Testing

/// `doctor`, by the real command: each thing that is not as it should be is named, with what to type, and nothing is changed.
@Suite struct DoctorTests {
  /// The line of `subject`, and the one that says what to do.
  private static func said(_ outcome: Outcome, of subject: String) -> String {
    let lines = outcome.lines
    guard let place = lines.firstIndex(where: { $0.contains("  \(subject)  ") }) else { return "" }
    return lines[place...].prefix(2).joined(separator: "\n")
  }

  /// Everything in a folder, with what it holds.
  private static func everything(in bench: Bench) throws -> [String: Fingerprint] {
    let names = try FileManager.default.contentsOfDirectory(atPath: bench.folder).filter { !$0.hasPrefix(".") }
    return Dictionary(uniqueKeysWithValues: try names.map { ($0, try Fingerprint(bench.folder + "/" + $0)) })
  }

  @Test func aSoundVaultHasNoProblems() throws {
    let bench = try Bench()
    try bench.put("ada")
    let before = try Self.everything(in: bench)
    let outcome = try bench.run("doctor")
    #expect(outcome.code == 0 && outcome.errors.isEmpty && !outcome.text.contains("problem"))
    #expect(Self.said(outcome, of: "opening").contains("holds 1 entry"))
    #expect(Self.said(outcome, of: "key source").hasPrefix("warning"), "the key lies beside the vault")
    let json = try bench.run("doctor", "--json").text
    #expect(json.contains(#""problems":0,"#) && json.contains(#"{"check":"lock","level":"ok","message":"free""#))
    #expect(try Self.everything(in: bench) == before)
  }

  /// The exit code is the one that other commands will end with.
  @Test func problemsHaveTheCodeOfTheCommandsTheyStop() throws {
    let bench = try Bench()
    try bench.put("ada")
    try #require(unsafe chmod(bench.vault, 0o644) == 0)
    let before = try Self.everything(in: bench)
    let open = try bench.run("doctor")
    #expect(open.code == 78 && Self.said(open, of: "vault").contains("chmod 600 "))
    #expect(try Self.everything(in: bench) == before)
    try #require(unsafe chmod(bench.vault, 0o600) == 0)
    let link = bench.folder + "/link.tv"
    try #require(unsafe symlink(bench.vault, link) == 0)
    let followed = try bench.run("doctor", "--vault", link)
    #expect(followed.code == 78 && Self.said(followed, of: "vault").contains("symbolic link"))
    let none = try bench.run("doctor", "--vault", bench.folder + "/no/vault.tv")
    #expect(none.code == 66 && Self.said(none, of: "directory").contains("mkdir -m 700 "))
    let foreign = try bench.run("keygen").text
    try bench.write(Array(foreign.utf8), to: "other.key")
    let wrong = try bench.run("doctor", "--key", "file:" + bench.folder + "/other.key", "--json")
    #expect(wrong.code == 77 && wrong.text.contains("wrong-key"))
    try #require(unsafe chmod(bench.keyFile, 0o640) == 0)
    let readable = try bench.run("doctor")
    #expect(readable.code == 78 && Self.said(readable, of: "opening").contains("chmod 600 "))
  }

  @Test func damageIsAProblem() throws {
    let bench = try Bench()
    try bench.put("ada")
    var bytes = try bench.contents(of: bench.vault)
    bytes[900] ^= 1
    try bench.write(bytes, to: "vault.tv")
    let outcome = try bench.run("doctor")
    #expect(outcome.code == 65 && Self.said(outcome, of: "opening").contains("tail-damaged at byte 784"))
  }

  /// Warnings end with 0.
  @Test func whatWantsLookingAfterIsAWarning() throws {
    let bench = try Bench()
    try bench.put("ada")
    for name in ["vault.tv.tmp-0123456789abcdef", "vault.tv.torn-9"] { try bench.write([], to: name) }
    try #require(unsafe chmod(bench.folder, 0o777) == 0)
    try #require(unsafe link(bench.vault, bench.folder + "/second") == 0)
    let lock = unsafe open(bench.vault + ".lock", O_RDWR | O_CLOEXEC)
    defer { close(lock) }
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
    let key = String(decoding: try bench.contents(of: bench.keyFile), as: UTF8.self)
    var call = Call("doctor", "--key", "env:THE_KEY")
    call.environment = ["THE_KEY": key.trimmingCharacters(in: .newlines)]
    let outcome = try bench.run(call)
    #expect(outcome.code == 0, "\(outcome.errors)")
    for (subject, text) in [
      ("vault", "2 names"), ("directory", "chmod go-w "), ("lock", "held"), ("temporaries", "0123456789abcdef"),
      ("torn copies", "rm "), ("key source", "file: or cred:"),
    ] {
      let said = Self.said(outcome, of: subject)
      #expect(said.hasPrefix("warning") && said.contains(text), "\(subject): \(said)")
    }
    #expect(!outcome.text.contains(key.prefix(40)))
  }

  @Test(.enabled(if: unsafe access("/dev/shm", W_OK) == 0, "there is no tmpfs at /dev/shm"))
  func memoryIsNoPlaceForAVault() throws {
    let bench = try Bench()
    let outcome = try bench.run("doctor", "--vault", "/dev/shm/there-is-none.tv")
    #expect(outcome.code == 66 && Self.said(outcome, of: "file system").contains("lies in memory"))
  }

  @Test func aVaultFromTheFutureIsAClockInThePast() throws {
    let bench = try Bench()
    let times = [timespec(tv_sec: time(nil) + 86_400, tv_nsec: 0), timespec(tv_sec: time(nil) + 86_400, tv_nsec: 0)]
    try #require(unsafe utimensat(AT_FDCWD, bench.vault, times, 0) == 0)
    let outcome = try bench.run("doctor")
    #expect(outcome.code == 0 && Self.said(outcome, of: "clock").hasPrefix("warning"))
  }
}
