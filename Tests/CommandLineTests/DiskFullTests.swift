import Glibc
import Testing

/// A disk without room: the command says so, and what was acknowledged stays.
@Suite struct DiskFullTests {
  private static let token = #"{"access_token":"\#(String(repeating: "x", count: 3000))"}"#

  /// Whether this process may mount a small file system in memory; only root may, and not in every container.
  private static let canMount: Bool = {
    guard geteuid() == 0, let bench = try? Bench(withVault: false) else { return false }
    return mount(on: bench.folder) && unmount(bench.folder)
  }()

  private static func mount(on folder: String) -> Bool {
    unsafe Glibc.mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0
  }

  private static func unmount(_ folder: String) -> Bool { unsafe umount2(folder, 0) == 0 }

  @Test(.enabled(if: canMount, "mounting a small file system needs root"))
  func aFullDiskKeepsWhatIsThere() throws {
    let bench = try Bench()
    let folder = bench.folder + "/small"
    try #require(unsafe mkdir(folder, 0o700) == 0 && Self.mount(on: folder))
    defer { _ = Self.unmount(folder) }
    let path = folder + "/vault.tv"
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
