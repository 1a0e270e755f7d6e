import Glibc
import JSONText
import Testing
import TokenVault

@testable import tokenvault

/// `put --jsonl` that does not come to its end.
@Suite struct ManyTokensFaultTests {
  // Defends: killed at any write or sync, it leaves whole batches and nothing else, and the same lines go in afterwards.
  @Test(
    .enabled(if: StoppedWriter.isPossible, "killing another process at a system call needs strace"),
    arguments: ["pwrite64", "fdatasync"])
  func killedAtACall(_ name: String) throws {
    let lines = ManyLines(batches: 3)
    var left: Set<Int> = []
    for number in 1...20 {
      let bench = try Bench()
      try bench.put("before")
      var call = Call(
        "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(name)", "-e",
        "inject=\(name):signal=SIGKILL:when=\(number)",
        Bench.program, "put", "--jsonl")
      call.program = "/usr/bin/strace"
      call.input = .bytes(lines.bytes)
      let outcome = try bench.run(call)
      let names = try Self.names(in: bench)
      #expect(names == ManyLines.names(names.count))
      #expect(names.count % lines.perBatch == 0 || names.count == lines.count)
      #expect(try bench.run("get", "before").code == 0)
      #expect(try bench.run("verify").code == 0)
      left.insert(names.count)
      guard outcome.code != 0 else { break }
      #expect(outcome.code == 128 + SIGKILL, "\(outcome.errors)")
      var again = Call("put", "--jsonl")
      again.input = .bytes(lines.bytes)
      #expect(try bench.run(again).code == 0)
      #expect(try Self.names(in: bench) == ManyLines.names(lines.count))
    }
    // The first sync is the first batch's own: what it was to bring to the disk can be read already.
    #expect(left.contains(0) || name == "fdatasync", "\(left): too few moments")
    #expect(left.contains(lines.perBatch) && left.contains(lines.count), "\(left): too few moments")
  }

  private static func names(in bench: Bench) throws -> Set<String> {
    var names: Set<String> = []
    for line in try bench.run("list", "--json").lines {
      let bytes = Array(line.utf8)
      guard case .object(let members) = try JSONValue(parsing: bytes.span),
        case .string(let name)? = members.first(where: { $0.0 == "user_id" })?.1
      else { continue }
      if name != "before" { #expect(names.insert(name).inserted) }
    }
    return names
  }

  // Defends: a vault that is taken away while it is written to is an error, and no other one is made in its place.
  @Test func aVaultThatIsTakenAway() throws {
    let bench = try Bench()
    let lines = ManyLines(batches: 3)
    let load = try Background(Call("put", "--jsonl"), on: bench)
    // More than a batch: what comes behind it is read when it is stored, and not before.
    let part = LineReader.limit + (1 << 20)
    load.send(Array(lines.bytes[..<part]))
    try waitUntil("the first batch is stored") { try bench.run("list", "--json").lines.count == lines.perBatch }
    try #require(unsafe rename(bench.vault, bench.vault + ".away") == 0)
    load.send(Array(lines.bytes[part...]))
    #expect(load.end() == 66 && load.errors.contains("is gone"), "\(load.errors)")
    #expect(load.errors.contains("\(lines.perBatch) tokens before that stored"))
    #expect(!FileFacts.exists(bench.vault))
    #expect(try bench.run("verify", "--vault", bench.vault + ".away").code == 0)
  }
}
