import Glibc
import Testing

/// A disk without room: the command says so, and what was acknowledged stays.
@Suite struct DiskFullTests {
  private static let token = #"{"access_token":"\#(String(repeating: "x", count: 3000))"}"#

  @Test(.enabled(if: MemoryDisk.isPermitted, "mounting a small file system needs root"))
  func aFullDiskKeepsWhatIsThere() throws {
    let bench = try Bench()
    let disk = try MemoryDisk(on: bench, size: "64k")
    let path = disk.folder + "/vault.tv"
    try #require(bench.run("init", "--vault", path).code == 0)
    var kept = 0
    var last = try bench.run("put", "n0", "--vault", path, input: Self.token)
    while last.code == 0, kept < 100 {
      kept += 1
      last = try bench.run("put", "n\(kept)", "--vault", path, input: Self.token)
    }
    #expect(last.code == 74 && last.errors.contains("No space left"), "\(kept) puts, then \(last.errors)")
    #expect(kept > 2 && kept < 100)
    #expect(try bench.run("list", "--json", "--vault", path).lines.count == kept)
    #expect(try bench.run("verify", "--vault", path).code == 0)
  }

  // Defends: of a batch that finds no room nothing is there, what was told of is, and once there is room the same lines go in.
  @Test(.enabled(if: MemoryDisk.isPermitted, "mounting a small file system needs root"))
  func aFullDiskInTheMiddleOfManyTokens() throws {
    let bench = try Bench()
    let disk = try MemoryDisk(on: bench, size: "7m")
    let path = disk.folder + "/vault.tv"
    try #require(bench.run("init", "--vault", path).code == 0)
    let lines = ManyLines(batches: 3)
    var call = Call("put", "--jsonl", "--vault", path)
    call.input = .bytes(lines.bytes)
    let full = try bench.run(call)
    #expect(full.code == 74 && full.errors.contains("No space left"), "\(full.errors)")
    #expect(full.errors.contains("; \(lines.perBatch) tokens before that stored"), "\(full.errors)")
    #expect(try bench.run("list", "--json", "--vault", path).lines.count == lines.perBatch)
    #expect(try bench.run("verify", "--vault", path).code == 0)
    try disk.resize(to: "64m")
    #expect(try bench.run(call).code == 0)
    #expect(try bench.run("list", "--json", "--vault", path).lines.count == lines.count)
    #expect(try bench.run("verify", "--vault", path).code == 0)
  }

  /// A limit of file sizes is an error of the write, and not the end of the process by a signal.
  @Test func aFileSizeLimitKeepsWhatIsThere() throws {
    let bench = try Bench()
    try bench.put("first", Self.token)
    let before = try Fingerprint(bench.vault)
    // In blocks of 512 bytes, or of 1024, as the shell may count: the vault has over 3000 bytes already.
    var shell = Call("-c", "ulimit -f 4; exec \"$0\" put second", Bench.program)
    shell.program = "/bin/sh"
    shell.input = .bytes(Array(Self.token.utf8))
    let outcome = try bench.run(shell)
    #expect(outcome.code == 74, "\(outcome.code) \(outcome.errors)")
    #expect(try Fingerprint(bench.vault) == before)
    #expect(try bench.run("get", "first").code == 0)
  }
}
