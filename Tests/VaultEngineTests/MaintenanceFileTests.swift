import Foundation
import Glibc
import Synchronization
import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// New generations of real files, beside real writers and readers.
@Suite struct MaintenanceFileTests {
  /// Runs `body` with the numbers below `count` on threads of their own, and waits for all.
  private func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) {
    Threads.perform(count) { (number) in
      do {
        try body(number)
      } catch {
        Issue.record(error)
      }
    }
  }

  // Defends: a real file whose keys are all changed opens with the new key, and with the old one no more; without a new one, nothing is
  // done.
  @Test func rekey() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    try Vault.create(at: path, credential: key()).commit([.put("alice", [1])])
    let report = try Vault.rekey(at: path, credential: key(), newKey: key(9), newPassphrase: nil)
    #expect(report.droppedSlots == [1] && report.names == 1)
    #expect(try Vault.open(at: path, credential: key(9)).contents() == ["alice": [1]])
    #expect(try code { _ = try Vault.open(at: path, credential: key()) } == .wrongKey)
    let before = try directory.read("vault")
    #expect(
      try code { _ = try Vault.rekey(at: path, credential: key(9), newKey: nil, newPassphrase: nil) } == .usage)
    #expect(try directory.read("vault") == before)
  }

  // Defends: four writers, and somebody who makes one generation after the other: every acknowledged write is there, once. A
  // reader during all of it never fails and never misses what was there before, and snapshots stay what they are.
  @Test func writersAndReadersMeanwhile() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    let vault = try Vault.create(at: path, credential: key())
    try vault.commit([.put("fixed", [42])])
    let first = try vault.snapshot()
    let working = Atomic(4)
    let generations = Atomic(0)
    inParallel(6) { (number) in
      switch number {
      case 0..<4:
        defer { working.subtract(1, ordering: .relaxed) }
        var options = VaultOptions()
        options.lockTimeout = .seconds(60)
        let writer = try Vault.open(at: path, credential: key(), options: options)
        for write in 0..<60 {
          let name = Name(bytes: Array("\(number)-\(write)".utf8))
          try writer.commit([.put(name, [UInt8(write)]), .event(name, [])])
          if write % 3 == 0 { try writer.commit([.delete(name)]) }
        }
      case 4:
        var options = MaintenanceOptions()
        options.lockTimeout = .seconds(60)
        // Two at least, however soon the writers are done.
        while working.load(ordering: .relaxed) > 0 || generations.load(ordering: .relaxed) < 2 {
          if generations.load(ordering: .relaxed) % 2 == 0 {
            _ = try Vault.compact(at: path, credential: key(), options: options)
          } else {
            _ = try Vault.rotate(at: path, credential: key(), options: options)
          }
          generations.add(1, ordering: .relaxed)
        }
      default:
        let reader = try Vault.open(at: path, credential: key(), options: .reading)
        var last: UInt64 = 0
        while working.load(ordering: .relaxed) > 0 {
          #expect(try reader.value(of: "fixed") == [42])
          let snapshot = try reader.snapshot()
          #expect(snapshot.lastVersion >= last)
          last = snapshot.lastVersion
          let contents = try snapshot.contents()
          #expect(contents["fixed"] == [42])
        }
      }
    }
    var expected: Contents = ["fixed": [42]]
    for number in 0..<4 {
      for write in 0..<60 where write % 3 != 0 {
        expected[Name(bytes: Array("\(number)-\(write)".utf8))] = [UInt8(write)]
      }
    }
    #expect(try vault.contents() == expected)
    let events = try vault.facts().filter { $0.operation == .event }
    #expect(events.count == 240 && Set(events.map(\.name)).count == 240)
    #expect(try first.contents() == ["fixed": [42]])
    #expect(generations.load(ordering: .relaxed) > 1)
    #expect(try Vault.verify(at: path, credential: key()).findings.isEmpty)
    #expect(try directory.names() == ["vault", "vault.lock"])
  }

  private static let isLong = ProcessInfo.processInfo.environment["TOKENVAULT_LONG"] == "1"

  // Defends: a reader goes on through one compaction after the other, by one handle and by new ones; with `TOKENVAULT_LONG=1` in
  // the environment through ten thousand.
  @Test func readersThroughManyCompactions() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    let vault = try Vault.create(at: path, credential: key())
    let names = (0..<20).map { Name(bytes: Array("name-\($0)".utf8)) }
    try vault.commit(names.map { .put($0, $0.bytes) })
    let count = Self.isLong ? 10_000 : 100
    let working = Atomic(1)
    inParallel(3) { (number) in
      guard number > 0 else {
        defer { working.subtract(1, ordering: .relaxed) }
        for _ in 0..<count { _ = try Vault.compact(at: path, credential: key()) }
        return
      }
      var round = 0
      while working.load(ordering: .relaxed) > 0 {
        let reader = number == 1 ? vault : try Vault.open(at: path, credential: key(), options: .reading)
        let name = names[round % names.count]
        #expect(try reader.value(of: name) == name.bytes)
        round += 1
      }
    }
    #expect(try Vault.open(at: path, credential: key()).snapshot().generation == UInt64(count + 1))
    #expect(try vault.contents().count == names.count)
    #expect(try Vault.verify(at: path, credential: key()).findings.isEmpty)
  }

  // Defends: killed at any moment, a command that makes a new generation leaves one whole vault, and what it leaves beside it
  // is swept by the next writer.
  @Test func killedAtAnyMoment() throws {
    let command = TestedCommand.path
    try #require(FileManager.default.isExecutableFile(atPath: command), "\(command) was not built")
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    let directory = try TemporaryDirectory()
    try directory.write(Array(String(repeating: "07", count: 32).utf8), to: "key")
    let path = directory.path("vault")
    let vault = try Vault.create(at: path, credential: key())
    try vault.commit((0..<300).map { .put(Name(bytes: Array("name \($0)".utf8)), Array(repeating: 1, count: 200)) })
    var contents = try vault.contents()
    let verbs = [["compact"], ["rotate"], ["rekey", "--new-key", "file:\(directory.path("key"))"]]
    /// Whether it was killed.
    func run(_ arguments: [String], killedAfter delay: UInt32?) throws -> Bool {
      let process = try ChildProcess(
        [command] + arguments,
        environment: ["TOKENVAULT_FILE": path, "TOKENVAULT_KEY": "file:\(directory.path("key"))"],
        input: "/dev/null", errors: "/dev/null")
      if let delay {
        usleep(delay)
        kill(process.id, SIGKILL)
      }
      let code = process.wait()
      #expect(code == 0 || delay != nil && code == 128 + SIGKILL, "seed \(seed)")
      return code != 0
    }
    // How long one takes here, so that the kills fall into it.
    let start = ContinuousClock.now
    _ = try run(["rotate"], killedAfter: nil)
    let longest = UInt64(max((ContinuousClock.now - start) / .microseconds(1), 1000) * 1.2)
    var kills = 0
    for round in 0..<30 {
      if try run(verbs[round % 3], killedAfter: UInt32(random.next() % longest)) { kills += 1 }
      // After a change of all keys, a handle must be opened anew.
      let writer = try Vault.open(at: path, credential: key())
      #expect(try writer.contents() == contents, "seed \(seed), round \(round)")
      try writer.commit([.put("round", [UInt8(round)])])
      contents["round"] = [UInt8(round)]
      #expect(try directory.names() == ["key", "vault", "vault.lock"], "seed \(seed), round \(round)")
    }
    #expect(kills > 0, "nobody was killed; seed \(seed)")
    #expect(try Vault.verify(at: path, credential: key()).findings.isEmpty, "seed \(seed)")
  }

  // Defends: an index of many pages, part of which is written before the last stretch, agrees with the records.
  @Test func manyNames() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    let vault = try Vault.create(at: path, credential: key())
    for batch in 0..<2 {
      try vault.commit(
        (0..<11_000).map { .put(Name(bytes: Array("name \(batch * 10_000 + $0)".utf8)), [UInt8(batch)]) })
    }
    var options = MaintenanceOptions.impatient
    options.meanwhile = {
      do {
        try vault.commit((0..<500).map { .put(Name(bytes: Array("new \($0)".utf8)), [7]) })
        try vault.commit([.delete("name 1"), .put("name 2", [9])])
      } catch {
        Issue.record(error)
      }
    }
    let report = try Vault.compact(at: path, credential: key(), options: options)
    #expect(report.names == 21_499 && report.superseded == 1000)
    let view = try Opening.view(of: FileStorage(path: path).open(writable: false), with: key())
    #expect(view.index.root?.runs.map(\.level) == [0, 2])
    let verified = try Vault.verify(at: path, credential: key())
    #expect(verified.findings.isEmpty && verified.liveNames == 21_499)
    #expect(try vault.value(of: "name 1") == nil && vault.value(of: "name 2") == [9])
  }

  // Defends: a shredded generation holds nothing but zeros, for whoever has it open still; the new one has its place. Nobody
  // but its owner may open it.
  @Test func shredding() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    let vault = try Vault.create(at: path, credential: key())
    try vault.commit([.put("alice", [1])])
    let old = try FileStorage(path: path).open(writable: false)
    let length = try old.length()
    var options = MaintenanceOptions()
    options.shreds = true
    _ = try Vault.rotate(at: path, credential: key(), options: options)
    let found = try old.read(at: 0, count: Int(length) + 1)
    #expect(found == [UInt8](repeating: 0, count: Int(length)))
    #expect(try vault.contents() == ["alice": [1]])
    #expect(try directory.mode(of: "vault") == 0o600)
  }

  // Defends: a new generation is refused while another is made by somebody else, whose temporary file stays.
  @Test func anotherAtWork() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("vault")
    try Vault.create(at: path, credential: key()).commit([.put("alice", [1])])
    let temporary = try FileStorage(path: path).createTemporary()
    #expect(try code { _ = try Vault.compact(at: path, credential: key()) } == .locked)
    #expect(try directory.names().count == 3)
    withExtendedLifetime(temporary) {}
  }
}
