import Glibc
import Testing

/// Places that can be read and not written.
@Suite struct ReadOnlyTests {
  // Defends: on a read-only file system all reading works, without a lock file too; writing says why it can't, and changes
  // nothing.
  @Test(.enabled(if: MemoryDisk.isPermitted, "mounting a file system needs root"), arguments: [false, true])
  func aReadOnlyFileSystem(hasLockFile: Bool) throws {
    let bench = try Bench()
    let disk = try MemoryDisk(on: bench, size: "4m")
    let path = disk.folder + "/vault.tv"
    try #require(bench.run("init", "--vault", path).code == 0)
    try #require(bench.run("put", "ada", "--vault", path, input: #"{"access_token":"a"}"#).code == 0)
    if !hasLockFile { try #require(unsafe unlink(path + ".lock") == 0) }
    try disk.makeReadOnly(true)
    let before = try Fingerprint(path)
    for command in [
      ["get", "ada"], ["has", "ada"], ["show", "ada"], ["list"], ["history", "ada"], ["verify"], ["inspect"],
    ] {
      let outcome = try bench.run(Call(command + ["--vault", path]))
      #expect(outcome.code == 0, "\(command[0]): \(outcome.errors)")
    }
    for command in [["put", "bob"], ["put", "--jsonl"], ["delete", "ada", "--yes"]] {
      var call = Call(command + ["--vault", path, "--json"])
      call.input = .bytes(Array(#"{"user_id":"bob","access_token":"b"}"#.utf8))
      let outcome = try bench.run(call)
      #expect(outcome.code == 74 && outcome.errors.contains("Read-only file system"), "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains(#""kind":"read-only""#))
    }
    #expect(try bench.run("init", "--vault", disk.folder + "/other.tv").code == 74)
    #expect(try Fingerprint(path) == before)
    try disk.makeReadOnly(false)
    #expect(try bench.run("put", "bob", "--vault", path, input: #"{"access_token":"b"}"#).code == 0)
  }

  // Defends: a user who may read the vault and not write it reads it; one who may not even that is told so.
  @Test(.enabled(if: OtherUser.isPossible, "becoming another user needs root and setpriv"))
  func anotherUser() throws {
    let bench = try Bench()
    try bench.put("ada")
    // The vault and its key are the other user's, to be read; the folder is nobody's to write.
    for path in [bench.vault, bench.keyFile] {
      try #require(unsafe chown(path, OtherUser.id, OtherUser.id) == 0 && chmod(path, 0o400) == 0)
    }
    try #require(unsafe chmod(bench.folder, 0o755) == 0)
    let before = try Fingerprint(bench.vault)
    for command in [["get", "ada"], ["list"], ["verify"], ["history", "ada"]] {
      let outcome = try bench.run(OtherUser.call(command))
      #expect(outcome.code == 0, "\(command[0]): \(outcome.errors)")
    }
    var put = OtherUser.call(["put", "bob"])
    put.input = .bytes(Array(#"{"access_token":"b"}"#.utf8))
    let refused = try bench.run(put)
    #expect(refused.code == 74 && refused.errors.contains("may not be opened by this user"), "\(refused.errors)")
    try #require(unsafe chown(bench.vault, 0, 0) == 0)
    let closed = try bench.run(OtherUser.call(["get", "ada"]))
    #expect(closed.code == 74 && closed.errors.contains("may not be opened by this user"), "\(closed.errors)")
    #expect(try Fingerprint(bench.vault) == before)
  }
}

/// A user without rights.
private enum OtherUser {
  static let id: uid_t = 65534

  static let isPossible: Bool = {
    guard geteuid() == 0, let bench = try? Bench(withVault: false) else { return false }
    return (try? bench.run(call(["--version"])).code) == 0
  }()

  static func call(_ arguments: [String]) -> Call {
    var call = Call(["--reuid", "\(id)", "--regid", "\(id)", "--clear-groups", Bench.program] + arguments)
    call.program = "/usr/bin/setpriv"
    return call
  }
}
