import Testing
import VaultLaboratory

@testable import VaultEngine

/// A real ext4 that is full, turns read-only, or loses its power.
@Suite(.serialized, .enabled(if: LoopDisk.isPermitted, "a loop device with an ext4 needs root, mkfs.ext4 and losetup"))
struct LoopDiskTests {
  private static let large = [UInt8](repeating: 2, count: 100_000)

  // Defends: where room ends, whatever it ends in, nothing of that batch is there and the error says so; once there is room again,
  // the same handle writes it.
  @Test func aDiskThatIsFilledAgainAndAgain() throws {
    let disk = try LoopDisk()
    let path = "\(disk.root)/vault"
    let vault = try Vault.create(at: path, credential: key())
    var expected: Contents = [:]
    for round in 0..<4 {
      try disk.filler.fill(leaving: 300_000 + round * 37_000)
      var refused = 0
      for number in 0..<40 {
        let name = Name(bytes: Array("\(round).\(number)".utf8))
        let failed = try code { try vault.commit([.put(name, Self.large), .put("newest", [UInt8(number)])]) }
        #expect(failed == nil || failed == .diskFull)
        guard failed == nil else {
          refused += 1
          continue
        }
        expected[name] = Self.large
        expected["newest"] = [UInt8(number)]
      }
      #expect(refused > 30)
      #expect(try vault.contents() == expected)
      disk.filler.empty()
      try vault.commit([.put("newest", Self.large)])
      expected["newest"] = Self.large
    }
    #expect(try Vault.open(at: path, credential: key(), options: .reading).contents() == expected)
    #expect(try Vault.verify(at: path, credential: key()).findings.isEmpty)
    #expect(try disk.names() == ["vault", "vault.lock"])
  }

  // Defends: new generations that find no room leave the old one, and nothing that takes room away.
  @Test(arguments: Verb.allCases) func aGenerationWithoutRoom(_ verb: Verb) throws {
    let disk = try LoopDisk()
    let path = "\(disk.root)/vault"
    let vault = try Vault.create(at: path, credential: key())
    for number in 0..<12 { try vault.commit([.put(Name(bytes: [1, UInt8(number)]), Self.large)]) }
    let expected = try vault.contents()
    var failures = 0
    for room in stride(from: 0, to: 2_000_000, by: 400_000) {
      try disk.filler.fill(leaving: room)
      let failed = try code { try verb.run(on: .system(path: path)) }
      disk.filler.empty()
      #expect(failed == nil || failed == .diskFull, "\(room) bytes")
      if failed != nil { failures += 1 }
      #expect(try disk.names() == ["vault", "vault.lock"], "\(room) bytes")
      #expect(try Vault.open(at: path, credential: key(), options: .reading).contents() == expected, "\(room) bytes")
    }
    #expect(failures > 1)
  }

  // Defends: on a file system that turns read-only under an open handle, its commit fails, nothing more is acknowledged, readers
  // go on; all that was acknowledged is there when it can be written again.
  @Test func aFileSystemThatTurnsReadOnly() throws {
    let disk = try LoopDisk()
    let path = "\(disk.root)/vault"
    try turnReadOnly(disk, path)
    try disk.mountAgain()
    let next = try Vault.open(at: path, credential: key())
    #expect(try next.contents() == ["alice": [5]])
    try next.commit([.put("bob", [1])])
    #expect(try Vault.verify(at: path, credential: key()).findings.isEmpty)
  }

  /// Handles end with this function.
  private func turnReadOnly(_ disk: LoopDisk, _ path: String) throws {
    let vault = try Vault.create(at: path, credential: key())
    for number in 0..<6 { try vault.commit([.put("alice", [UInt8(number)])]) }
    let reader = try Vault.open(at: path, credential: key(), options: .reading)
    try disk.abort()
    let failed = try code { try vault.commit([.put("alice", [99])]) }
    #expect(failed == .readOnly || failed == .io)
    #expect([.readOnly, .handleFailed, .io].contains(try code { try vault.commit([.put("bob", [1])]) }))
    #expect(try reader.contents() == ["alice": [5]])
    #expect(try code { try Vault.open(at: path, credential: key()).commit([.put("bob", [1])]) } == .readOnly)
    #expect(try code { _ = try Vault.compact(at: path, credential: key()) } != nil)
  }

  // Defends: the same where nobody has a file open for writing: reading needs no lock file, writing says why it can't.
  @Test func aFileSystemThatIsMadeReadOnlyAndWritableAgain() throws {
    let disk = try LoopDisk()
    let path = "\(disk.root)/vault"
    do { try Vault.create(at: path, credential: key()).commit([.put("alice", [1])]) }
    let reader = try Vault.open(at: path, credential: key(), options: .reading)
    try disk.makeReadOnly(true)
    #expect(try reader.contents() == ["alice": [1]])
    #expect(try code { _ = try Vault.open(at: path, credential: key()) } == .readOnly)
    #expect(try code { _ = try Vault.create(at: path + "2", credential: key()) } == .readOnly)
    #expect(try Vault.verify(at: path, credential: key()).findings.isEmpty)
    try disk.makeReadOnly(false)
    try Vault.open(at: path, credential: key()).commit([.put("bob", [2])])
    #expect(try reader.contents() == ["alice": [1], "bob": [2]])
  }

  // Defends: on a real file system, whose power is cut at any moment while others write: all that was acknowledged is there, and
  // at most one commit more.
  @Test func realPowerCuts() throws {
    let disk = try LoopDisk()
    let path = "\(disk.root)/vault"
    _ = try Vault.create(at: path, credential: key())
    var random = SeededRandom(seed: 2026)
    var expected: Contents = [:]
    for round in 0..<12 {
      try work(round, disk, path, &expected, &random)
      try disk.mountAgain()
      #expect(try Vault.open(at: path, credential: key(), options: .reading).contents() == expected, "round \(round)")
      #expect(try Vault.verify(at: path, credential: key()).isDamaged == false, "round \(round)")
    }
  }

  /// Commits, and pulls the plug. Handles end with this function.
  private func work(
    _ round: Int, _ disk: LoopDisk, _ path: String, _ expected: inout Contents, _ random: inout SeededRandom
  ) throws {
    var vault = try Vault.open(at: path, credential: key())
    for number in 0..<Int(random.next() % 9) {
      let value = random.array(Int(random.next() % 9000))
      try vault.commit([.put("alice", value), .put("number", [UInt8(number)])])
      (expected["alice"], expected["number"]) = (value, [UInt8(number)])
      if number == 5 {
        try Verb.allCases[round % 3].run(on: .system(path: path))
        vault = try Vault.open(at: path, credential: key())
      }
    }
    try disk.shutDown()
    #expect(try code { try vault.commit([.put("alice", [1])]) } != nil, "round \(round)")
  }
}
