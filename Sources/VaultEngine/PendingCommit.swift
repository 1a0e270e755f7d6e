/// A batch that was handed over to be committed; see ``Vault/submit(_:)``.
public struct PendingCommit: Sendable {
  /// `nil` for an empty batch.
  private let request: CommitRequest?

  init(_ request: CommitRequest?) { self.request = request }

  /// Whether the outcome is there.
  package var isFinished: Bool { request?.isFinished ?? true }

  /// Blocks the thread until the batch is on the disk. May be asked as often as one likes.
  ///
  /// - Returns, throws: as `Vault.commit(_:)`.
  @discardableResult
  public func wait() throws(VaultError) -> [UInt64] { try request?.outcome().get() ?? [] }
}
