internal import VaultCrypto
public import VaultEngine

/// A token storage that can say which tokens it has.
public protocol TokenCatalog: TokenStorage {
  /// The ids of all tokens, in any order, each once.
  func ids() async throws(VaultError) -> [TokenID]
}

extension VaultTokenStorage: TokenCatalog {
  /// The ids of all entries that are not over and not revoked, sorted by user and provider as bytes; those of records that another
  /// program sealed too.
  public func ids() async throws(VaultError) -> [TokenID] {
    try await read { (store) throws(VaultError) in try store.ids() }
  }
}

extension TokenStore {
  fileprivate func ids() throws(VaultError) -> [TokenID] {
    var ids: [TokenID] = []
    let time = now()
    try vault.snapshot().forEachEntry { (entry) throws(VaultError) in
      guard let id = TokenID(recordName: entry.name) else { return }
      // What can't be read is asked for by its name, and is that token's error then.
      if !entry.isLegacy, let value = try? EntryValue.decode(entry.value).value {
        if let expiry = value.expiry, expiry <= time { return }
        if value.revoked != nil { return }
      }
      ids.append(id)
    }
    return ids.sorted { $0.recordName.lexicographicallyPrecedes($1.recordName) }
  }
}

/// What a copy from one storage to another did, or has done so far.
public struct CopyReport: Sendable {
  /// A token that could not be copied.
  public struct Failed: Sendable {
    /// Whose it is.
    public let id: TokenID
    /// Why.
    public let error: VaultError
  }

  /// Tokens that the source had when it began.
  public internal(set) var total = 0
  /// Tokens that were stored in the target, read back there, and found to be the same byte for byte.
  public internal(set) var copied = 0
  /// Tokens that were the same there already.
  public internal(set) var equal = 0
  /// Tokens of which the target has another one, which was left alone.
  public internal(set) var different = 0
  /// Tokens that were deleted in the source meanwhile.
  public internal(set) var vanished = 0
  /// Tokens that could not be copied.
  public internal(set) var failed: [Failed] = []

  /// Tokens that were gone over.
  public var done: Int { copied + equal + different + vanished + failed.count }
  /// Whether the target has all tokens now that the source had.
  public var isComplete: Bool { done == total && different == 0 && failed.isEmpty }
}

extension TokenCatalog {
  /// Copies all tokens to another storage, and reads each back there to compare it.
  ///
  /// What is the same there already is passed over, so a copy that was interrupted is simply run again. Tokens are copied, and nothing
  /// else: not when they were stored, not for how long, not who an account is; between two vaults an export does that.
  ///
  /// - Parameters:
  ///   - target: where to.
  ///   - replacing: whether a different token there is replaced. Without it, it is left alone and counted: it may be the newer one.
  ///   - progress: is told what was done so far.
  /// - Throws: what concerns a whole storage, such as `io` or `locked`. What concerns one token is in the report.
  @discardableResult
  public func copy(
    to target: some TokenStorage, replacing: Bool = false, progress: (CopyReport) -> Void = { _ in }
  ) async throws(VaultError) -> CopyReport {
    let ids = try await ids()
    var report = CopyReport()
    report.total = ids.count
    // Writes that are made at the same time share a sync.
    for start in stride(from: 0, to: ids.count, by: 64) {
      let portion = ids[start..<min(start + 64, ids.count)]
      let outcomes = await withTaskGroup(of: (TokenID, Result<TokenCopy.Outcome, VaultError>).self) { (group) in
        for id in portion {
          group.addTask {
            do throws(VaultError) {
              return (id, .success(try await TokenCopy.copy(id, from: self, to: target, replacing: replacing)))
            } catch {
              return (id, .failure(error))
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      for (id, outcome) in outcomes { try report.add(outcome, of: id) }
      progress(report)
    }
    return report
  }
}

/// One token on its way.
private enum TokenCopy {
  enum Outcome { case copied, equal, different, vanished }

  static func copy(
    _ id: TokenID, from source: some TokenStorage, to target: some TokenStorage, replacing: Bool
  ) async throws(VaultError) -> Outcome {
    guard let token = try await source.token(for: id) else { return .vanished }
    if let there = try await target.token(for: id) {
      guard !there.hasSameJSON(as: token) else { return .equal }
      guard replacing else { return .different }
    }
    try await target.store(token, for: id)
    guard let written = try await target.token(for: id), written.hasSameJSON(as: token) else {
      throw VaultError(
        .conflict, "what was read back is not what was stored: others write there, or it keeps no tokens as they are")
    }
    return .copied
  }
}

extension CopyReport {
  /// - Throws: an error that concerns more than this token.
  fileprivate mutating func add(
    _ outcome: Result<TokenCopy.Outcome, VaultError>, of id: TokenID
  ) throws(VaultError) {
    switch outcome {
    case .success(.copied): copied += 1
    case .success(.equal): equal += 1
    case .success(.different): different += 1
    case .success(.vanished): vanished += 1
    case .failure(let error):
      switch error.code {
      case .conflict, .frameDamaged, .unsupportedFeature, .invalidToken, .invalidName, .valueTooLarge, .limitExceeded:
        failed.append(Failed(id: id, error: error))
      default: throw error
      }
    }
  }
}

extension OAuthToken {
  fileprivate func hasSameJSON(as other: OAuthToken) -> Bool {
    withJSON { (left) in other.withJSON { (right) in left.equals(right) } }
  }
}
