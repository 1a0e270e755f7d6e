import Testing
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Vaults held against pins through the public calls.
@Suite struct PinTests {
  private func vault(_ bytes: [UInt8]) throws -> (directory: TemporaryDirectory, path: String) {
    let directory = try TemporaryDirectory()
    try directory.write(bytes, to: "vault")
    return (directory, directory.path("vault"))
  }

  // Defends: a pin is kept to by every later state of its vault, and by no earlier one, with and without the key.
  @Test func everyStateAgainstEveryPin() throws {
    let disk = SimulatedDisk()
    let vault = try Vault.create(.simulated(disk, seed: 1), credential: key())
    var states: [[UInt8]] = []
    for number in 0..<4 {
      try vault.commit([.put("a", [UInt8(number)])])
      states.append(disk.cache[SimulatedStorage.name] ?? [])
    }
    let files = try states.map { try self.vault($0) }
    let pins = try files.map { try #require(Vault.verify(at: $0.path, credential: nil).pin) }
    for (state, file) in files.enumerated() {
      for (moment, pin) in pins.enumerated() {
        for report in [
          try Vault.verify(at: file.path, credential: key(), pin: pin),
          try Vault.verify(at: file.path, credential: nil, pin: pin),
        ] {
          #expect(report.isRollbackExcluded == (moment <= state))
          #expect(report.findings.map(\.code) == (moment <= state ? [] : [.rollback]))
        }
        var options = VaultOptions.reading
        options.pin = pin
        let opened = try code { _ = try Vault.open(at: file.path, credential: key(), options: options) }
        #expect(opened == (moment <= state ? nil : .rollback))
      }
    }
  }

  // Defends: without a key nobody can tell of a pin of an earlier generation, and that is said: it is neither kept to nor a
  // rollback. With the key it is one or the other.
  @Test func aPinOfAnEarlierGeneration() throws {
    let (directory, path) = try vault(HandMadeVault(generation: 2).bytes())
    defer { withExtendedLifetime(directory) {} }
    let now = try #require(Vault.verify(at: path, credential: nil).pin)
    let earlier = Pin(vaultID: now.vaultID, fileID: now.fileID, generation: 1, sequence: 1, head: now.head)
    let without = try Vault.verify(at: path, credential: nil, pin: earlier)
    #expect(without.isRollbackExcluded == false && without.findings.isEmpty)
    let with = try Vault.verify(at: path, credential: key(), pin: earlier)
    #expect(with.isRollbackExcluded == false && with.findings.contains { $0.code == .rollback })
  }
}
