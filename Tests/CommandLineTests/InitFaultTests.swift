import Glibc
import Testing
import VaultLaboratory

/// Making a vault and its key, when something fails on the way.
@Suite struct InitFaultTests {
  // Defends: a vault that is in place has its key beside it, though its name could not be brought to the disk: without it, nobody
  // could open it.
  @Test(.enabled(if: StoppedWriter.isPossible, "failing a system call of another process needs strace"))
  func theKeyOfAVaultIsNeverTakenAway() throws {
    let bench = try Bench(withVault: false)
    let call = Call("init", "--dev")
    let sites = try TracedCall.sites(of: call, on: bench).filter { $0.name == "fsync" }
    try #require(sites.count > 1)
    var placed = 0
    for site in sites {
      for name in ["vault.tv", "vault.tv.key", "vault.tv.lock"] { _ = unsafe unlink(bench.folder + "/" + name) }
      let failed = try TracedCall.fail(call, at: site, with: "EIO", on: bench)
      guard failed.outcome.code != 0, unsafe access(bench.vault, F_OK) == 0 else { continue }
      placed += 1
      #expect(failed.outcome.code == 74 && failed.outcome.errors.contains("in place"), "\(failed.outcome.errors)")
      #expect(try bench.run("put", "ada", input: #"{"access_token":"a"}"#).code == 0, "\(site)")
      #expect(try bench.run("get", "ada").text == "a\n", "\(site)")
    }
    #expect(placed > 0)
  }

  // Defends: the same where only the report of it could not be printed.
  @Test func aVaultThatCouldNotBeReported() throws {
    let bench = try Bench(withVault: false)
    var call = Call("init", "--dev", "--json")
    call.output = .path("/dev/full")
    #expect(try bench.run(call).code == 74)
    #expect(try bench.run("put", "ada", input: #"{"access_token":"a"}"#).code == 0)
  }

  // Defends: an attempt that made the key and no vault is simply repeated, with that key; what is no key is not taken for one, and
  // left alone.
  @Test func aKeyThatIsLeftIsUsed() throws {
    let bench = try Bench(withVault: false)
    try #require(bench.run("keygen", "--out", bench.keyFile).code == 0)
    let before = try Fingerprint(bench.keyFile)
    #expect(try bench.run("init", "--dev").code == 0)
    #expect(try Fingerprint(bench.keyFile) == before)
    #expect(try bench.run("put", "ada", input: #"{"access_token":"a"}"#).code == 0)
    let other = bench.folder + "/other.tv"
    try bench.write(Array("notes".utf8), to: "other.tv.key")
    let kept = try Fingerprint(other + ".key")
    let refused = try bench.run("init", "--dev", "--vault", other)
    #expect(refused.code != 0 && refused.errors.hasPrefix("tokenvault: "), "\(refused.errors)")
    let isMade = unsafe access(other, F_OK) == 0
    #expect(try Fingerprint(other + ".key") == kept && !isMade)
  }
}
