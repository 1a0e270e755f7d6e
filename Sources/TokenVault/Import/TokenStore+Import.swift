internal import VaultCrypto
public import VaultEngine
internal import VaultFormat

extension TokenStore {
  /// Takes tokens over from elsewhere: lines of JSON, one a row. What can't be taken over is handed to `rejected`, and the rest
  /// is imported.
  ///
  /// Rows are opened on all cores, and stored in batches: each is on the disk as a whole or not at all, with one event that tells
  /// of it. An import that was interrupted is simply run again. Times of the rows are kept: when a token was first stored, and when
  /// it was changed last. Rows of accounts become accounts as ``link(_:for:if:by:)`` makes them: one user for an account.
  ///
  /// A derived key (scrypt, PBKDF2) takes up to a twentieth of a second for each salt. Memory: some blocks of 4 MiB, a batch, and
  /// about 50 bytes a row to know doubles by.
  ///
  /// - Parameters:
  ///   - source: what the lines are taken for.
  ///   - input: lines that end with LF or CRLF; the last need not end. Empty lines are passed over. A line has 4 MiB at most.
  ///   - key: what opens the rows.
  ///   - rejected: is given each row that can't be taken over, on the caller's thread, nearly in the order of the lines.
  ///   - progress: is told what was done so far, on the caller's thread.
  /// - Throws: `wrong-key` when none of the first rows opens: then nothing was imported; `usage` for options that don't go together;
  ///   `conflict` where ``ImportConflict/fail`` asks for it; `io` when the input can't be read; otherwise as
  ///   `Vault.commit(_:)`. What `progress` was told of stays.
  @discardableResult
  public func importRows(
    _ source: ImportSource, from input: ImportInput, opening key: consuming ImportKey = .none,
    options: ImportOptions = ImportOptions(), by context: AuditContext = .none,
    rejected: (RejectedRow) throws(VaultError) -> Void, progress: (ImportReport) -> Void = { _ in }
  ) throws(VaultError) -> ImportReport {
    try Self.check(options, source)
    var parts = try RowParts(input)
    let (form, outcome) = try Self.rowForm(source, options, key, beginning: parts.beginning)
    if outcome?.form.profile.derivesKey ?? false, !options.keepSealed { parts.partLength = 16 }
    let size = input.size
    var pass = ImportPass(self, source, options, by: context)
    func report(_ bytesDone: Int?) -> ImportReport {
      var report = pass.report
      report.form = outcome?.form
      report.tried = outcome.map { ($0.opened, $0.count) } ?? (0, 0)
      report.bytesTotal = size
      report.bytesDone = bytesDone ?? size ?? 0
      return report
    }
    try Threads.inOrder(isStream: true) { () throws(VaultError) in
      try parts.take()
    } work: { (part: RowPart) throws(VaultError) in
      part.parsed(by: form)
    } give: { (parsed: ParsedRows) throws(VaultError) in
      try pass.take(parsed)
      try pass.handOver(to: rejected)
      progress(report(parsed.bytesDone))
    }
    do throws(VaultError) {
      try pass.finish()
    } catch {
      progress(report(nil))
      throw error
    }
    try pass.handOver(to: rejected)
    progress(report(nil))
    return report(nil)
  }

  private static func check(_ options: ImportOptions, _ source: ImportSource) throws(VaultError) {
    if options.form != nil, !source.isLegacy {
      throw VaultError(.usage, "a profile goes with rows that another program sealed")
    }
    if options.onConflict == .newer, source == .jsonl {
      throw VaultError(.usage, "tokens in the clear don't say when they were changed: 'newer' does not go with them")
    }
    if let form = options.form, form.profile.isAuthenticated == (source == .sqliteTokens) {
      throw VaultError(.usage, "the profile \(form.profile.name) is not one of \(source.rawValue)")
    }
    guard options.keepSealed else { return }
    guard source == .sqliteTokens else {
      throw VaultError(
        .usage, "only rows of sqlite-tokens can stay sealed: of an account, all but the token would be lost",
        remedy: "give the key, so that they are opened and become accounts")
    }
  }

  /// How lines are read, and how well that was seen to open the first of them.
  private static func rowForm(
    _ source: ImportSource, _ options: ImportOptions, _ key: consuming ImportKey, beginning: Lines?
  ) throws(VaultError) -> (any RowForm, LegacyTrial.Outcome?) {
    let provider = options.provider ?? (source == .redditAccounts ? "reddit" : "")
    switch consume key {
    case .none:
      if source == .jsonl { return (ClearRows(form: TokenLine(provider: provider)), nil) }
      guard options.keepSealed else {
        throw VaultError(.noKey, "the rows are sealed, and no key was given that opens them")
      }
      let form = options.form ?? LegacyForm(.cbcRaw)
      let rows = TokenRows(provider: Array(provider.utf8), form: form, opener: nil)
      return (rows, LegacyTrial.Outcome(form: form, opened: 0, count: 0))
    case .export(let key):
      guard source == .sealed else { throw VaultError(.usage, "the key of an export opens sealed lines alone") }
      let rows = SealedRows(provider: provider, key: key)
      try rows.checkKey(beginning)
      return (rows, nil)
    case .legacy(let secret):
      guard source.isLegacy else { throw VaultError(.usage, "a legacy key opens rows of other programs alone") }
      return try legacyRows(source, options, LegacyOpener(secret), provider: Array(provider.utf8), beginning)
    }
  }

  private static func legacyRows(
    _ source: ImportSource, _ options: ImportOptions, _ opener: LegacyOpener, provider: [UInt8], _ beginning: Lines?
  ) throws(VaultError) -> (any RowForm, LegacyTrial.Outcome?) {
    let trial = LegacyTrial(source, beginning, opener)
    let outcome: LegacyTrial.Outcome?
    if let form = options.form { outcome = try trial.outcome(of: form) } else { outcome = try trial.search() }
    let form = outcome?.form ?? LegacyForm(source == .sqliteTokens ? .cbcRaw : .gcmRaw)
    guard source == .sqliteTokens else { return (AccountRows(provider: provider, form: form, opener: opener), outcome) }
    return (TokenRows(provider: provider, form: form, opener: options.keepSealed ? nil : opener), outcome)
  }
}

extension ImportPass {
  /// Gives away what was rejected.
  fileprivate mutating func handOver(to rejected: (RejectedRow) throws(VaultError) -> Void) throws(VaultError) {
    while !self.rejected.isEmpty { try rejected(self.rejected.removeFirst()) }
  }
}
