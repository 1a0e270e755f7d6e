private import FoundationEssentials
internal import Glibc
internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

extension VaultReader {
  /// VaultEngine, on files in a temporary directory.
  package static let vaultEngine = VaultReader(
    open: { (vault, credential, pin) throws(PrimitiveError) in
      try withFile(vault) { (path) throws(VaultError) in
        var options = VaultOptions()
        options.readOnly = true
        options.readsWhole = true
        options.pin = try pin.map(parsedPin)
        let opened = try Vault.open(at: path, credential: made(credential), options: options)
        var records: [Scenario.Record] = []
        try opened.snapshot().forEachRecord { (entry) in records.append(record(of: entry)) }
        options.readsWhole = false
        let byIndex = try Vault.open(at: path, credential: made(credential), options: options)
        // Only a verification can tell that the holder of the keys has made a root or a page that lies.
        if !agrees(byIndex, with: records) {
          let report = try Vault.verify(at: path, credential: made(credential))
          guard report.findings.contains(where: { $0.code == .indexDamaged }) else {
            throw VaultError(.usage, "the index answers otherwise than a replay of the whole file")
          }
        }
        return VaultAnswer(result: Expectation.success.rawValue, records: records)
      }
    },
    verify: { (vault, credential, pin) throws(PrimitiveError) in
      try withFile(vault) { (path) throws(VaultError) in
        let pin = try pin.map(parsedPin)
        return answer(of: try Vault.verify(at: path, credential: made(credential), pin: pin))
      }
    },
    verifyWithoutKey: { (vault) throws(PrimitiveError) in
      try withFile(vault) { (path) throws(VaultError) in answer(of: try Vault.verify(at: path, credential: nil)) }
    },
    inspect: { (vault) throws(PrimitiveError) in
      _ = try withFile(vault) { (path) throws(VaultError) in
        _ = try Vault.inspect(at: path)
        return VaultAnswer(result: Expectation.success.rawValue)
      }
    })

  /// Looks every name up in a vault that was opened by its index.
  ///
  /// - Returns: whether each is what a replay of the whole file found.
  private static func agrees(_ vault: Vault, with records: [Scenario.Record]) -> Bool {
    var newest: [[UInt8]: Scenario.Record] = [:]
    for record in records where record.operation != .event { newest[record.name] = record }
    return newest.allSatisfy { (name, record) in
      guard let found = try? lookUp(name, in: vault) else { return false }
      return found.first == (record.operation == .put ? record : nil)
    }
  }

  /// What there is of a name: one record, or none.
  private static func lookUp(_ name: [UInt8], in vault: Vault) throws(VaultError) -> [Scenario.Record] {
    guard let entry = try vault.entry(named: name.span) else { return [] }
    return [record(of: entry)]
  }

  /// Runs `body` on a file of the vault's bytes that only its owner may read. An error that is a finding is the answer.
  private static func withFile(
    _ vault: [UInt8], _ body: (String) throws(VaultError) -> VaultAnswer
  ) throws(PrimitiveError) -> VaultAnswer {
    var template = Array("\(FileManager.default.temporaryDirectory.path)/tokenvault-vectors-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw .broke("no temporary directory can be made") }
    let directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = "\(directory)/vault"
    guard FileManager.default.createFile(atPath: path, contents: Data(vault), attributes: [.posixPermissions: 0o600])
    else { throw .broke("no temporary file can be made") }
    do throws(VaultError) {
      return try body(path)
    } catch {
      guard Expectation(rawValue: error.code.description) != nil else { throw .broke(error.description) }
      return VaultAnswer(result: error.code.description, offset: error.offset)
    }
  }

  private static func made(_ credential: Scenario.Credential) throws(VaultError) -> Credential {
    do throws(CryptoError) {
      let made: Credential? =
        switch credential {
        case .key(let bytes): Credential(key: try SecretBytes(copying: bytes.span))
        case .passphrase(let bytes): Credential(passphrase: try SecretBytes(copying: bytes.span))
        }
      if let made { return made }
    } catch {
      throw VaultError(error)
    }
    throw VaultError(.usage, "the credential has a length that none has")
  }

  private static func parsedPin(_ bytes: [UInt8]) throws(VaultError) -> Pin {
    guard let pin = Pin(parsing: bytes.span) else { throw VaultError(.usage, "a pin has 96 bytes") }
    return pin
  }

  private static func record(of entry: borrowing VaultEntry) -> Scenario.Record {
    let operation: Scenario.Operation =
      switch entry.operation {
      case .put: .put
      case .delete: .delete
      case .event: .event
      }
    return Scenario.Record(
      version: entry.version, operation: operation, name: entry.name.array, value: entry.value.array)
  }

  /// The first finding, or what was left out. A bad index comes last: everything else is the outcome, and it is reported
  /// besides.
  private static func answer(of report: VerifyReport) -> VaultAnswer {
    let finding = report.findings.first { $0.code != .indexDamaged }
    if let finding = finding ?? (report.tornBytes > 0 ? nil : report.findings.first) {
      return VaultAnswer(result: finding.code.description, offset: finding.offset)
    }
    return VaultAnswer(result: (report.tornBytes > 0 ? Expectation.tornTail : .success).rawValue)
  }
}
