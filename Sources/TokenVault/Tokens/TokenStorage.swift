internal import Dispatch
public import Logging
public import Metrics
internal import Synchronization

/// Somewhere to keep tokens: a vault, or anything else that keeps them.
public protocol TokenStorage: Sendable {
  /// Stores a token in the place of the one before; on return it is durable.
  func store(_ token: OAuthToken, for id: TokenID) async throws(VaultError)

  /// The token of `id`; `nil`, which is not an error, when there is none.
  func token(for id: TokenID) async throws(VaultError) -> OAuthToken?

  /// Deletes the token of `id`.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  func delete(_ id: TokenID) async throws(VaultError) -> Bool

  /// Whether there is a token of `id`.
  func has(_ id: TokenID) async throws(VaultError) -> Bool
}

/// A vault as asynchronous code uses it.
///
/// Calls run side by side: writes that are made at the same time share a write and a sync, and reads wait for no write.
/// Waiting for a disk or a lock never blocks Swift's cooperative threads.
public final class VaultTokenStorage: TokenStorage {
  /// The calls without `async`, for code that has a thread to spare.
  public let store: TokenStore
  /// Threads that may block in a read: serial queues, each of which is given one when it is busy.
  private let readers = (0..<4).map { DispatchQueue(label: "tokenvault.read.\($0)") }
  private let reads = Atomic(0)
  /// Threads that may block in a write whose batch follows from what is read.
  private let workers = DispatchQueue(label: "tokenvault.write", attributes: .concurrent)

  /// - Parameters:
  ///   - logger: see ``TokenStore/init(_:logger:metrics:)``.
  ///   - metrics: see there.
  public init(
    _ vault: Vault, logger: Logger = Logger(label: "tokenvault"),
    metrics: any MetricsFactory = MetricsSystem.factory
  ) {
    store = TokenStore(vault, logger: logger, metrics: metrics)
  }

  /// Stores a token; on return it is on the disk.
  ///
  /// - Throws: as ``TokenStore/put(_:for:if:ttl:by:)``; `cancelled` when the task was cancelled before the write had begun.
  public func store(_ token: OAuthToken, for id: TokenID) async throws(VaultError) {
    try await store.instruments.measure(store.instruments.write) { () async throws(VaultError) in
      _ = try await change(id) { (state, batch) throws(VaultError) in
        try store.add(token, for: id, if: state.condition, ttl: nil, in: state, by: .none, to: &batch)
      }
    }
  }

  /// The token of `id`; `nil`, which is not an error, when there is none or its entry is over.
  public func token(for id: TokenID) async throws(VaultError) -> OAuthToken? {
    try await token(for: id, by: .none)
  }

  /// The same, and for the audit of reads, who it is that reads.
  public func token(for id: TokenID, by context: AuditContext) async throws(VaultError) -> OAuthToken? {
    try await read { (store) throws(VaultError) in try store.token(for: id, by: context)?.token }
  }

  /// Deletes the token of `id`.
  ///
  /// - Returns: whether there was one.
  /// - Throws: as ``TokenStore/delete(_:by:)``; `cancelled` when the task was cancelled before the write had begun.
  @discardableResult
  public func delete(_ id: TokenID) async throws(VaultError) -> Bool {
    try await unlessCancelled { [store] () throws(VaultError) in try store.delete(id) }
  }

  /// Whether there is a token of `id`, and its entry is not over.
  public func has(_ id: TokenID) async throws(VaultError) -> Bool {
    try await read { (store) throws(VaultError) in try store.tokenUnread(for: id) != nil }
  }

  /// ``TokenStore/change(_:tries:_:)`` for tasks.
  private func change<Result: Sendable>(
    _ id: TokenID, _ body: (EntryState, inout VaultBatch) throws(VaultError) -> Result
  ) async throws(VaultError) -> Result {
    var left = 100
    while true {
      left -= 1
      let state = try await read { (store) throws(VaultError) in try store.state(of: id) }
      var batch = try VaultBatch()
      let result = try body(state, &batch)
      do throws(VaultError) {
        try await commit(batch)
        return result
      } catch {
        guard left > 0, error.code == .conflict || error.code == .notFound else { throw error }
      }
    }
  }

  private func commit(_ batch: consuming VaultBatch) async throws(VaultError) {
    guard !batch.isEmpty else { return }
    let events = try store.reads.take(into: &batch)
    do throws(VaultError) {
      _ = try await store.vault.commit(batch)
    } catch {
      store.reads.giveBack(events)
      throw error
    }
  }

  /// Runs `body` on a thread that may block, whatever becomes of the task.
  func work<Result: Sendable>(
    _ body: @escaping @Sendable () throws(VaultError) -> Result
  ) async throws(VaultError) -> Result {
    let outcome: Swift.Result<Result, VaultError> = await withCheckedContinuation { (continuation) in
      workers.async { continuation.resume(returning: Swift.Result { () throws(VaultError) in try body() }) }
    }
    return try outcome.get()
  }

  func read<Result: Sendable>(
    _ body: @escaping @Sendable (TokenStore) throws(VaultError) -> Result
  ) async throws(VaultError) -> Result {
    let outcome: Swift.Result<Result, VaultError> = await withCheckedContinuation { (continuation) in
      let number = reads.wrappingAdd(1, ordering: .relaxed).oldValue
      readers[Int(UInt(bitPattern: number) % 4)].async { [store] in
        continuation.resume(returning: Swift.Result { () throws(VaultError) in try body(store) })
      }
    }
    return try outcome.get()
  }
}
