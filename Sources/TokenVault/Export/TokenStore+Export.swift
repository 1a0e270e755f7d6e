internal import JSONText
internal import VaultCrypto
public import VaultEngine
internal import VaultFormat

/// What of a vault is exported.
public struct ExportOptions: Sendable {
  /// Only user ids that begin so; empty for all.
  public var prefix: [UInt8] = []
  /// Only this provider's; `nil` for all.
  public var provider: [UInt8]?

  /// Everything.
  public init() {}
}

extension TokenStore {
  /// Gives entries out to elsewhere: lines of JSON, as they are at one moment.
  ///
  /// Before the first line is given, an event is on the disk that tells of the export, how many entries it is about, by whom and
  /// why: no token leaves the vault without it. So the vault must be open for writing.
  ///
  /// - Parameters:
  ///   - form: what the lines are.
  ///   - key: what they are sealed under, in forms that are sealed.
  ///   - write: is given each line, with its line end, on the caller's thread.
  ///   - progress: is told what was given so far.
  /// - Returns: what was given, and what could not be: entries that another program sealed, or that can't be read. Entries whose
  ///   time is over are not there.
  /// - Throws: `no-key` without a key where one is needed; what `write` throws; otherwise as `Vault.commit(_:)` and
  ///   ``VaultSnapshot/forEachEntry(_:)``.
  @discardableResult
  public func export(
    as form: ExportForm, under key: ExportKey? = nil, options: ExportOptions = ExportOptions(),
    by context: AuditContext = .none, progress: (ExportReport) -> Void = { _ in },
    write: (Span<UInt8>) throws(VaultError) -> Void
  ) throws(VaultError) -> ExportReport {
    var line = try ExportLine(form, key)
    let snapshot = try vault.snapshot()
    let time = now()
    var count = 0
    try forEachExported(snapshot, options) { (_, entry) throws(VaultError) in
      if case .given = try Self.fate(of: entry, as: form, at: time) { count += 1 }
    }
    try recordExport(of: count, as: form, by: context)
    var report = ExportReport()
    report.progress.total = snapshot.count
    try forEachExported(snapshot, options) { (id, entry) throws(VaultError) in
      report.progress.done += 1
      switch try Self.fate(of: entry, as: form, at: time) {
      case .over: return
      case .revoked: report.revoked += 1
      case .leftOut(let code, let sentence): report.leftOut.append(.init(id: id, code: code, sentence: sentence))
      case .given(let stored):
        do throws(VaultError) {
          var bytes = try line.line(id, stored, at: time)
          try crypto { () throws(CryptoError) in try bytes.reserve(bytes.count + 1) }
          bytes.append([UInt8(ascii: "\n")].span)
          try bytes.withSpan(write)
          report.exported += 1
        } catch {
          guard error.code == .invalidName || error.code == .invalidToken else { throw error }
          report.leftOut.append(.init(id: id, code: error.code.description, sentence: error.sentence))
        }
      }
      progress(report)
    }
    return report
  }

  private enum Fate {
    case given(StoredEntry)
    case over, revoked
    case leftOut(code: String, sentence: String)
  }

  private static func fate(
    of entry: borrowing VaultEntry, as form: ExportForm, at time: Int64
  ) throws(VaultError) -> Fate {
    guard !entry.isLegacy else {
      return .leftOut(
        code: "sealed", sentence: "another program sealed it; 'upgrade' opens it, given that program's key")
    }
    do throws(VaultError) {
      let stored = try StoredEntry(entry)
      if let expiry = stored.value.expiry, expiry <= time { return .over }
      return stored.value.revoked != nil && form != .sealed ? .revoked : .given(stored)
    } catch {
      guard error.code == .frameDamaged || error.code == .unsupportedFeature else { throw error }
      return .leftOut(code: error.code.description, sentence: error.sentence)
    }
  }

  private func forEachExported(
    _ snapshot: VaultSnapshot, _ options: ExportOptions,
    _ body: (TokenID, borrowing VaultEntry) throws(VaultError) -> Void
  ) throws(VaultError) {
    try snapshot.forEachEntry { (entry) throws(VaultError) in
      guard let id = TokenID(recordName: entry.name), id.user.starts(with: options.prefix),
        options.provider == nil || options.provider == id.provider
      else { return }
      try body(id, entry)
    }
  }

  private func recordExport(of count: Int, as form: ExportForm, by context: AuditContext) throws(VaultError) {
    let event = AuditEvent.ofVault(
      .exported, by: context, [("form", .string(form.rawValue)), ("rows", .integer(Int64(count)))])
    var batch = try VaultBatch()
    try batch.event(event.name.span, value: event.value.span)
    try vault.commit(batch)
  }
}
