import VaultCrypto
package import VaultEngine
package import VaultFormat

/// A name as a vault knows it: bytes. Two strings that Swift takes for equal may be two names.
package struct Name: Hashable, Sendable, ExpressibleByStringLiteral {
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }
  package init(stringLiteral text: String) { bytes = Array(text.utf8) }
}

/// What a vault holds: values by name.
package typealias Contents = [Name: [UInt8]]

extension Environment {
  /// A world without a clock and without chance.
  ///
  /// - Parameter seed: a fresh one per run, so that a batch sealed again is not by accident the same bytes.
  package static func simulated(_ disk: SimulatedDisk, seed: UInt64) -> Environment {
    Environment(
      storage: SimulatedStorage(disk: disk), now: { 1_700_000_000_000_000 },
      makeRandom: { () throws(CryptoError) in AnyRandomSource(SeededRandom(seed: seed)) })
  }

  /// The world of one process: whoever asks for random bytes in it goes on with the same stream.
  package static func process(
    _ disk: SimulatedDisk, path: String = SimulatedStorage.name, seed: UInt64
  ) -> Environment {
    let random = AnyRandomSource(SeededRandom(seed: seed &* 0x9E6C_63D0_876A_9A35))
    return Environment(
      storage: SimulatedStorage(disk: disk, path: path), now: { 1_700_000_000_000_000 },
      makeRandom: { () throws(CryptoError) in random })
  }
}

extension Array<UInt8> {
  package init(_ bytes: Span<UInt8>) {
    self.init(capacity: bytes.count) { (output) in output.append(contentsOf: bytes) }
  }
}

/// A key whose bytes all have this value.
package func key(_ byte: UInt8 = 7) throws -> Credential {
  let bytes = [UInt8](repeating: byte, count: 32)
  guard let credential = Credential(key: try SecretBytes(copying: bytes.span)) else { throw HelperError.noCredential }
  return credential
}

package func passphrase(_ text: String) throws -> Credential {
  let bytes = Array(text.utf8)
  guard let credential = Credential(passphrase: try SecretBytes(copying: bytes.span)) else {
    throw HelperError.noCredential
  }
  return credential
}

package enum HelperError: Error { case noCredential, noFile, didNotFail, system(Int32) }

extension VaultOptions {
  package static let reading = {
    var options = VaultOptions()
    options.readOnly = true
    return options
  }()

  /// Does not wait for the lock.
  package static let impatient = {
    var options = VaultOptions()
    options.lockTimeout = .zero
    return options
  }()
}

/// A write of a test.
package enum Write: Sendable {
  case put(Name, [UInt8], WriteCondition = .any)
  case delete(Name, WriteCondition = .any)
  case event(Name, [UInt8])

  package func apply(to contents: inout Contents) {
    switch self {
    case .put(let name, let value, _): contents[name] = value
    case .delete(let name, _): contents[name] = nil
    case .event: break
    }
  }
}

extension VaultBatch {
  package static func of(_ writes: [Write]) throws -> VaultBatch {
    var batch = try VaultBatch()
    for write in writes {
      switch write {
      case .put(let name, let value, let condition):
        try batch.put(name.bytes.span, value: value.span, if: condition)
      case .delete(let name, let condition):
        try batch.delete(name.bytes.span, if: condition)
      case .event(let name, let value):
        try batch.event(name.bytes.span, value: value.span)
      }
    }
    return batch
  }
}

extension Vault {
  @discardableResult
  package func commit(_ writes: [Write]) throws -> [UInt64] {
    try commit(VaultBatch.of(writes))
  }

  package func value(of name: Name) throws -> [UInt8]? {
    guard let entry = try entry(named: name.bytes.span) else { return nil }
    return Array(entry.value)
  }

  package func contents() throws -> Contents { try snapshot().contents() }
}

extension VaultSnapshot {
  package func value(of name: Name) throws -> [UInt8]? {
    guard let entry = try entry(named: name.bytes.span) else { return nil }
    return Array(entry.value)
  }

  package func contents() throws -> Contents {
    var contents: Contents = [:]
    try forEachEntry { (entry) throws(VaultError) in
      contents[Name(bytes: Array(entry.name))] = Array(entry.value)
    }
    return contents
  }
}

/// The code of the error that `body` throws; `nil` when it throws none.
package func code(_ body: () throws -> Void) throws -> VaultError.Code? {
  do {
    try body()
    return nil
  } catch let error as VaultError {
    return error.code
  }
}
