import Foundation
import Glibc
import Testing
import VaultLaboratory

@testable import VaultEngine

/// Real processes, killed at any moment.
@Suite struct KilledProcessTests {
  private static func put(_ name: String, in directory: TemporaryDirectory, _ command: String) throws -> ChildProcess {
    try directory.write(Array("{\"access_token\":\"\(name)\",\"token_type\":\"Bearer\"}".utf8), to: "\(name).json")
    return try ChildProcess(
      [command, "put", name],
      environment: ["TOKENVAULT_FILE": directory.path("vault"), "TOKENVAULT_KEY": "file:\(directory.path("key"))"],
      input: directory.path("\(name).json"), errors: "/dev/null")
  }

  // Defends: whenever writers are killed, the vault opens and holds every write whose process returned success, each once,
  // and a reader that stays open never sees damage and never goes back.
  @Test func writersKilledAtAnyMoment() throws {
    let command = TestedCommand.path
    try #require(FileManager.default.isExecutableFile(atPath: command), "\(command) was not built")
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    let directory = try TemporaryDirectory()
    try directory.write(Array(String(repeating: "07", count: 32).utf8), to: "key")
    let path = directory.path("vault")
    let reader = try Vault.create(at: path, credential: key())
    var acknowledged: Set<String> = []
    var (kills, last) = (0, UInt64(0))
    // How long a write takes here, so that the kills fall into it.
    let start = ContinuousClock.now
    #expect(try Self.put("user", in: directory, command).wait() == 0)
    let longest = UInt64(max((ContinuousClock.now - start) / .microseconds(1), 1000) * 2)
    for round in 0..<40 {
      let names = (0..<3).map { "user-\(round)-\($0)" }
      let processes = try names.map { try Self.put($0, in: directory, command) }
      // Any moment will do: the promise holds at each.
      usleep(UInt32(random.next() % longest))
      let survivor = Int(random.next() % 4)
      for (number, process) in processes.enumerated() where number != survivor {
        kill(process.id, SIGKILL)
      }
      for (name, process) in zip(names, processes) {
        switch process.wait() {
        case 0: acknowledged.insert(name)
        case 128 + SIGKILL: kills += 1
        case let code: Issue.record("\(name) ended with \(code), seed \(seed)")
        }
      }
      let snapshot = try reader.snapshot()
      #expect(snapshot.lastVersion >= last)
      last = snapshot.lastVersion
    }
    let vault = try Vault.open(at: path, credential: key())
    var found: Set<String> = []
    try vault.snapshot().forEachRecord { (entry) throws(VaultError) in
      let value = String(decoding: Array(entry.value), as: UTF8.self)
      for part in value.split(separator: "\"") where part.hasPrefix("user-") {
        #expect(found.insert(String(part)).inserted, "\(part) was written twice")
      }
    }
    #expect(found.isSuperset(of: acknowledged), "seed \(seed)")
    #expect(try Vault.verify(at: path, credential: key()).isDamaged == false, "seed \(seed)")
    #expect(kills > 0 && !acknowledged.isEmpty, "nobody was killed, or everybody: nothing was tried; seed \(seed)")
  }
}
