internal import JSONText
internal import VaultCrypto
public import VaultEngine

/// Which reads of tokens are audited: a setting of the vault, which every ``TokenStore`` on it keeps to (FORMAT.md, "Entries").
public enum ReadAuditing: Equatable, Sendable {
  /// None.
  case off
  /// All.
  case on
  /// One in so many, from 1 on, drawn by lot.
  case sampled(oneIn: Int)

  /// Name of the record that holds it: reserved, so that no user's name is the same.
  static let recordName: [UInt8] = [0] + Array("settings".utf8)

  /// Of how many reads one is audited; 0 for none.
  var period: Int {
    switch self {
    case .off: 0
    case .on: 1
    case .sampled(let period): max(period, 1)
    }
  }

  /// Members of the record.
  var members: [(String, JSONValue)] {
    switch self {
    case .off: [("audit_reads", .string("off"))]
    case .on: [("audit_reads", .string("on"))]
    case .sampled(let period): [("audit_reads", .string("sampled")), ("one_in", .integer(Int64(period)))]
    }
  }

  /// What the record's members say. What this version does not know is taken for ``on``: too much is noted rather than too
  /// little.
  init(_ members: [(String, JSONValue)]) {
    guard let value = members.first(where: { $0.0 == "audit_reads" })?.1 else {
      self = .off
      return
    }
    guard case .string(let text) = value else {
      self = .on
      return
    }
    let period = members.first { $0.0 == "one_in" }?.1.wholeNumber.flatMap { Int(exactly: $0) }
    switch (text, period) {
    case ("off", _): self = .off
    case ("sampled", let period?) where period > 0: self = .sampled(oneIn: period)
    default: self = .on
    }
  }
}

extension TokenStore {
  /// Which reads are audited.
  ///
  /// - Throws: `frame-damaged` when the setting can't be read; otherwise as ``Vault/entry(named:)``.
  public func readAuditing() throws(VaultError) -> ReadAuditing { ReadAuditing(try settings().members) }

  /// Settles which reads are audited, for all who use the vault: each keeps to it from the first read that begins after this
  /// has returned. It has an event of its own.
  ///
  /// - Throws: `usage` for one in less than 1, or in more than a thousand millions; otherwise as ``Vault/commit(_:)``.
  public func setReadAuditing(_ setting: ReadAuditing, by context: AuditContext = .none) throws(VaultError) {
    if case .sampled(let period) = setting, !(1...1_000_000_000).contains(period) {
      throw VaultError(.usage, "one read in \(period) can't be audited: it is one in 1 to 1000000000")
    }
    try instruments.measure(instruments.write) { () throws(VaultError) in
      for attempt in 1...100 {
        let (members, condition) = try settingsToChange()
        // What other versions keep there stays.
        let others = members.filter { $0.0 != "audit_reads" && $0.0 != "one_in" }
        let value = Array(JSONValue.object(setting.members + others).text.utf8)
        let (name, vault) = (ReadAuditing.recordName, AuditEvent.vaultName)
        let event = AuditEvent.value(.configured, context, setting.members)
        var batch = try VaultBatch()
        try batch.put(name.span, value: value.span, if: condition)
        try batch.event(vault.span, value: event.span)
        do throws(VaultError) {
          _ = try commit(batch)
          return
        } catch {
          guard attempt < 100, error.code == .conflict else { throw error }
        }
      }
    }
  }

  /// The settings, and what makes sure that nobody has changed them since. Those that can't be read are replaced.
  private func settingsToChange() throws(VaultError) -> (members: [(String, JSONValue)], condition: WriteCondition) {
    do {
      let (members, version) = try settings()
      return (members, version.map { .version($0) } ?? .absent)
    } catch {
      guard error.code == .frameDamaged else { throw error }
      return ([], .any)
    }
  }

  private func settings() throws(VaultError) -> (members: [(String, JSONValue)], version: UInt64?) {
    var stamp: UInt64 = 0
    return try Self.settings(of: vault, stamp: &stamp)
  }

  /// The members of the settings' record, and its version; none, if there is no such record.
  static func settings(
    of vault: Vault, stamp: inout UInt64
  ) throws(VaultError) -> (members: [(String, JSONValue)], version: UInt64?) {
    let name = ReadAuditing.recordName
    guard let entry = try vault.entry(named: name.span, stamp: &stamp) else { return ([], nil) }
    guard case .object(let members)? = try? JSONValue(parsing: entry.value) else {
      throw VaultError(
        .frameDamaged, "the vault's settings open, but say nothing: another program wrote them wrongly",
        remedy: "set them again, with 'tokenvault audit reads'")
    }
    return (members, entry.version)
  }
}
