import Testing
import VaultLaboratory

/// Maintenance commands beside each other, as processes.
@Suite struct TwoMaintainersTests {
  private func bench() throws -> Bench {
    let bench = try Bench()
    for name in ["ada", "bob"] { try bench.put(name) }
    return bench
  }

  private func expectAll(_ names: [String], in bench: Bench, generation: Int) throws {
    for name in names { #expect(try bench.run("get", name).text == "secret-value\n") }
    #expect(try bench.run("list", "--json").lines.count == names.count)
    let verified = try bench.run("verify")
    #expect(verified.code == 0, "\(verified.text)")
    #expect(try bench.run("inspect", "--json").text.contains(#""generation":\#(generation),"#))
    #expect(try bench.modes().keys.sorted() == ["vault.tv", "vault.tv.key", "vault.tv.lock"])
  }

  // Defends: while one copies, writers go on, and another that would make a generation is told so and changes nothing; then the
  // first one ends, with what was written meanwhile.
  @Test(.enabled(if: StoppedWriter.isPossible, "stopping another process at a system call needs strace"))
  func oneCopiesAndAnotherComes() throws {
    let bench = try bench()
    // The first sync is the founding batch's, the second that of the copied records, without the lock.
    let first = try StoppedWriter(Call("rotate"), at: "fdatasync", number: 2, on: bench)
    for command in [["rotate"], ["compact"], ["rekey", "--new-key", "file:" + bench.keyFile]] {
      let second = try bench.run(Call(command))
      #expect(second.code == 75 && second.errors.contains("another process is making"), "\(command) \(second.errors)")
    }
    try bench.put("cleo")
    #expect(first.proceed() == 0, "\(first.errors)")
    try expectAll(["ada", "bob", "cleo"], in: bench, generation: 2)
  }

  // Defends: in its last stretch, when one has the lock, another waits for as long as it may, and then says so.
  @Test(.enabled(if: StoppedWriter.isPossible, "stopping another process at a system call needs strace"))
  func oneChangesTheNameAndAnotherComes() throws {
    let bench = try bench()
    let first = try StoppedWriter(Call("rotate"), at: "fdatasync", number: 3, on: bench)
    #expect(try bench.run("rotate", "--lock-timeout", "50ms").code == 75)
    #expect(try bench.run("key", "add", "--new-key", "file:" + bench.keyFile, "--lock-timeout", "0").code == 75)
    #expect(try bench.run("get", "ada").code == 0)
    #expect(first.proceed() == 0, "\(first.errors)")
    try expectAll(["ada", "bob"], in: bench, generation: 2)
  }

  // Defends: one that has read the vault, and finds another in its place when it has the lock, changes nothing and says so.
  @Test(.enabled(if: StoppedWriter.isPossible, "stopping another process at a system call needs strace"))
  func theVaultWasReplacedMeanwhile() throws {
    let bench = try bench()
    let sites = try TracedCall.sites(of: Call("rotate"), on: bench)
    let open = try #require(sites.first { $0.name == "openat" && $0.line.contains(#".lock", O_RDWR"#) })
    let first = try StoppedWriter(Call("rotate"), at: open.name, number: open.number, on: bench)
    #expect(try bench.run("compact").code == 0)
    try bench.put("cleo")
    #expect(first.proceed() == 5 && first.errors.contains("try again"), "\(first.errors)")
    try expectAll(["ada", "bob", "cleo"], in: bench, generation: 3)
  }

  // Defends: a key that is added or removed while a generation is made is neither lost nor back again.
  @Test(.enabled(if: StoppedWriter.isPossible, "stopping another process at a system call needs strace"))
  func theKeysWereChangedMeanwhile() throws {
    let bench = try bench()
    let second = bench.folder + "/.second"
    try #require(bench.run("keygen", "--out", second).code == 0)
    for (command, code) in [(["key", "add", "--new-key", "file:" + second], 0), (["key", "remove", "2"], 77)] {
      let first = try StoppedWriter(Call("rotate"), at: "fdatasync", number: 2, on: bench)
      #expect(try bench.run(Call(command)).code == 0)
      #expect(first.proceed() == 5 && first.errors.contains("key slots were changed"), "\(first.errors)")
      #expect(try bench.run("get", "ada", "--key", "file:" + second).code == code)
    }
    try expectAll(["ada", "bob"], in: bench, generation: 1)
  }

  // Defends: of two that start together one at least is done, the other done, locked out or too late; nothing is lost.
  @Test func twoAtOnce() throws {
    let bench = try bench()
    var generation = 1
    for round in 0..<10 {
      let both = try [["rotate"], [round % 2 == 0 ? "rotate" : "compact"]].map { try Background(Call($0), on: bench) }
      let codes = both.map { $0.end() }
      #expect(codes.contains(0) && codes.allSatisfy { [0, 5, 75].contains($0) }, "\(codes)")
      generation += codes.count { $0 == 0 }
    }
    // What the processes wrote to their standard error lies in files whose names begin with a dot.
    try expectAll(["ada", "bob"], in: bench, generation: generation)
  }
}
