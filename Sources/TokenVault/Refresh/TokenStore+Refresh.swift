internal import Glibc
public import VaultEngine

/// Refreshing, once: of all processes and tasks that find a token expired at the same moment, one asks the endpoint, and the
/// others get what it was given. A new token is on the disk before anybody sees it.
///
/// That a refresh begins is on the disk before the endpoint is asked; should the process die before the answer is, that can be
/// seen, and the next call tries again. Room for the answer is taken at the same time: where the disk has none, nobody is asked.
/// A refresh that fails is recorded, leaves the old token, and is not repeated within a cool-down.
extension TokenStore {
  /// The token of `id`, refreshed by a program unless it is valid for `span` yet. Blocks the thread.
  ///
  /// The program is given the stored token's JSON on standard input, and prints the token endpoint's answer, of up to 1 MiB. It
  /// is started without a shell and does not inherit the variable that holds this process's key.
  ///
  /// - Parameters:
  ///   - span: how long the access token must be valid yet. One of which nobody said when it expires counts as valid.
  ///   - command: the program, which is searched in `$PATH` unless it has a slash, and its arguments.
  /// - Returns: the token; it may expire sooner than asked when it was refreshed just now.
  /// - Throws: `not-found`; `reauth-needed` when the account is revoked, or the endpoint says that the refresh token is good no
  ///   more; `unavailable` when the refresh failed, or one failed within the cool-down; `locked`; `conflict` when the entry was
  ///   removed or revoked meanwhile; otherwise as `Vault.commit(_:)`.
  @discardableResult
  public func refresh(
    _ id: TokenID, validFor span: Duration, options: RefreshOptions = RefreshOptions(),
    by context: AuditContext = .none, command: [String]
  ) throws(VaultError) -> RefreshedToken {
    let call = try RefreshCall(self, id, span, options, context)
    return try refresh(call) { (token, lock) throws(RefreshFailure) in
      try RefreshCommand(words: command, lock: lock, timeLimit: call.timeLeft).answer(for: token)
    }
  }

  /// The same by the caller's own code. It is not stopped when the time limit is over.
  ///
  /// - Parameter refresh: is given the stored token and gives the endpoint's answer, which may be an error's JSON too; it throws
  ///   ``RefreshFailure`` to say why there is none.
  /// - Throws: as ``refresh(_:validFor:options:by:command:)``.
  @discardableResult
  public func refresh(
    _ id: TokenID, validFor span: Duration, options: RefreshOptions = RefreshOptions(),
    by context: AuditContext = .none, using refresh: (OAuthToken) throws -> OAuthToken
  ) throws(VaultError) -> RefreshedToken {
    let call = try RefreshCall(self, id, span, options, context)
    return try self.refresh(call) { (token, _) throws(RefreshFailure) in
      try RefreshFailure.catching { try refresh(token) }
    }
  }

  private func refresh(
    _ call: RefreshCall, _ ask: (OAuthToken, ByteLock) throws(RefreshFailure) -> OAuthToken
  ) throws(VaultError) -> RefreshedToken {
    let sight = try instruments.measure(instruments.read) { () throws(VaultError) in try call.look() }
    if let valid = sight.valid { return RefreshedToken(stored: valid, isNew: false) }
    return try instruments.measure(instruments.refresh) { () throws(VaultError) in
      let lock = try Self.wait(for: call)
      defer { lock.release() }
      switch try call.begin(after: sight) {
      case .over(let stored): return RefreshedToken(stored: stored, isNew: false)
      case .ask(let entry):
        let token = try entry.token()
        return try call.end(entry, Result { () throws(RefreshFailure) in try ask(token, lock) })
      }
    }
  }

  private static func wait(for call: RefreshCall) throws(VaultError) -> ByteLock {
    var pauses = RefreshLock.Pauses()
    while true {
      if let lock = try call.lock.take() { return lock }
      guard !call.isLate else { throw call.lock.timeout }
      usleep(UInt32(pauses.take()))
    }
  }

  /// Whether the token of `id` is being refreshed, or a refresh of it was interrupted. Takes no lock; without an entry it is
  /// ``RefreshState/none``.
  ///
  /// - Throws: as ``Vault/entry(named:)``.
  public func refreshState(of id: TokenID) throws(VaultError) -> RefreshState {
    guard let time = try state(of: id).entry?.value.refreshing else { return .none }
    guard try !RefreshLock(of: id, in: vault).isHeld else { return .running(since: time) }
    // It may have ended between the two looks.
    guard let time = try state(of: id).entry?.value.refreshing else { return .none }
    return .interrupted(at: time)
  }
}
