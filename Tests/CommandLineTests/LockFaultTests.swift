import Glibc
import Testing
import TokenVault

/// What happens to the lock when those who hold it, or those who meddle with its file, do what they should not.
@Suite struct LockFaultTests {
  private static let token = #"{"access_token":"t"}"#

  // Defends: others wait for a writer that stands still no longer than they were told, and then say so; readers don't wait;
  // when it goes on, its write is as good as any.
  @Test(.enabled(if: StoppedWriter.isPossible, "stopping another process at a system call needs strace"))
  func aWriterThatStandsStill() throws {
    let bench = try Bench()
    try bench.put("ada")
    let writer = try StoppedWriter("bob", on: bench)
    let refused = try bench.run("put", "eve", "--lock-timeout", "50ms", "--json", input: Self.token)
    #expect(refused.code == 75 && refused.errors.contains(#""code":"locked","exit":75"#), "\(refused.errors)")
    #expect(try bench.run("delete", "ada", "--yes", "--lock-timeout", "0").code == 75)
    #expect(try bench.run("get", "ada").text == "secret-value\n")
    #expect(try bench.run("verify").code == 0)
    #expect(writer.proceed() == 0)
    #expect(try bench.run("get", "bob").text == "of-bob\n")
    #expect(try bench.run("put", "eve", "--lock-timeout", "0", input: Self.token).code == 0)
    #expect(try bench.run("list", "--json").lines.count == 3)
  }

  // Defends: a writer that is killed with the lock in its hands leaves neither a lock nor half a write.
  @Test(.enabled(if: StoppedWriter.isPossible, "stopping another process at a system call needs strace"))
  func aWriterKilledWithTheLock() throws {
    let bench = try Bench()
    try bench.put("ada")
    let writer = try StoppedWriter("bob", on: bench)
    #expect(writer.end() == 128 + SIGKILL)
    #expect(try bench.run("put", "eve", "--lock-timeout", "0", input: Self.token).code == 0)
    #expect(try bench.run("get", "ada").code == 0)
    #expect([0, 3].contains(try bench.run("get", "bob").code))
    #expect(try bench.run("verify").code == 0)
  }

  // Defends: somebody who deletes the lock file again and again, while many write, costs no write and damages nothing.
  @Test func aLockFileThatIsDeletedAllTheTime() throws {
    let bench = try Bench()
    var call = Call(
      "-c",
      """
      cd "$HOME" || exit 1
      ( while [ ! -e stop ]; do rm -f vault.tv.lock; done ) &
      seq 1 80 | xargs -P 8 -I{} sh -c \\
        'echo "{\\"access_token\\":\\"t-{}\\"}" | "$TOKENVAULT" put user-{} --lock-timeout 120s || echo "put {}: $?"'
      touch stop
      wait
      """)
    call.program = "/bin/sh"
    call.environment = ["TOKENVAULT": Bench.program]
    let outcome = try bench.run(call)
    #expect(outcome.text == "", "\(outcome.errors)")
    #expect(try bench.run("list", "--json").lines.count == 80)
    #expect(try bench.run("verify").code == 0)
  }

  // Defends: a program that keeps its vault open and a shell that starts a command for each write share it: each sees what the
  // other has written, and nothing is lost.
  @Test func aServerAndAShellLoop() throws {
    let bench = try Bench()
    let vault = try Vault.open(at: bench.vault, credential: KeySource.file(bench.keyFile).credential(.key))
    let server = TokenStore(vault)
    let bytes = Array(Self.token.utf8)
    let token = try OAuthToken(json: bytes.span)
    var call = Call(
      "-c",
      """
      while read -r name; do echo '{"access_token":"t"}' | "$TOKENVAULT" put "$name" --lock-timeout 120s; done
      """)
    call.program = "/bin/sh"
    call.environment = ["TOKENVAULT": Bench.program]
    let shell = try Background(call, on: bench)
    for number in 0..<30 {
      shell.send(Array("shell-\(number)\n".utf8))
      for part in 0..<5 { try server.put(token, for: TokenID(user: "server-\(number)-\(part)")) }
    }
    #expect(shell.end() == 0 && shell.errors == "", "\(shell.errors)")
    #expect(try server.list(prefix: Array("shell-".utf8)).count == 30)
    #expect(try server.list().count == 180)
    #expect(try bench.run("list", "--json").lines.count == 180)
    #expect(try bench.run("verify").code == 0)
  }
}
