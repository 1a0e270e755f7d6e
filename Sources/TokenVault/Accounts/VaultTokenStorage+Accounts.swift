public import VaultEngine

/// Accounts for tasks. Waiting for a disk, a lock or other writers never blocks Swift's cooperative threads; a task that is
/// cancelled before its call has begun gets `cancelled`, and nothing was or will be written.
extension VaultTokenStorage {
  /// ``TokenStore/link(_:for:if:by:)``.
  ///
  /// - Returns: the version of the write.
  /// - Throws: as there; `cancelled`.
  @discardableResult
  public func link(
    _ new: NewAccount, for id: TokenID, if condition: WriteCondition = .any, by context: AuditContext = .none
  ) async throws(VaultError) -> UInt64 {
    try await unlessCancelled { [store] () throws(VaultError) in
      try store.link(new, for: id, if: condition, by: context)
    }
  }

  /// ``TokenStore/account(of:)``.
  ///
  /// - Throws: as there.
  public func account(of id: TokenID) async throws(VaultError) -> Account? {
    try await read { (store) throws(VaultError) in try store.account(of: id) }
  }

  /// ``TokenStore/recordUse(of:)``.
  ///
  /// - Throws: as there; `cancelled`.
  @discardableResult
  public func recordUse(of id: TokenID) async throws(VaultError) -> Bool {
    try await unlessCancelled { [store] () throws(VaultError) in try store.recordUse(of: id) }
  }

  /// ``TokenStore/revoke(_:by:)``.
  ///
  /// - Throws: as there; `cancelled`.
  @discardableResult
  public func revoke(_ id: TokenID, by context: AuditContext = .none) async throws(VaultError) -> Bool {
    try await unlessCancelled { [store] () throws(VaultError) in try store.revoke(id, by: context) }
  }

  /// ``TokenStore/unlink(_:by:)``.
  ///
  /// - Throws: as there; `cancelled`.
  @discardableResult
  public func unlink(_ id: TokenID, by context: AuditContext = .none) async throws(VaultError) -> Bool {
    try await unlessCancelled { [store] () throws(VaultError) in try store.unlink(id, by: context) }
  }

  /// Runs `body` on a thread that may block.
  func unlessCancelled<Result: Sendable>(
    _ body: @escaping @Sendable () throws(VaultError) -> Result
  ) async throws(VaultError) -> Result {
    guard !Task.isCancelled else {
      throw VaultError(.cancelled, "the task was cancelled before its write had begun; nothing of it was written")
    }
    return try await work(body)
  }
}
