import Glibc
import Synchronization
import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Vaults in a real file system: what stands at the path, and who may see it.
@Suite struct RealFileTests {
  /// A directory with a vault in it that holds one name.
  private func sample() throws -> (directory: TemporaryDirectory, vault: Vault) {
    let directory = try TemporaryDirectory()
    let vault = try Vault.create(at: directory.path("vault"), credential: key())
    try vault.commit([.put("alice", [1])])
    return (directory, vault)
  }

  private func opening(_ path: String, _ options: VaultOptions = VaultOptions()) throws -> VaultError.Code? {
    try code { _ = try Vault.open(at: path, credential: key(), options: options) }
  }

  // Defends: a vault is its owner's alone, whatever the process's mask says.
  @Test(arguments: [mode_t(0), 0o022, 0o777])
  func permissionsWhateverTheMask(mask: mode_t) throws {
    let directory = try TemporaryDirectory()
    try TemporaryDirectory.mask.withLock { _ in
      let before = umask(mask)
      defer { umask(before) }
      _ = try Vault.create(at: directory.path("vault"), credential: key())
    }
    #expect(try directory.mode(of: "vault") == 0o600)
    #expect(try directory.mode(of: "vault.lock") & 0o077 == 0)
    #expect(try directory.names() == ["vault", "vault.lock"])
  }

  // Defends: what is not a private regular file is not opened, each with its own code, and no file appears beside it.
  @Test(arguments: [VaultOptions(), .reading].indices)
  func whatIsNotAVault(options: Int) throws {
    let options = [VaultOptions(), .reading][options]
    let (directory, _) = try sample()
    try directory.remove("vault.lock")
    unsafe #expect(symlink(directory.path("vault"), directory.path("link")) == 0)
    unsafe #expect(mkdir(directory.path("directory"), 0o700) == 0)
    unsafe #expect(mkfifo(directory.path("fifo"), 0o600) == 0)
    try directory.write([], to: "empty")
    try directory.write(Array("{\"not\": \"a vault\"}\n".utf8), to: "text")
    try directory.write(Array(repeating: 0, count: 4096), to: "zeros")
    let before = try directory.names()
    #expect(try opening(directory.path("link"), options) == .notAVaultFile)
    #expect(try opening(directory.path("directory"), options) == .notAVaultFile)
    #expect(try opening(directory.path("fifo"), options) == .notAVaultFile)
    #expect(try opening(directory.path("nothing"), options) == .noVault)
    #expect(try opening(directory.path("text/vault"), options) == .noVault)
    for name in ["empty", "text", "zeros"] { #expect(try opening(directory.path(name), options) == .headerDamaged) }
    for mode: mode_t in [0o640, 0o604, 0o620, 0o601] {
      try directory.setMode(mode, of: "vault")
      #expect(try opening(directory.path("vault"), options) == .unsafePermissions)
    }
    #expect(try directory.names() == before)
  }

  // Defends: nothing is made over what stands there, and a directory that is missing is said to be.
  @Test func whereNoVaultCanBeMade() throws {
    let (directory, _) = try sample()
    let bytes = try directory.read("vault")
    unsafe #expect(symlink("nowhere", directory.path("link")) == 0)
    for name in ["vault", "link"] {
      #expect(try code { _ = try Vault.create(at: directory.path(name), credential: key()) } == .conflict)
    }
    for name in ["missing/vault", "vault/vault"] {
      #expect(try code { _ = try Vault.create(at: directory.path(name), credential: key()) } == .cannotCreate)
    }
    #expect(try directory.read("vault") == bytes)
    #expect(try directory.names() == ["link", "vault", "vault.lock"])
  }

  // Defends: a handle for reading makes and changes nothing, in a whole vault, a torn one and a damaged one; nor do
  // verifying and describing.
  @Test(arguments: ["whole", "torn", "damaged"])
  func readingLeavesNoTrace(state: String) throws {
    let (directory, _) = try sample()
    try directory.remove("vault.lock")
    var bytes = try directory.read("vault")
    if state == "torn" { bytes.removeLast(20) }
    if state == "damaged" { bytes[bytes.count - 40] ^= 1 }
    try directory.overwrite("vault", with: bytes)
    let path = directory.path("vault")
    let opened = try code {
      let vault = try Vault.open(at: path, credential: key(), options: .reading)
      _ = try vault.contents()
      #expect(try code { try vault.commit([.put("bob", [1])]) } == .readOnly)
    }
    #expect(state == "damaged" ? opened?.isDamage == true : opened == nil)
    #expect(try Vault.verify(at: path, credential: key()).isDamaged == (state == "damaged"))
    _ = try Vault.inspect(at: path)
    #expect(try directory.names() == ["vault"])
    #expect(try directory.read("vault") == bytes)
  }

  // Defends: who may only read the file is told so, and can read it.
  @Test(.enabled(if: geteuid() != 0, "the superuser may write to every file"))
  func aFileThatMayOnlyBeRead() throws {
    let (directory, _) = try sample()
    try directory.setMode(0o400, of: "vault")
    #expect(try opening(directory.path("vault")) == .io)
    #expect(try opening(directory.path("vault"), .reading) == nil)
  }

  // Defends: a vault that was removed or replaced is noticed by an open handle; its snapshots stay readable.
  @Test func aVaultThatIsReplaced() throws {
    let (directory, vault) = try sample()
    let snapshot = try vault.snapshot()
    let other = try Vault.create(at: directory.path("other"), credential: key())
    try other.commit([.put("mallory", [9])])
    try directory.rename("vault", to: "away")
    #expect(try code { _ = try vault.contents() } == .noVault)
    #expect(try code { try vault.commit([.put("bob", [1])]) } == .noVault)
    try directory.rename("other", to: "vault")
    do {
      _ = try vault.contents()
      Issue.record("another vault is read")
    } catch let error as VaultError {
      #expect(error.code == .wrongKey && error.sentence.contains("another vault"))
    }
    #expect(try code { try vault.commit([.put("bob", [1])]) } == .wrongKey)
    #expect(try snapshot.contents() == ["alice": [1]])
    // A copy is another file, which the handle moves to.
    try directory.write(try directory.read("away"), to: "vault")
    #expect(try vault.contents() == ["alice": [1]])
    try vault.commit([.put("bob", [2])])
    #expect(try snapshot.contents() == ["alice": [1]])
    let again = try Vault.open(at: directory.path("vault"), credential: key())
    #expect(try again.contents() == ["alice": [1], "bob": [2]])
  }

  // Defends: a handle that has seen a commit does not follow an older copy of the vault that is put in its place.
  @Test func anOlderCopyInItsPlace() throws {
    let (directory, vault) = try sample()
    let older = try directory.read("vault")
    try vault.commit([.put("bob", [2])])
    try directory.rename("vault", to: "away")
    try directory.write(older, to: "vault")
    #expect(try code { _ = try vault.contents() } == .rollback)
    #expect(try code { try vault.commit([.put("carol", [3])]) } == .rollback)
    #expect(try directory.read("vault") == older)
    #expect(try Vault.open(at: directory.path("vault"), credential: key()).contents() == ["alice": [1]])
  }

  // Defends: nor an earlier generation, from before a compaction that it has followed.
  @Test func anEarlierGenerationInItsPlace() throws {
    let (directory, vault) = try sample()
    let older = try directory.read("vault")
    _ = try Vault.compact(at: directory.path("vault"), credential: key())
    #expect(try vault.snapshot().generation == 2)
    try directory.rename("vault", to: "away")
    try directory.write(older, to: "vault")
    #expect(try code { _ = try vault.contents() } == .rollback)
    #expect(try code { try vault.commit([.put("carol", [3])]) } == .rollback)
    #expect(try directory.read("vault") == older)
  }

  // Defends: a torn tail is kept beside the vault with its own bytes before it is cut off, and a copy is never replaced.
  @Test func tornTailsAreKept() throws {
    let (directory, _) = try sample()
    let whole = try directory.read("vault")
    for attempt in 1...3 {
      let vault = try Vault.open(at: directory.path("vault"), credential: key())
      try vault.commit([.put("bob", Array(repeating: UInt8(attempt), count: 600))])
      let torn = Array(try directory.read("vault").dropLast(100))
      try directory.overwrite("vault", with: torn)
      let writer = try Vault.open(at: directory.path("vault"), credential: key())
      #expect(try writer.contents() == ["alice": [1]])
      try writer.commit([.put("carol", [3])])
      #expect(try writer.contents() == ["alice": [1], "carol": [3]])
      // Five frames stand before it: slot, data key, genesis, and the record.
      let name = "vault.torn-5" + (attempt == 1 ? "" : "-\(attempt)")
      // Zeros at the end may be space allocated ahead, and are not kept.
      let kept = torn[whole.count...].reversed().drop { $0 == 0 }.reversed()
      #expect(try directory.read(name) == Array(kept))
      #expect(try directory.mode(of: name) == 0o600)
      try directory.overwrite("vault", with: whole)
    }
    #expect(try directory.names() == ["vault", "vault.lock", "vault.torn-5", "vault.torn-5-2", "vault.torn-5-3"])
  }

  // Defends: the same torn tail is kept once.
  @Test func theSameTornTailIsKeptOnce() throws {
    let (directory, _) = try sample()
    let torn = Array(try directory.read("vault").dropLast(30))
    for _ in 0..<3 {
      try directory.overwrite("vault", with: torn)
      try Vault.open(at: directory.path("vault"), credential: key()).commit([.put("bob", [1])])
    }
    #expect(try directory.names() == ["vault", "vault.lock", "vault.torn-4"])
  }

  // Defends: temporary files of a crash are swept by the next writer; one whose maker lives is not, nor is a vault whose
  // name is similar.
  @Test func temporaryFilesAreSwept() throws {
    let (directory, _) = try sample()
    let (dead, alive) = ("vault.tmp-00000000000000ab", "vault.tmp-00000000000000cd")
    let others = ["vault.tmp-1", "vault.tmp-00000000000000zz", "vault2.tmp-00000000000000ab"]
    for name in [dead, alive] + others { try directory.write([1], to: name) }
    let holder = try directory.open(alive)
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
    let vault = try Vault.open(at: directory.path("vault"), credential: key())
    #expect(try directory.names().contains(dead), "opening must not remove anything")
    try vault.commit([.put("bob", [1])])
    #expect(try directory.names() == (["vault", "vault.lock", alive] + others).sorted())
    _ = close(holder)
    try Vault.open(at: directory.path("vault"), credential: key()).commit([.put("bob", [2])])
    #expect(try directory.names() == (["vault", "vault.lock"] + others).sorted())
  }

  // Defends: whoever sweeps takes no file that another is just making, without a lock between them, as two backups to one place do.
  @Test func aFileInTheMakingIsNotSwept() throws {
    let directory = try TemporaryDirectory()
    let storage = FileStorage(path: directory.path("vault"))
    let isDone = Atomic(false)
    let sweeper = Threads.start {
      while !isDone.load(ordering: .relaxed) { _ = storage.sweep() }
    }
    defer {
      isDone.store(true, ordering: .relaxed)
      if let sweeper { Threads.join(sweeper) }
    }
    try #require(sweeper != nil)
    for _ in 0..<2000 {
      let temporary = try #require(try storage.createTemporary() as? OpenFile)
      #expect(try SystemCall.identity(at: temporary.path) == temporary.identity)
      storage.discard(temporary)
    }
  }

  // Defends: descriptors are given back, also where opening fails.
  @Test func descriptorsAreGivenBack() throws {
    let (directory, _) = try sample()
    try directory.write(Array(repeating: 7, count: 300), to: "damaged")
    func openAll() throws {
      for name in ["vault", "damaged", "nothing"] {
        _ = try code {
          let vault = try Vault.open(at: directory.path(name), credential: key())
          try vault.commit([.put("bob", [1])])
          _ = try vault.contents()
        }
        _ = try code {
          _ = try Vault.create(at: directory.path(name == "nothing" ? "no/vault" : name), credential: key())
        }
      }
    }
    func mine() -> Int {
      (3..<4096).count { (descriptor) in
        var status = stat()
        var directoryStatus = stat()
        guard unsafe fstat(Int32(descriptor), &status) == 0,
          unsafe lstat(directory.path("vault"), &directoryStatus) == 0
        else { return false }
        return status.st_ino == directoryStatus.st_ino && status.st_dev == directoryStatus.st_dev
      }
    }
    let before = mine()
    for _ in 0..<20 { try openAll() }
    #expect(mine() == before)
  }
}
