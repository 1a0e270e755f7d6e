import Testing

/// That what a real command has acknowledged is on the disk, and its name too, call by call.
@Suite(.enabled(if: StoppedWriter.isPossible, "watching system calls needs strace"))
struct SyncOrderTests {
  /// A system call of one of these names, on a file whose path has these parts.
  private struct Step {
    let names: [String]
    let parts: [String]

    init(_ names: String..., on parts: String...) { (self.names, self.parts) = (names, parts) }

    func isMade(by line: Substring) -> Bool {
      !line.contains(" = -1 ") && names.contains { line.contains(" \($0)(") } && parts.allSatisfy { line.contains($0) }
    }
  }

  private static let names = ["pwrite64", "fdatasync", "fsync", "rename", "renameat2", "link", "linkat"]

  /// Expects that `call` takes these steps in this order, whatever it does between them.
  private func expect(_ steps: [Step], of call: Call, on bench: Bench) throws {
    let lines = try TracedCall.lines(of: call, named: Self.names, on: bench)
    var rest = lines[...]
    for step in steps {
      let place = rest.firstIndex { step.isMade(by: $0) }
      #expect(place != nil, "no \(step) behind those before it: \(lines)")
      guard let place else { return }
      rest = rest[(place + 1)...]
    }
  }

  /// The sync of the bench's folder.
  private func folder(_ bench: Bench) -> Step { Step("fsync", on: bench.folder + ">") }

  // Defends: a batch is synced when it is written.
  @Test func aCommit() throws {
    let bench = try Bench()
    var call = Call("put", "ada")
    call.input = .bytes(Array(#"{"access_token":"t"}"#.utf8))
    let steps = [Step("pwrite64", on: "/vault.tv>"), Step("fdatasync", on: "/vault.tv>")]
    try expect(steps, of: call, on: bench)
  }

  // Defends: a new vault is on the disk before it has its name, and then the name is.
  @Test func aNewVault() throws {
    let bench = try Bench(withVault: false)
    let steps = [
      Step("pwrite64", on: "/vault.tv.tmp-"), Step("fdatasync", on: "/vault.tv.tmp-"),
      Step("renameat2", "link", on: "/vault.tv.tmp-", "/vault.tv\""), folder(bench),
    ]
    try expect(steps, of: Call("init", "--dev", "--quiet"), on: bench)
  }

  // Defends: the same of a new generation.
  @Test func aNewGeneration() throws {
    let bench = try Bench()
    try bench.put("ada")
    let steps = [
      Step("pwrite64", on: "/vault.tv.tmp-"), Step("fdatasync", on: "/vault.tv.tmp-"),
      Step("rename", on: "/vault.tv.tmp-", "/vault.tv\""), folder(bench),
    ]
    try expect(steps, of: Call("compact"), on: bench)
  }

  // Defends: the same of a file of secrets, be it new or in the place of another.
  @Test(arguments: [false, true])
  func anExport(isThere: Bool) throws {
    let bench = try Bench()
    try bench.put("ada")
    if isThere { try bench.write([1], to: "out") }
    let steps = [
      Step("fsync", on: bench.folder + "/"),
      isThere ? Step("rename", on: "/out\"") : Step("linkat", "link", on: "/out\""), folder(bench),
    ]
    let call = Call(line: "export --to jsonl --reveal --out @/out" + (isThere ? " --force" : ""), on: bench)
    try expect(steps, of: call, on: bench)
  }

  // Defends: the same of a pin.
  @Test func aPin() throws {
    let bench = try Bench()
    let steps = [
      Step("fsync", on: "/new.pin."), Step("rename", on: "/new.pin.", "/new.pin\""), folder(bench),
    ]
    try expect(steps, of: Call(line: "pin write @/new.pin", on: bench), on: bench)
  }
}
