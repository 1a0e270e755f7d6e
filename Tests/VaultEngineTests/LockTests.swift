import Glibc
import Synchronization
import Testing
import VaultLaboratory

@testable import VaultEngine

/// The lock beside a real vault. A lock taken on another descriptor excludes as another process's does.
@Suite struct LockTests {
  private func sample(
    waiting: Duration = .milliseconds(60)
  ) throws -> (directory: TemporaryDirectory, vault: Vault) {
    let directory = try TemporaryDirectory()
    var options = VaultOptions()
    options.lockTimeout = waiting
    let vault = try Vault.create(at: directory.path("vault"), credential: key(), options: options)
    return (directory, vault)
  }

  // Defends: a writer waits for the lock as long as it was told and no longer, then says so and has changed nothing; readers
  // don't wait; afterwards the same handle writes.
  @Test func aLockThatAnotherHolds() throws {
    let (directory, vault) = try sample()
    let before = try directory.read("vault")
    let holder = try directory.open("vault.lock")
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
    let start = ContinuousClock.now
    #expect(try code { try vault.commit([.put("alice", [1])]) } == .locked)
    #expect(ContinuousClock.now - start >= .milliseconds(60))
    #expect(try vault.contents().isEmpty)
    #expect(try directory.read("vault") == before)
    #expect(flock(holder, LOCK_UN) == 0)
    try vault.commit([.put("alice", [1])])
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0, "the lock is held for a commit and no longer")
    _ = close(holder)
  }

  // Defends: a lock on a file that was deleted excludes nobody, and is not taken for one: of two writers, one before and one
  // after the deletion, the second does not wait for the first, and takes the lock that the others see.
  @Test func aLockFileThatWasDeleted() throws {
    let (directory, vault) = try sample()
    let holder = try directory.open("vault.lock")
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
    try directory.remove("vault.lock")
    try vault.commit([.put("alice", [1])])
    #expect(try directory.names() == ["vault", "vault.lock"])
    _ = close(holder)
  }

  // Defends: a handle that keeps its lock file open sees that another one has taken its place, and waits for whoever has that.
  @Test func aLockFileThatWasReplaced() throws {
    let (directory, vault) = try sample()
    try vault.commit([.put("alice", [1])])
    try directory.remove("vault.lock")
    try directory.write([], to: "vault.lock")
    let holder = try directory.open("vault.lock")
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
    #expect(try code { try vault.commit([.put("bob", [2])]) } == .locked)
    _ = close(holder)
    try vault.commit([.put("bob", [2])])
    #expect(try vault.contents() == ["alice": [1], "bob": [2]])
  }

  // Defends: the vault file is locked with the lock file, for a handle's first commit and for those after it: who holds it alone,
  // because the lock file was deleted under him, keeps writers out as well.
  @Test(arguments: [false, true])
  func aVaultFileThatAnotherHolds(isFirst: Bool) throws {
    let (directory, first) = try sample()
    var options = VaultOptions()
    options.lockTimeout = .milliseconds(60)
    let vault = isFirst ? try Vault.open(at: directory.path("vault"), credential: key(), options: options) : first
    if !isFirst { try vault.commit([.put("alice", [1])]) }
    let before = try directory.read("vault")
    let holder = try directory.open("vault")
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
    #expect(try code { try vault.commit([.put("bob", [2])]) } == .locked)
    #expect(try directory.read("vault") == before)
    _ = close(holder)
    try vault.commit([.put("bob", [2])])
  }

  // Defends: the lock of a byte, as refreshing a token takes it, is none when another file has taken the path meanwhile.
  @Test func aByteOfAFileThatWasReplaced() throws {
    let directory = try TemporaryDirectory()
    try directory.write([], to: "lock")
    let path = directory.path("lock")
    let file = try OpenFile.adopt(SystemCall.open(path, O_RDWR), path)
    try directory.write([], to: "other")
    try directory.rename("other", to: "lock")
    #expect(try ByteLock.take(file, at: 3) == nil)
    let lock = try ByteLock.take(path, at: 3)
    #expect(lock != nil && ByteLock.isHeld(path, at: 3))
    #expect(try ByteLock.take(path, at: 3) == nil)
  }

  // Defends: the same when the file is deleted while a writer waits for it.
  @Test(.ownThreads) func aLockFileDeletedWhileWaiting() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    let vault = try Vault.create(at: path, credential: key())
    let holder = try directory.open("vault.lock")
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
    async let waiting: Void = Task.detached(executorPreference: ThreadsForTasks.shared) {
      _ = try vault.commit([.put("alice", [1])])
    }.value
    try directory.remove("vault.lock")
    try await waiting
    #expect(try vault.contents() == ["alice": [1]])
    _ = close(holder)
  }

  // Defends: a symbolic link in the lock's place is not followed.
  @Test func aSymbolicLinkInTheLocksPlace() throws {
    let (directory, vault) = try sample()
    try directory.remove("vault.lock")
    try directory.write([], to: "elsewhere")
    unsafe #expect(symlink("elsewhere", directory.path("vault.lock")) == 0)
    #expect(try code { try vault.commit([.put("alice", [1])]) } == .notAVaultFile)
    #expect(try vault.contents().isEmpty)
  }

  // Defends: handles that write side by side lose nothing, give no version twice, and see each other's commits.
  @Test(.ownThreads) func writersSideBySide() async throws {
    let (directory, _) = try sample()
    let path = directory.path("vault")
    let versions = try await withThrowingTaskGroup(of: [UInt64].self) { (group) in
      for number in 0..<4 {
        group.addTask {
          let vault = try Vault.open(at: path, credential: key())
          return try (0..<25).map { (round) in
            let name = Name(bytes: Array("\(number)-\(round)".utf8))
            let version = try vault.commit([.put(name, [UInt8(round)])])[0]
            #expect(try vault.value(of: name) == [UInt8(round)])
            return version
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(versions.sorted() == Array(1...100))
    let report = try Vault.verify(at: path, credential: key())
    #expect(report.findings.isEmpty && report.liveNames == 100 && report.records == 100)
  }

  // Defends: a reader beside a busy writer never sees damage, never goes back, and never sees half a batch.
  @Test func aReaderBesideAWriter() throws {
    // A verification takes the lock for a moment, which is long on a machine that is busy.
    let (directory, vault) = try sample(waiting: .seconds(100))
    let path = directory.path("vault")
    let end = End()
    // A task would wait for one of Swift's few threads, which all other tests want too.
    let writing = Work {
      defer { end.isReached.store(true, ordering: .releasing) }
      for round in 0..<150 {
        let value = [UInt8](repeating: UInt8(round), count: 1 + round * 37)
        try vault.commit([.put("first", value), .put("second", value)])
      }
    }
    let reader = try Vault.open(at: path, credential: key(), options: .reading)
    var last: UInt64 = 0
    while !end.isReached.load(ordering: .acquiring) {
      let snapshot = try reader.snapshot()
      #expect(snapshot.lastVersion >= last && snapshot.lastVersion % 2 == 0)
      last = snapshot.lastVersion
      let contents = try snapshot.contents()
      #expect(contents["first"] == contents["second"])
      if last % 20 == 0 { #expect(try Vault.verify(at: path, credential: nil).isDamaged == false) }
    }
    writing.wait()
    #expect(try reader.snapshot().lastVersion == 300)
  }

  /// Tells a reader that the writer is done, or has failed.
  private final class End: Sendable {
    let isReached = Atomic(false)
  }
}
