import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// What is said of a vault's build is what is in it.
@Suite struct InspectionTests {
  /// A vault in which names are put, put again and deleted, and what of it counts, as the writes alone tell.
  private struct Sample {
    let directory: TemporaryDirectory
    let path: String
    /// Sequence of the frame of each live name's newest put.
    var live: [Name: UInt64] = [:]
    var events: Set<UInt64> = []
    var puts: UInt64 = 0
    var deletions: UInt64 = 0

    init(seed: UInt64) throws {
      directory = try TemporaryDirectory()
      path = directory.path("vault")
      let vault = try Vault.create(at: path, credential: key())
      var random = SeededRandom(seed: seed)
      // Behind slot, data key and genesis.
      var sequence: UInt64 = 3
      for _ in 0..<12 {
        var writes: [Write] = []
        for _ in 0..<Int.random(in: 1...20, using: &random) {
          let name = Name(bytes: [UInt8.random(in: 0..<16, using: &random)])
          sequence += 1
          switch Int.random(in: 0..<10, using: &random) {
          case 0..<2 where live[name] != nil:
            writes.append(.delete(name))
            live[name] = nil
            deletions += 1
          case 2:
            writes.append(.event(name, random.array(20)))
            events.insert(sequence)
          default:
            writes.append(.put(name, random.array(Int.random(in: 0..<300, using: &random))))
            live[name] = sequence
            puts += 1
          }
        }
        try vault.commit(writes)
      }
      try vault.close()
    }
  }

  // Defends: the live and dead bytes that an owner decides on a compaction by are those of the names that are there; what is
  // found by the place that each record names agrees with what the writes say.
  @Test(arguments: 1...6)
  func liveBytesAreThoseOfLiveNames(seed: UInt64) throws {
    let sample = try Sample(seed: seed)
    var lengths: [UInt64: Int] = [:]
    let damage = try Vault.forEachFrame(at: sample.path) { lengths[$0.sequence] = $0.length }
    #expect(damage == nil)
    let live = Set(sample.live.values).union(sample.events)
    let inspection = try Vault.inspect(at: sample.path, credential: key())
    let records = try #require(inspection.kinds.first { $0.name == "record" })
    #expect(records.live?.frames == UInt64(live.count), "seed \(seed)")
    #expect(records.live?.bytes == live.reduce(0) { $0 + UInt64(lengths[$1] ?? 0) }, "seed \(seed)")
    let content = try #require(inspection.content)
    #expect(content.puts == sample.puts && content.deletions == sample.deletions)
    #expect(content.events == UInt64(sample.events.count) && content.names == UInt64(sample.live.count))
    var sinceRoot: UInt64 = 0
    _ = try Vault.forEachFrame(at: sample.path) { (frame) in
      if frame.type == "record" { sinceRoot += 1 } else if frame.type == "index root" { sinceRoot = 0 }
    }
    #expect(inspection.recordsSinceRoot == sinceRoot)
    let index = inspection.kinds.filter { $0.name.hasPrefix("index") }.reduce(0) { $0 + $1.frames }
    #expect(inspection.terms.map(\.frames) == [records.frames + index] && inspection.terms[0].created != nil)
    #expect(content.generations.map(\.madeBy) == ["init"] && inspection.damage == nil)
  }

  // Defends: without a key the same is said of all that needs none, and nothing is guessed of the rest.
  @Test func whatNeedsAKeyIsNotSaidWithoutOne() throws {
    let sample = try Sample(seed: 9)
    let with = try Vault.inspect(at: sample.path, credential: key())
    let without = try Vault.inspect(at: sample.path)
    #expect(without.content == nil && without.terms.allSatisfy { $0.created == nil })
    #expect(without.kinds.filter { $0.live == nil }.map(\.name) == ["record"])
    #expect(without.kinds.map(\.bytes) == with.kinds.map(\.bytes) && without.head == with.head)
    #expect(throws: VaultError(.wrongKey, "")) { try Vault.inspect(at: sample.path, credential: key(8)) }
  }

  // Defends: with a key too, damage is an answer and not a trap, wherever it is, and a list of frames ends with it.
  @Test func everyFlippedByteWithAKey() throws {
    let sample = try Sample(seed: 4)
    let bytes = try sample.directory.read("vault")
    for place in stride(from: 0, to: 4000, by: 7) {
      var changed = bytes
      changed[place] ^= 1 << UInt8(place % 8)
      try sample.directory.overwrite("vault", with: changed)
      let found = try code { _ = try Vault.inspect(at: sample.path, credential: key()) }
      #expect(found == (place < 128 ? .headerDamaged : nil), "byte \(place)")
      if found == nil { #expect(try Vault.inspect(at: sample.path, credential: key()).damage != nil, "byte \(place)") }
      let listed = try code { _ = try Vault.forEachFrame(at: sample.path, credential: key()) { _ in } }
      #expect(listed?.isDamage == true, "byte \(place)")
    }
  }

  // Defends: every frame is listed once and in order, by steps or not, and whoever stops the list is not called again.
  @Test func framesAreListedOnceAndUntilStopped() throws {
    let directory = try TemporaryDirectory()
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    // More batches than one step of the list.
    for number in 0..<1100 { try vault.commit([.put("n", [UInt8(number % 251)])]) }
    try directory.write(disk.cache[SimulatedStorage.name] ?? [], to: "vault")
    let path = directory.path("vault")
    var without: [UInt64] = []
    _ = try Vault.forEachFrame(at: path) { without.append($0.sequence) }
    #expect(without == Array(1...UInt64(without.count)))
    var with: [String] = []
    _ = try Vault.forEachFrame(at: path, credential: key()) { with.append($0.record?.operation ?? "") }
    #expect(with.count == without.count && with.filter { $0 == "put" }.count == 1100)
    var calls = 0
    let stopped = try code {
      _ = try Vault.forEachFrame(at: path) { (frame) throws(VaultError) in
        calls += 1
        if frame.sequence == 5 { throw VaultError(.io, "nobody reads this") }
      }
    }
    #expect(stopped == .io && calls == 5)
  }

  // Defends: a verification tells how far it has come, never goes back, and never beyond the whole.
  @Test func aVerificationTellsHowFarItIs() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    let vault = try Vault.create(at: path, credential: key())
    try vault.commit((0..<5000).map { .put(Name(bytes: Array("\($0)".utf8)), [1]) })
    var parts: [Double] = []
    let report = try Vault.verify(at: path, credential: key()) { (state) in
      parts.append(Double(state.bytesDone) / Double(state.bytesTotal))
    }
    #expect(parts.count >= 4 && parts == parts.sorted() && parts.allSatisfy { (0...1).contains($0) })
    #expect(report.duration > .zero && report.framesPerSecond > 0)
    #expect(report.pin?.sequence == report.sequence && report.isRollbackExcluded == nil)
  }
}
