internal import JSONText
internal import VaultEngine
internal import VaultFormat

/// Rows on their way into the vault: collected to batches, of which one is written while the next comes together.
///
/// What becomes of a row is decided by what is in the vault when its batch is made. If that changes before the batch is written,
/// all of its rows are decided anew.
struct ImportPass: ~Copyable {
  /// A row and where it came from.
  typealias Read = (row: ImportRow, place: RowReference)

  /// What was decided of the rows of a batch.
  private struct Decided {
    var stored = 0
    var replaced = 0
    var skipped = 0
    var rejected: [RejectedRow] = []
    /// What ends the import behind this batch.
    var failure: VaultError?

    var written: Int { stored + replaced }
  }

  private struct Pending {
    let rows: [Read]
    let decided: Decided
    let commit: PendingCommit?
  }

  /// Why a row is not written.
  private enum Refusal: Error {
    case skipped
    case rejected(code: String, sentence: String)
    case ends(VaultError)
  }

  /// Rows and bytes of a batch, and how long rows wait at most for it to fill.
  private static let batch = (rows: 16_384, bytes: 8 << 20, wait: Duration.seconds(2))

  private let store: TokenStore
  private let source: ImportSource
  private let options: ImportOptions
  private let context: AuditContext
  private var waiting: [Read] = []
  private var bytes = 0
  /// Names that the waiting rows write, which must be decided of one after the other.
  private var names: Set<[UInt8]> = []
  private var pending: Pending?
  private var lastFlush = ContinuousClock.now
  private var seen = SeenNames()
  /// Accounts that a trial would have taken, with their users.
  private var claimed: [[UInt8]: TokenID] = [:]
  /// What was done so far: of rows whose batch is on the disk.
  private(set) var report = ImportReport()
  /// Rows that were rejected since they were last taken from here.
  var rejected: [RejectedRow] = []

  init(_ store: TokenStore, _ source: ImportSource, _ options: ImportOptions, by context: AuditContext) {
    (self.store, self.source, self.options, self.context) = (store, source, options, context)
  }

  // MARK: Taking rows

  /// Takes what became of some lines.
  mutating func take(_ parsed: ParsedRows) throws(VaultError) {
    report.rows += parsed.rows.count + parsed.rejected.count
    reject(parsed.rejected)
    for read in parsed.rows { try take(read) }
    if !waiting.isEmpty, ContinuousClock.now - lastFlush >= Self.batch.wait { try flush() }
  }

  private mutating func take(_ read: Read) throws(VaultError) {
    let name = read.row.id.recordName
    if options.onConflict == .skip, let first = seen.note(name, read.place.line) {
      return reject([
        RejectedRow(
          line: read.place.line, code: "duplicate-user", sentence: "the same user stands in line \(first) already",
          row: read.place)
      ])
    }
    let reservation = read.row.value.providerAccount.map { Reservation(of: $0, at: read.row.id.provider).name }
    if names.contains(name) || reservation.map({ names.contains($0) }) ?? false { try flush() }
    names.insert(name)
    if let reservation { names.insert(reservation) }
    waiting.append(read)
    bytes += read.row.byteCount
    if waiting.count >= Self.batch.rows || bytes >= Self.batch.bytes { try flush() }
  }

  private mutating func reject(_ rows: [RejectedRow]) {
    report.rejected += rows.count
    rejected += rows
  }

  /// Writes what is left, and waits until all is on the disk.
  mutating func finish() throws(VaultError) {
    try flush()
    try settle()
  }

  // MARK: Batches

  /// Begins to write the rows that wait, once those before are on the disk.
  private mutating func flush() throws(VaultError) {
    try settle()
    lastFlush = .now
    guard !waiting.isEmpty else { return }
    let rows = waiting
    waiting.removeAll(keepingCapacity: true)
    names.removeAll(keepingCapacity: true)
    bytes = 0
    pending = try begin(rows)
  }

  /// Waits until what is being written is on the disk.
  private mutating func settle() throws(VaultError) {
    guard let attempt = pending.take() else { return }
    try settle(attempt, tries: 100)
  }

  /// - Parameter tries: what is left of them.
  private mutating func settle(_ attempt: Pending, tries: Int) throws(VaultError) {
    if let commit = attempt.commit {
      let store = store
      do throws(VaultError) {
        try store.instruments.measure(store.instruments.write) { () throws(VaultError) in _ = try commit.wait() }
      } catch {
        guard tries > 0, error.code == .conflict || error.code == .notFound else { throw error }
        // Somebody was quicker with one of the names since it was looked at: all are looked at again, and less of them at a time,
        // so that who writes without a pause does not keep them all from being stored.
        let count = max(1, attempt.rows.count / 8)
        for start in stride(from: 0, to: attempt.rows.count, by: count) {
          let rows = Array(attempt.rows[start..<min(start + count, attempt.rows.count)])
          try settle(begin(rows), tries: tries - 1)
        }
        return
      }
    }
    try note(attempt.decided)
  }

  private mutating func note(_ decided: Decided) throws(VaultError) {
    report.stored += decided.stored
    report.replaced += decided.replaced
    report.skipped += decided.skipped
    reject(decided.rejected)
    if let failure = decided.failure { throw failure }
  }

  private mutating func begin(_ rows: [Read]) throws(VaultError) -> Pending {
    var decided = Decided()
    var batch = try VaultBatch()
    let snapshot = try store.vault.snapshot()
    for read in rows where decided.failure == nil {
      let state = try store.state(of: read.row.id, in: snapshot)
      do throws(Refusal) {
        try check(read.row, against: state)
        try write(read.row, in: state, to: &batch)
        if state.isVacant { decided.stored += 1 } else { decided.replaced += 1 }
      } catch {
        switch error {
        case .skipped: decided.skipped += 1
        case .rejected(let code, let sentence):
          decided.rejected.append(
            RejectedRow(line: read.place.line, code: code, sentence: sentence, row: read.place))
        case .ends(let failure):
          guard options.onConflict == .fail, failure.code == .conflict else { throw failure }
          decided.failure = VaultError(
            .conflict, "line \(read.place.line): \(failure.sentence)", remedy: failure.remedy)
        }
      }
    }
    guard decided.written > 0, !options.dryRun else { return Pending(rows: rows, decided: decided, commit: nil) }
    let event = AuditEvent.ofVault(
      .imported, by: context,
      [("source", .string(source.rawValue)), ("rows", .integer(Int64(decided.written)))])
    try batch.event(event.name.span, value: event.value.span)
    return Pending(rows: rows, decided: decided, commit: try store.vault.submit(batch))
  }

  // MARK: One row

  /// Refuses a row that must not be written over what is there.
  private func check(_ row: ImportRow, against state: EntryState) throws(Refusal) {
    if let expiry = row.value.expiry, expiry <= store.now() {
      throw .rejected(code: "over", sentence: "the entry's time is over")
    }
    guard !state.isVacant else { return }
    switch options.onConflict {
    case .fail: throw .ends(VaultError(.conflict, "there is an entry of that user already"))
    case .skip:
      guard case .unreadable(let error) = state else { throw .skipped }
      throw .rejected(
        code: "unreadable", sentence: "the entry that is there can't be read (\(error.code)); 'replace' writes over it")
    case .newer: try checkIsNewer(row, than: state)
    case .replace: break
    }
    if !row.isWhole, let entry = state.entry, entry.value.providerAccount != nil, entry.value.revoked != nil {
      throw .rejected(code: "revoked", sentence: "the account is revoked; link it again")
    }
  }

  private func checkIsNewer(_ row: ImportRow, than state: EntryState) throws(Refusal) {
    guard let changed = row.changed else {
      throw .rejected(
        code: "no-time", sentence: "there is an entry already, and the row does not say when it was changed")
    }
    guard let entry = state.entry else {
      throw .rejected(
        code: "no-time", sentence: "the entry that is there can't be read, so nobody knows which is newer")
    }
    guard changed > entry.value.updated ?? entry.time else { throw .skipped }
  }

  /// Adds the writes of a row, all of them or none.
  private mutating func write(_ row: ImportRow, in state: EntryState, to batch: inout VaultBatch) throws(Refusal) {
    switch row.content {
    case .sealed(let record):
      try adding { () throws(VaultError) in
        try batch.put(row.id.recordName.span, legacyRecord: record.span, if: state.condition)
        // The record has no room for them: they come back with the upgrade.
        try batch.audit(.imported, of: row.id, by: context, LegacyTimes(row.times).members)
        if let entry = state.entry { try store.release(entry, of: row.id, in: &batch) }
      }
    case .token(let token):
      let value = value(of: row, in: state)
      try checkLength(of: token, value)
      try claim(value, for: row.id, in: state, &batch)
      try adding { () throws(VaultError) in
        try store.put(token, value, for: row.id, if: state.condition, in: &batch)
        try addEvents(of: row, token, in: state, to: &batch)
      }
    }
  }

  private func adding(_ body: () throws(VaultError) -> Void) throws(Refusal) {
    do throws(VaultError) {
      try body()
    } catch {
      throw .ends(error)
    }
  }

  /// What stands beside the token: where the row does not tell all of an account, that stays one.
  private func value(of row: ImportRow, in state: EntryState) -> EntryValue {
    var value = row.value
    if !row.isWhole, let entry = state.entry {
      value = entry.value.identity
      if value.providerAccount != nil { value.rotated = row.changed ?? store.now() }
      for attribute in row.value.attributes { value[attribute.id] = attribute.bytes }
    }
    if let ttl = row.ttl { value.expiry = store.now() + ttl.microseconds }
    return value
  }

  private func checkLength(of token: OAuthToken, _ value: EntryValue) throws(Refusal) {
    let length = value.encodedLength + token.withJSON { $0.count }
    guard length > VaultLimits.value else { return }
    throw .rejected(
      code: "value-too-large", sentence: "the entry would have \(length) bytes; \(VaultLimits.value) is the limit")
  }

  /// Adds what gives the row's account to its user, and gives up the one that he had.
  private mutating func claim(
    _ value: EntryValue, for id: TokenID, in state: EntryState, _ batch: inout VaultBatch
  ) throws(Refusal) {
    do throws(VaultError) {
      if let account = value.providerAccount {
        let name = Reservation(of: account, at: id.provider).name
        if options.dryRun {
          guard claimed[name] ?? id == id else { throw VaultError(.conflict, "") }
          claimed[name] = id
        }
        try store.reserve(account, for: id, having: state.entry, in: &batch)
      }
      if let entry = state.entry, entry.value.providerAccount != value.providerAccount {
        try store.release(entry, of: id, in: &batch)
      }
    } catch {
      guard error.code == .conflict else { throw .ends(error) }
      throw .rejected(code: "account-taken", sentence: "another user has that account of the provider")
    }
  }

  /// Adds events of access tokens that are out of use, and of accounts that were changed; all others are told of together.
  private func addEvents(
    of row: ImportRow, _ token: OAuthToken, in state: EntryState, to batch: inout VaultBatch
  ) throws(VaultError) {
    if let digest = row.superseded { try batch.audit(.imported, of: row.id, by: context, superseding: digest) }
    guard let entry = state.entry, entry.value.providerAccount != nil else { return }
    try batch.audit(.imported, of: row.id, by: context, superseding: entry.digestIfToken())
  }
}
