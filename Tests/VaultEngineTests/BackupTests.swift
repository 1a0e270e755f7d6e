import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Copies of a vault that others may be writing to.
@Suite struct BackupTests {
  private static let copy = "copy"

  @discardableResult
  private func backup(
    _ disk: SimulatedDisk, withKey: Bool = true, replacing: Bool = false
  ) throws -> VerifyReport {
    try Vault.backup(
      SimulatedStorage(disk: disk), credential: withKey ? key() : nil,
      to: SimulatedStorage(disk: disk, path: Self.copy), replacing: replacing)
  }

  private func contents(of name: String, in image: DiskImage) throws -> Contents {
    let environment = Environment(
      storage: SimulatedStorage(disk: SimulatedDisk(image), path: name), now: { 0 },
      makeRandom: { () throws(CryptoError) in AnyRandomSource(SeededRandom(seed: 1)) })
    return try Vault.open(environment, credential: key(), options: .reading).contents()
  }

  // Defends: the copy opens and holds what the vault held, with a key and without; of vaults that are empty, of one record, all
  // deleted, and with more records than one index root covers.
  @Test(arguments: [0, 1, 2, 3], [false, true]) func everyState(state: Int, withKey: Bool) throws {
    let many: [[Write]] = (0..<3).map { (batch: UInt8) in
      (0..<700).map { (number: Int) -> Write in
        .put(Name(bytes: [UInt8(number / 256), UInt8(number % 256)]), [batch])
      }
    }
    let states: [[[Write]]] = [[], [[.put("alice", [1])]], [[.put("alice", [1])], [.delete("alice")]], many]
    let trace = try Trace(states[state], seed: 2)
    let vault = try #require(trace.disk.cache["vault"])
    let report = try backup(trace.disk, withKey: withKey)
    #expect(trace.disk.cache["vault"] == vault && trace.disk.cache["copy"] == vault)
    #expect(report.usedKey == withKey && report.bytes == UInt64(vault.count) && report.findings.isEmpty)
    #expect(try contents(of: "copy", in: trace.disk.cache) == trace.acknowledged[states[state].count].contents)
    #expect(trace.disk.cache.names.keys.sorted() == ["copy", "vault"])
  }

  // Defends: what is behind the last whole batch, torn or allocated ahead, is not copied.
  @Test func tailsStayBehind() throws {
    let trace = try Trace(Trace.ordinary, seed: 2)
    let whole = try #require(trace.disk.cache["vault"])
    try Vault.open(.simulated(trace.disk, seed: 3), credential: key()).commit([
      .put("torn", Array(repeating: 1, count: 900))
    ])
    for cut in [700, 5000] {
      var image = trace.disk.cache
      for file in image.files.keys {
        image.files[file]?.removeLast(min(cut, 700))
        if cut > 700 { image.files[file] = whole + [UInt8](repeating: 0, count: 4096) }
      }
      let disk = SimulatedDisk(image)
      try backup(disk)
      #expect(disk.cache["copy"] == whole)
    }
  }

  // Defends: nothing is overwritten unless told, the vault itself never, and a damaged vault or a wrong key leaves no copy.
  @Test func refusals() throws {
    let trace = try Trace(Trace.ordinary, seed: 2)
    let disk = trace.disk
    try backup(disk)
    let before = disk.cache
    #expect(try code { try backup(disk) } == .conflict)
    let itself = SimulatedStorage(disk: disk)
    #expect(
      try code { _ = try Vault.backup(itself, credential: nil, to: itself, replacing: true) } == .conflict)
    #expect(disk.cache == before)
    try Vault.open(.simulated(disk, seed: 3), credential: key()).commit([.put("more", [1])])
    try backup(disk, replacing: true)
    #expect(try contents(of: "copy", in: disk.cache)["more"] == [1])
    #expect(
      try code {
        _ = try Vault.backup(
          itself, credential: key(8), to: SimulatedStorage(disk: disk, path: "other"), replacing: false)
      } == .wrongKey)
    var image = disk.cache
    for file in image.files.keys { image.files[file]?[700] ^= 1 }
    let damaged = SimulatedDisk(image)
    #expect(try code { try backup(damaged, replacing: true) }?.isDamage == true)
    #expect(damaged.cache == image)
    #expect(disk.cache["other"] == nil && !disk.cache.names.keys.contains { $0.contains("tmp") })
  }

  // Defends: records that only a key shows to be damaged leave no copy either, where there is a key.
  @Test func damageThatOnlyAKeyShows() throws {
    let trace = try Trace(Trace.ordinary, seed: 2)
    let vault = try #require(trace.disk.cache["vault"])
    var window = try FileWindow(SimulatedStorage(disk: trace.disk).open(writable: false))
    let generation = try window.generation()
    var last: FrameHeader?
    _ = try Walk(&window, from: Chain(startOf: generation), in: generation) { if $0.type == .record { last = $0 } }
    let frame = try #require(last)
    let forged = try ForgedVault.changing(vault) { $0[Int(frame.offset) + FrameHeader.length + 30] ^= 1 }
    var image = trace.disk.cache
    for file in image.files.keys { image.files[file] = forged }
    let disk = SimulatedDisk(image)
    #expect(try code { try backup(disk) }?.isDamage == true)
    #expect(disk.cache["vault"] == forged && Array(disk.cache.names.keys) == ["vault"])
  }

  // Defends: on real files, by their paths: a vault is copied, lost, brought back, damaged, and taken apart.
  @Test func byPaths() throws {
    let directory = try TemporaryDirectory()
    let (path, copy) = (directory.path("vault"), directory.path("copy"))
    let vault = try Vault.create(at: path, credential: key())
    for number in 0..<3 { try vault.commit([.put(Name(bytes: [UInt8(number)]), [UInt8(number)])]) }
    let contents = try vault.contents()
    try vault.close()
    #expect(try Vault.backup(at: path, credential: key(), to: copy).records == 3)
    #expect(try code { _ = try Vault.backup(at: path, credential: key(), to: copy) } == .conflict)
    try directory.remove("vault")
    #expect(try Vault.restore(from: copy, credential: key(), to: path).isCopy)
    #expect(try Vault.open(at: path, credential: key()).contents() == contents)
    var bytes = try directory.read("vault")
    bytes[bytes.count - 40] ^= 1
    directory.overwriteVault(with: bytes)
    let targets = SalvageTargets(vault: directory.path("saved"), rest: directory.path("rest"))
    let report = try Vault.salvage(at: path, credential: key(), to: targets)
    let rest = try directory.read("rest")
    #expect(report.records == 2 && report.lostBytes == UInt64(rest.count))
    #expect(try Vault.open(at: targets.vault, credential: key()).contents().count == 2)
    #expect(try Vault.salvage(at: path, credential: key(), to: nil).records == 2)
  }

  // Defends: whichever call fails or is killed, and whatever power cut follows, there is no copy under its name or a whole one;
  // the vault is as it was, and the next backup leaves nothing of the former behind.
  @Test(arguments: [false, true]) func everyCallFails(replaces: Bool) throws {
    let trace = try Trace(Array(Trace.ordinary.prefix(3)), seed: 2)
    let expected = trace.acknowledged[3].contents
    if replaces { try backup(trace.disk) }
    var failures = 0
    for kind in 0..<3 {
      for number in 1...200 {
        let disk = SimulatedDisk(trace.disk.cache)
        disk.fail(
          FailurePlan(
            first: number, count: kind == 0 ? 1 : .max, isFull: kind == 1, isKill: kind == 2, writesHalf: true))
        let failed = try code { try backup(disk, replacing: replaces) }
        let hasReached = disk.calls >= number
        disk.fail(nil)
        var images = CrashImages(of: disk, at: disk.journal.count, budget: 32, seed: 3)
        for image in [disk.cache] + images.all() {
          #expect(image["vault"] == trace.disk.cache["vault"])
          guard image["copy"] != nil else {
            #expect(failed != nil && !replaces)
            continue
          }
          #expect(try contents(of: "copy", in: image) == expected, "kind \(kind), call \(number)")
        }
        try backup(disk, replacing: true)
        #expect(disk.cache.names.keys.sorted() == ["copy", "vault"])
        if failed != nil { failures += 1 }
        if !hasReached { break }
      }
    }
    #expect(failures > 15)
  }

  // Defends: writers go on during a backup, and the copy is the vault as it was at one moment.
  @Test func writersGoOn() throws {
    let trace = try Trace(Trace.ordinary, seed: 2)
    let expected = trace.acknowledged[Trace.ordinary.count].contents
    trace.disk.beforeNextSync {
      _ = try? Vault.open(.simulated(trace.disk, seed: 9), credential: key()).commit([.put("meanwhile", [1])])
    }
    try backup(trace.disk)
    #expect(try contents(of: "copy", in: trace.disk.cache) == expected)
    #expect(try contents(of: "vault", in: trace.disk.cache)["meanwhile"] == [1])
  }
}
