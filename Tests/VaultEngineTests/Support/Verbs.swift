import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// What makes a new generation.
enum Verb: CaseIterable, Sendable {
  case compact, rotate, rekey

  /// Makes one; a rekeyed vault opens with the same key as before.
  @discardableResult
  func run(
    on environment: Environment, credential byte: UInt8 = 7, options: MaintenanceOptions = .impatient
  ) throws -> MaintenanceReport {
    switch self {
    case .compact: try Vault.compact(environment, credential: key(byte), options: options)
    case .rotate: try Vault.rotate(environment, credential: key(byte), options: options)
    case .rekey:
      try Vault.rekey(environment, credential: key(byte), newKey: key(byte), newPassphrase: nil, options: options)
    }
  }
}

extension MaintenanceOptions {
  /// Does not wait for the lock.
  static let impatient = {
    var options = MaintenanceOptions()
    options.lockTimeout = .zero
    return options
  }()

  /// Runs `body` while copying goes on without the lock.
  static func doing(_ body: @escaping @Sendable () throws -> Void) -> MaintenanceOptions {
    var options = impatient
    options.meanwhile = {
      do {
        try body()
      } catch {
        Issue.record(error)
      }
    }
    return options
  }
}

/// One record, as a comparison needs it.
struct Fact: Hashable, Sendable {
  let operation: VaultEntry.Operation
  let name: Name
  let value: [UInt8]
  let version: UInt64
  let time: Int64
}

extension Vault {
  /// Every record of the file, in its order.
  func facts() throws -> [Fact] {
    var facts: [Fact] = []
    try snapshot().forEachRecord { (entry) throws(VaultError) in facts.append(Fact(entry)) }
    return facts
  }

  /// The newest put of every name.
  func liveFacts() throws -> Set<Fact> {
    var facts: Set<Fact> = []
    try snapshot().forEachEntry { (entry) throws(VaultError) in facts.insert(Fact(entry)) }
    return facts
  }
}

extension Fact {
  init(_ entry: borrowing VaultEntry) {
    self.init(
      operation: entry.operation, name: Name(bytes: Array(entry.name)), value: Array(entry.value),
      version: entry.version, time: entry.time)
  }
}

extension SimulatedDisk {
  /// Checks the vault as `verify` does, with and without a key.
  func verify(credential byte: UInt8 = 7) throws -> VerifyReport {
    let directory = try TemporaryDirectory()
    try directory.write(try #require(cache[SimulatedStorage.name]), to: "vault")
    let report = try Vault.verify(at: directory.path("vault"), credential: key(byte))
    #expect(report.findings.isEmpty, "\(report.findings)")
    return report
  }
}
