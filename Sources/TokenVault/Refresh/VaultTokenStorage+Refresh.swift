public import VaultEngine

extension VaultTokenStorage {
  /// The token of `id`, refreshed by the caller's own code unless it is valid for `span` yet.
  ///
  /// Of all tasks and processes that find it expired at the same moment, one asks the endpoint, and the others get what it was
  /// given. The new token is on the disk before anybody sees it. See ``TokenStore/refresh(_:validFor:options:by:command:)``.
  ///
  /// - Parameters:
  ///   - span: how long the access token must be valid yet.
  ///   - refresh: is given the stored token and gives the endpoint's answer, which may be an error's JSON too; it throws
  ///     ``RefreshFailure`` to say why there is none. Its task is cancelled when the time limit is over; an answer that it gives
  ///     all the same is stored.
  /// - Throws: as there; `cancelled` when the task was cancelled before the endpoint had answered.
  @discardableResult
  public func refresh(
    _ id: TokenID, validFor span: Duration, options: RefreshOptions = RefreshOptions(),
    by context: AuditContext = .none, using refresh: @escaping @Sendable (OAuthToken) async throws -> OAuthToken
  ) async throws(VaultError) -> RefreshedToken {
    let call = try RefreshCall(store, id, span, options, context)
    let instruments = store.instruments
    let sight = try await instruments.measure(instruments.read) { () async throws(VaultError) in
      try await read { (_) throws(VaultError) in try call.look() }
    }
    if let valid = sight.valid { return RefreshedToken(stored: valid, isNew: false) }
    return try await instruments.measure(instruments.refresh) { () async throws(VaultError) in
      let lock = try await wait(for: call)
      defer { lock.release() }
      switch try await work({ () throws(VaultError) in try call.begin(after: sight) }) {
      case .over(let stored): return RefreshedToken(stored: stored, isNew: false)
      case .ask(let entry):
        let token = try entry.token()
        let answer = await Self.answer(of: refresh, for: token, within: call.timeLeft)
        // From here on nothing is given up, whoever is cancelled: the answer is nowhere else.
        return try await work { () throws(VaultError) in try call.end(entry, answer) }
      }
    }
  }

  private func wait(for call: RefreshCall) async throws(VaultError) -> ByteLock {
    var pauses = RefreshLock.Pauses()
    while true {
      if let lock = try await work({ () throws(VaultError) in try call.lock.take() }) { return lock }
      guard !call.isLate else { throw call.lock.timeout }
      do {
        try await Task.sleep(for: .microseconds(pauses.take()))
      } catch {
        throw VaultError(.cancelled, "the task was cancelled while it waited for another refresh")
      }
    }
  }

  /// What `refresh` gives or throws; its task is cancelled after `limit`.
  private static func answer(
    of refresh: @escaping @Sendable (OAuthToken) async throws -> OAuthToken, for token: OAuthToken,
    within limit: Duration
  ) async -> Result<OAuthToken, RefreshFailure> {
    await withTaskGroup(of: Result<OAuthToken, RefreshFailure>?.self) { (group) in
      group.addTask {
        do {
          return .success(try await refresh(token))
        } catch {
          return .failure(RefreshFailure(thrown: error))
        }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      var isLate = false
      while let result = await group.next() {
        guard let result else {
          isLate = !Task.isCancelled
          group.cancelAll()
          continue
        }
        group.cancelAll()
        guard isLate, case .failure(let failure) = result, failure.isCancelled else { return result }
        return .failure(RefreshFailure("it took longer than \(limit.wholeSeconds) s, and was cancelled"))
      }
      return .failure(RefreshFailure("it gave no answer"))
    }
  }
}
