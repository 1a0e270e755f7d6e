internal import Dispatch
public import Logging
public import Metrics

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
/// Its calls run one after the other on a thread of their own: waiting for a disk or a lock never blocks Swift's cooperative
/// threads.
public actor VaultTokenStorage: TokenStorage {
  /// The calls without `async`, for code that has a thread to spare.
  nonisolated public let store: TokenStore
  private let executor = BlockingExecutor()

  /// Where the calls run.
  nonisolated public var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

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
  public func store(_ token: OAuthToken, for id: TokenID) async throws(VaultError) { try store.put(token, for: id) }

  /// The token of `id`; `nil`, which is not an error, when there is none or its entry is over.
  public func token(for id: TokenID) async throws(VaultError) -> OAuthToken? { try store.token(for: id)?.token }

  /// Deletes the token of `id`.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func delete(_ id: TokenID) async throws(VaultError) -> Bool { try store.delete(id) }

  /// Whether there is a token of `id`, and its entry is not over.
  public func has(_ id: TokenID) async throws(VaultError) -> Bool { try store.token(for: id) != nil }
}

/// Runs an actor's jobs on a serial queue, whose threads may block.
private final class BlockingExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "tokenvault")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { [self] in unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
  }
}
