import Glibc
import Testing
import VaultCrypto

@testable import TokenVault

/// Real programs, asked something and heard out.
@Suite struct ChildProgramTests {
  /// What a program printed, as text, and how it ended.
  private struct Heard: Equatable {
    var text: String
    var end = ChildProgram.End.exited(0)
    var isComplete = true
  }

  private static func shell(_ script: String) -> [String] { ["/bin/sh", "-c", script] }

  private static func run(_ program: ChildProgram, _ input: [UInt8] = []) throws -> Heard {
    let outcome = try program.run(input: input.span)
    let bytes = outcome.output.withSpan { (span) in span.indices.map { span[$0] } }
    return Heard(text: String(decoding: bytes, as: UTF8.self), end: outcome.end, isComplete: outcome.isComplete)
  }

  private static func run(_ script: String, _ input: String = "") throws -> Heard {
    try run(ChildProgram(shell(script), outputLimit: 1 << 16), Array(input.utf8))
  }

  @Test func asksAndHears() throws {
    // Defends: input arrives whole and ends; nothing is standard input by default; the end is told as it was.
    #expect(try Self.run("cat; echo done", "question\n") == Heard(text: "question\ndone\n"))
    #expect(try Self.run("cat; exit 3") == Heard(text: "", end: .exited(3)))
    #expect(try Self.run("echo x; kill -9 $$") == Heard(text: "x\n", end: .signal(9)))
    #expect(try Self.run(ChildProgram(["echo", "$HOME; *"], outputLimit: 100)) == Heard(text: "$HOME; *\n"))
  }

  @Test(arguments: [1, 65_536, 65_537, 3_000_000])
  func moreThanAPipeHoldsGoesBothWays(_ count: Int) throws {
    // Defends: writing waits for no reading, and the other way round.
    let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 % 94 + 32) }
    let heard = try Self.run(ChildProgram(["cat"], outputLimit: count), input)
    #expect(heard == Heard(text: String(decoding: input, as: UTF8.self)))
  }

  @Test(arguments: ["exit 0", "exec 0<&-; sleep 0.1", "head -c 1 >/dev/null"])
  func aChildThatDoesNotReadIsNoError(_ script: String) throws {
    // Defends: neither a hang nor SIGPIPE, which here ends the process, as in any that does not ignore it.
    let before = signal(SIGPIPE, SIG_DFL)
    defer { _ = signal(SIGPIPE, before) }
    #expect(try Self.run(script, String(repeating: "x", count: 1_000_000)) == Heard(text: ""))
  }

  @Test func tooMuchOutputEndsIt() throws {
    // Defends: an endless answer takes no more memory than allowed; one of exactly the limit is heard.
    for limit in [0, 1, 4095, 4096, 100_000] {
      #expect(throws: ProgramFailure.tooLong) {
        try Self.run(ChildProgram(["cat", "/dev/zero"], outputLimit: limit))
      }
      let exact = ChildProgram(Self.shell("head -c \(limit) /dev/zero | tr '\\0' x"), outputLimit: limit)
      #expect(try Self.run(exact).text.utf8.count == limit)
    }
  }

  @Test func whatCannotBeStartedIsToldApart() throws {
    // Defends: not found, not executable, no words, and words that would be cut, each with the errno that callers tell apart.
    for (words, number) in [
      (["/nowhere/program"], ENOENT), (["no-such-program-anywhere"], ENOENT), (["/etc/passwd"], EACCES),
      (["/"], EACCES), ([], ENOENT), ([""], ENOENT), (["echo", "a\0b"], EINVAL),
    ] {
      #expect(throws: ProgramFailure.cannotStart(number)) {
        try Self.run(ChildProgram(words, outputLimit: 10), [1, 2, 3])
      }
    }
  }

  @Test func theTimeLimitEndsAllThatWasStarted() throws {
    // Defends: the program and what it started get SIGTERM, all of them, and have the time to heed it.
    var (reading, writing) = (Int32(-1), Int32(-1))
    try Self.openPipe(&reading, &writing)
    defer { close(reading) }
    let heed = "trap 'echo told >&7; exit' TERM; sleep 1000 & wait"
    var program = ChildProgram(Self.shell("(\(heed)) & \(heed)"), outputLimit: 100)
    // Long enough for a shell to have set its trap on a busy machine.
    program.timeLimit = .seconds(3)
    program.descriptors = [7: writing]
    let start = ContinuousClock.now
    #expect(throws: ProgramFailure.timedOut) { try Self.run(program) }
    #expect((.now - start) >= .seconds(3))
    close(writing)
    var told = [UInt8](repeating: 0, count: 100)
    var count = 0
    while case let more = unsafe read(reading, &told[count], 100 - count), more > 0 { count += more }
    #expect(String(decoding: told[..<count], as: UTF8.self) == "told\ntold\n")
  }

  @Test func whatDoesNotHeedSIGTERMIsKilled() throws {
    // Defends: after the grace SIGKILL, for a grandchild that holds on to the output too, even when the program itself has gone.
    for script in [
      "trap '' TERM; sleep 1000 & wait; sleep 1000", "(trap '' TERM; sleep 1000 & sleep 1000) & sleep 1000",
    ] {
      var (reading, writing) = (Int32(-1), Int32(-1))
      try Self.openPipe(&reading, &writing)
      defer { close(reading) }
      var program = ChildProgram(Self.shell(script), outputLimit: 100)
      program.timeLimit = .seconds(3)
      program.descriptors = [7: writing]
      let start = ContinuousClock.now
      #expect(throws: ProgramFailure.timedOut) { try Self.run(program) }
      close(writing)
      #expect((.now - start) >= ChildDialogue.grace)
      // All of them had the pipe's end: it ends with the last.
      var waiting = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
      #expect(unsafe poll(&waiting, 1, 20_000) == 1)
    }
  }

  @Test func aProgramThatIsInTimeIsNotEnded() throws {
    // Defends: a limit changes nothing for who keeps it; the program leads a session of its own, and without a limit it does not.
    var program = ChildProgram(Self.shell("cat; cut -d ' ' -f 6 /proc/$$/stat; echo $$"), outputLimit: 100)
    let without = try Self.run(program).text.split(separator: "\n")
    #expect(without[0] != without[1])
    program.timeLimit = .seconds(100)
    let with = try Self.run(program, Array("x\n".utf8)).text.split(separator: "\n")
    #expect(with[0] == "x" && with[1] == with[2])
  }

  @Test func whatIsLeftRunningIsNotWaitedFor() throws {
    // Defends: a daemon that keeps the output does not hold up its caller, and what was printed is there; nor is it ended.
    let start = ContinuousClock.now
    let heard = try Self.run("sleep 1000 & echo $!; exit 0")
    #expect(!heard.isComplete && heard.end == .exited(0))
    #expect((.now - start) < .seconds(600) && (.now - start) >= ChildDialogue.patience)
    let left = try #require(Int32(heard.text.dropLast()))
    #expect(kill(left, 0) == 0)
    kill(left, SIGKILL)
    let both = try Self.run("(echo b) & echo a")
    #expect(both.isComplete && both.text.split(separator: "\n").sorted() == ["a", "b"])
  }

  @Test(arguments: [true, false]) func outputMayEndBeforeTheProgram(isWatched: Bool) throws {
    // Defends: a program that closes its output and goes on is waited for, and ended when its time is over; with a kernel that
    // tells of its end and with one that does not.
    var program = ChildProgram(Self.shell("echo x; exec >&-; sleep 0.3; exit 4"), outputLimit: 100)
    program.isWatched = isWatched
    #expect(try Self.run(program) == Heard(text: "x\n", end: .exited(4)))
    program = ChildProgram(Self.shell("exec >&-; sleep 1000"), outputLimit: 100)
    program.isWatched = isWatched
    program.timeLimit = .milliseconds(100)
    #expect(throws: ProgramFailure.timedOut) { try Self.run(program) }
  }

  @Test func descriptorsArePassedOnUnderTheirNumbers() throws {
    // Defends: numbers that are crossed over, or that this process uses itself, and that no other descriptor is inherited.
    var ends: [(Int32, Int32)] = []
    for text in ["first", "second"] {
      var (reading, writing) = (Int32(-1), Int32(-1))
      try Self.openPipe(&reading, &writing)
      try #require(unsafe write(writing, text, text.utf8.count) == text.utf8.count)
      close(writing)
      ends.append((reading, writing))
    }
    defer { for end in ends { close(end.0) } }
    let (first, second) = (ends[0].0, ends[1].0)
    let inherited = Set(try Self.run("ls /proc/self/fd").text.split(separator: "\n"))
    let script = "cat /proc/self/fd/\(first); echo; cat /proc/self/fd/\(second); echo; ls /proc/self/fd"
    var program = ChildProgram(Self.shell(script), outputLimit: 1000)
    program.descriptors = [first: second, second: first]
    let lines = try Self.run(program).text.split(separator: "\n")
    #expect(lines.prefix(2) == ["second", "first"])
    let own = Set(["\(first)", "\(second)"].map { Substring($0) })
    #expect(Set(lines.dropFirst(2)).subtracting(inherited).isSubset(of: own))
  }

  @Test func aLockIsHeldAsLongAsTheProgramLives() throws {
    // Defends: what a caller locked stays locked while a child works on, though the caller has let go.
    let temporary = try TemporaryVault()
    let path = temporary.vault.path + ".other"
    let lock = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(flock(lock, LOCK_EX | LOCK_NB) == 0)
    var program = ChildProgram(Self.shell("sleep 1000 & echo $!"), outputLimit: 100)
    program.descriptors = [9: lock]
    let left = try #require(Int32(Self.run(program).text.dropLast()))
    close(lock)
    let other = unsafe open(path, O_RDWR | O_CLOEXEC)
    defer { close(other) }
    #expect(flock(other, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    kill(left, SIGKILL)
    #expect(flock(other, LOCK_EX) == 0)
  }

  @Test func variablesOfKeysAreNotInherited() throws {
    // Defends: what a key source names is in no child, nor what the caller takes out; all else is.
    for name in ["TV_TEST_KEY", "TV_TEST_OTHER", "TV_TEST_KEPT"] { unsafe setenv(name, "value", 1) }
    defer { for name in ["TV_TEST_KEY", "TV_TEST_OTHER", "TV_TEST_KEPT"] { unsafe unsetenv(name) } }
    _ = try KeySource(parsing: "env:TV_TEST_KEY")
    var program = ChildProgram(["env"], outputLimit: 1 << 20)
    program.removedVariables = ["TV_TEST_OTHER"]
    let lines = try Self.run(program).text.split(separator: "\n").filter { $0.hasPrefix("TV_TEST_") }
    #expect(lines == ["TV_TEST_KEPT=value"])
  }

  @Test func signalsAreTheProgramsOwn() throws {
    // Defends: a program ends by a closed pipe though this process ignores it, and no signal is held back from it.
    let heard = try Self.run("grep -E 'Sig(Blk|Ign)' /proc/self/status")
    for line in heard.text.split(separator: "\n") {
      let mask = try #require(UInt64(line.drop { $0 != "\t" }.dropFirst(), radix: 16))
      #expect(mask & (1 << UInt64(SIGPIPE - 1) | 1 << UInt64(SIGTERM - 1)) == 0, "\(line)")
    }
  }

  @Test func nothingOfARunIsLeft() throws {
    // Defends: no descriptor and no dead child stays behind, whether it ended well or not.
    func descriptors() throws -> Int {
      let heard = try Self.run("ls /proc/\(getpid())/fd | wc -l")
      return try #require(Int(heard.text.filter(\.isNumber)))
    }
    let before = try descriptors()
    for _ in 0..<40 {
      _ = try Self.run("cat", "x")
      _ = try? Self.run(ChildProgram(["/nowhere"], outputLimit: 1), [1])
      _ = try? Self.run(ChildProgram(["cat", "/dev/zero"], outputLimit: 1), [1])
    }
    // Other tests run beside this one, and have some open.
    #expect(try descriptors() < before + 40)
  }

  private static func openPipe(_ reading: inout Int32, _ writing: inout Int32) throws {
    let pipe = try OwnedPipe.open()
    reading = fcntl(pipe.reading.number, F_DUPFD_CLOEXEC, 3)
    writing = fcntl(pipe.writing.number, F_DUPFD_CLOEXEC, 3)
  }
}
