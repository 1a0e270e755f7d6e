internal import Glibc
internal import JSONText
internal import VaultEngine

/// One refresh, step by step. Each step blocks for as long as the disk takes; what waits between them is the caller's.
struct RefreshCall: Sendable {
  /// What was there when the call began.
  struct Sight: Sendable {
    /// The token, if it will do.
    let valid: StoredToken?
    fileprivate let rotated: Int64?
  }

  /// What is to be done under the lock.
  enum Step: Sendable {
    /// Nothing: somebody else has refreshed the token.
    case over(StoredToken)
    /// The endpoint is to be asked; it is on the disk that this is going to happen.
    case ask(StoredEntry)
  }

  /// Bytes that an answer needs on the disk, beside twice those of the token that it takes the place of: events, and longer
  /// tokens than before.
  private static let answerRoom = 1 << 15
  /// How long an answer waits for other writers at least.
  private static let patience = Duration.seconds(60)

  let store: TokenStore
  let id: TokenID
  let validFor: Duration
  let options: RefreshOptions
  let context: AuditContext
  let lock: RefreshLock
  private let deadline: ContinuousClock.Instant

  init(
    _ store: TokenStore, _ id: TokenID, _ validFor: Duration, _ options: RefreshOptions, _ context: AuditContext
  ) throws(VaultError) {
    self.store = store
    self.id = id
    self.validFor = validFor
    self.options = options
    self.context = context
    lock = try RefreshLock(of: id, in: store.vault)
    // No clock gets further than a century or so.
    deadline = .now + min(options.timeLimit, .seconds(1 << 32))
  }

  /// Whether the wait for the lock is over.
  var isLate: Bool { .now >= deadline }

  /// What is left for the refresh itself: a second at least.
  var timeLeft: Duration { max(deadline - .now, .seconds(1)) }

  /// Looks at what is stored, without a lock.
  ///
  /// - Throws: `not-found`; `reauth-needed` when the account is revoked.
  func look() throws(VaultError) -> Sight {
    let entry = try active(store.state(of: id))
    let stored = try StoredToken(id, entry)
    return Sight(valid: isValid(stored, for: validFor) ? stored : nil, rotated: entry.value.rotated)
  }

  /// Looks again, under the lock; where the endpoint is to be asked, that is recorded first.
  ///
  /// - Throws: `unavailable` within the cool-down; as ``look()``, and as `Vault.commit(_:)`.
  func begin(after sight: Sight) throws(VaultError) -> Step {
    try store.change(id) { (state, batch) throws(VaultError) in
      let entry = try active(state)
      let stored = try StoredToken(id, entry)
      // A new token may well expire sooner than asked: its successor would do the same.
      let isNewer = entry.value.rotated != sight.rotated
      if isValid(stored, for: validFor) || isNewer && isValid(stored, for: .zero) { return .over(stored) }
      try checkCoolDown(entry)
      var value = entry.value
      value.refreshing = store.now()
      value.updated = value.updated ?? entry.time
      try store.put(stored.token, value, for: id, if: state.condition, in: &batch)
      let wasInterrupted = entry.value.refreshing != nil
      try batch.audit(
        .refreshing, of: id, by: context, wasInterrupted ? [("after_interruption", .bool(true))] : [])
      // The answer will be nowhere else: should the disk become full meanwhile, there is room for it.
      batch.roomBehind = Self.answerRoom + 2 * entry.jsonLength
      return .ask(entry)
    }.result
  }

  /// Stores what the endpoint has given, which is on the disk then; or records why it gave nothing.
  ///
  /// - Parameter before: the entry whose token was refreshed.
  /// - Throws: `unavailable` or `reauth-needed`, if it gave nothing; as ``finish(_:with:)``.
  func end(
    _ before: StoredEntry, _ answer: Result<OAuthToken, RefreshFailure>
  ) throws(VaultError) -> RefreshedToken {
    let token: OAuthToken
    do throws(RefreshFailure) {
      token = try answer.get().asRefreshAnswer()
    } catch {
      throw fail(before, error)
    }
    do throws(VaultError) {
      return try finish(before, with: token)
    } catch {
      switch error.code {
      case .conflict: throw error
      case .valueTooLarge: throw fail(before, RefreshFailure("the answer is too long: \(error.sentence)"))
      default:
        throw VaultError(
          error.code, "the token was refreshed, and the new one could not be stored: \(error.sentence)",
          remedy: error.remedy, systemError: error.systemError)
      }
    }
  }

  /// - Throws: `conflict` when the entry has gone or was revoked meanwhile, or got another token that is of no use; otherwise as
  ///   `Vault.commit(_:)`.
  private func finish(_ before: StoredEntry, with answer: OAuthToken) throws(VaultError) -> RefreshedToken {
    let time = store.now()
    let token = try before.token().refreshed(by: answer, at: time / 1_000_000)
    let kept = try before.value.keepsAccessToken ? token : token.withoutAccessToken()
    let (theirs, versions) = try persistently { () throws(VaultError) in
      try store.change(id) { (state, batch) throws(VaultError) -> StoredToken? in
        let entry = try remaining(state)
        guard entry.hasSameToken(as: before) else { return try usable(entry) }
        var value = entry.value
        (value.rotated, value.refreshing, value.refreshFailed, value.updated) = (time, nil, nil, nil)
        value.digest = before.value.keepsAccessToken ? nil : try TokenDigest(accessTokenOf: token)
        try store.put(kept, value, for: id, if: state.condition, in: &batch)
        try batch.audit(.refreshed, of: id, by: context, superseding: before.digest())
        return nil
      }
    }
    if let theirs { return RefreshedToken(stored: theirs, isNew: false) }
    return RefreshedToken(stored: StoredToken(id, token, seq: versions[0], updated: time, before.value), isNew: true)
  }

  /// Records that the refresh failed, where the entry is still as it was.
  ///
  /// - Returns: what to throw.
  private func fail(_ before: StoredEntry, _ failure: RefreshFailure) -> VaultError {
    do throws(VaultError) {
      try store.change(id) { (state, batch) throws(VaultError) in
        guard let entry = state.entry, entry.value.revoked == nil else { return }
        if entry.hasSameToken(as: before) {
          var value = entry.value
          value.refreshing = nil
          if !failure.isCancelled { value.refreshFailed = store.now() }
          value.updated = value.updated ?? entry.time
          try store.put(entry.token(), value, for: id, if: state.condition, in: &batch)
        }
        try batch.audit(.failedRefresh, of: id, by: context, [("why", .string(failure.why))])
      }
    } catch {
      return VaultError(
        error.code, "the refresh failed: \(failure.why); and that could not be recorded: \(error.sentence)",
        remedy: error.remedy, systemError: error.systemError)
    }
    return failure.error(coolDown: options.coolDown)
  }

  // MARK: Parts

  /// The new token is nowhere else: where other writers are in the way, they are waited for a minute at least, however short a
  /// wait the vault was opened with.
  private func persistently<Result>(_ body: () throws(VaultError) -> Result) throws(VaultError) -> Result {
    let end = ContinuousClock.now + Self.patience
    var pauses = RefreshLock.Pauses()
    while true {
      do throws(VaultError) {
        return try body()
      } catch {
        guard error.code == .locked, .now < end else { throw error }
        usleep(UInt32(pauses.take()))
      }
    }
  }

  private func active(_ state: EntryState) throws(VaultError) -> StoredEntry {
    guard let entry = try TokenStore.readable(state) else {
      throw VaultError(.notFound, "there is no token of that name to refresh")
    }
    guard entry.value.revoked == nil else { throw .revoked }
    return entry
  }

  /// The entry of a state that a refresh comes back to.
  private func remaining(_ state: EntryState) throws(VaultError) -> StoredEntry {
    let entry = try TokenStore.readable(state)
    guard let entry, entry.value.revoked == nil else {
      throw VaultError(
        .conflict,
        "the entry was \(entry == nil ? "removed" : "revoked") while its token was refreshed; the new one was not stored",
        remedy: "revoke it at the provider too: it was given out")
    }
    return entry
  }

  /// A token that another has stored meanwhile, and that stays.
  private func usable(_ entry: StoredEntry) throws(VaultError) -> StoredToken {
    let stored = try StoredToken(id, entry)
    guard isValid(stored, for: .zero) else {
      throw VaultError(
        .conflict, "another token was stored while this one was refreshed, and has expired; it was left as it is",
        remedy: "refresh again")
    }
    return stored
  }

  private func isValid(_ stored: StoredToken, for span: Duration) -> Bool {
    if stored.token.accessToken?.isEmpty ?? true {
      guard stored.lacksAccessToken, !options.needsAccessToken, stored.expiresAt != nil else { return false }
    }
    guard let expiresAt = stored.expiresAt else { return true }
    let (left, overflow) = expiresAt.subtractingReportingOverflow(store.now() / 1_000_000)
    guard !overflow else { return expiresAt > 0 }
    return left >= span.wholeSeconds
  }

  private func checkCoolDown(_ entry: StoredEntry) throws(VaultError) {
    guard let failed = entry.value.refreshFailed else { return }
    let over = store.now() - failed
    // A time that is ahead is one of a clock that was wrong.
    guard over >= 0, over < options.coolDown.microseconds else { return }
    let seconds = (options.coolDown.microseconds - over + 999_999) / 1_000_000
    throw VaultError(
      .unavailable, "a refresh failed a moment ago, and may be tried again in \(seconds) s",
      remedy: "wait; or leave the wait out with --cooldown 0, if what it failed from was put right")
  }
}

extension VaultError {
  /// There is no token any more.
  static var revoked: VaultError {
    VaultError(.reauthNeeded, "the account is revoked", remedy: "the user has to give consent anew: link it again")
  }
}

extension Duration {
  /// Seconds, rounded up.
  var wholeSeconds: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
