internal import Logging
internal import Metrics

/// What operators see of a token store: counters and durations (swift-metrics), and log lines (swift-log).
///
/// Neither ever holds a token, a key, or the name of a user: labels are operations and error codes.
struct Instruments: Sendable {
  /// What is counted and timed.
  struct Operation: Sendable {
    fileprivate let name: StaticString
    fileprivate let count: Counter
    fileprivate let duration: Timer

    fileprivate init(_ name: StaticString, plural: StaticString, _ metrics: any MetricsFactory) {
      self.name = name
      count = Counter(label: "tokenvault_\(plural)_total", dimensions: [], factory: metrics)
      duration = Timer(label: "tokenvault_\(name)_duration", dimensions: [], factory: metrics)
    }
  }

  let read: Operation
  let write: Operation
  let delete: Operation
  /// A refresh that found no valid token at first; the waiting for others is part of its duration.
  let refresh: Operation
  private let logger: Logger
  private let metrics: any MetricsFactory

  init(logger: Logger, metrics: any MetricsFactory) {
    self.logger = logger
    self.metrics = metrics
    read = Operation("read", plural: "reads", metrics)
    write = Operation("write", plural: "writes", metrics)
    delete = Operation("delete", plural: "deletes", metrics)
    refresh = Operation("refresh", plural: "refreshes", metrics)
  }

  /// Runs `body`, counts it, times it, and logs how it ended.
  func measure<Result>(
    _ operation: Operation, _ body: () throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    let start = ContinuousClock.now
    do {
      let result = try body()
      noteSuccess(of: operation, since: start)
      return result
    } catch {
      noteFailure(of: operation, error)
      throw error
    }
  }

  /// The same for a body that suspends.
  func measure<Result>(
    _ operation: Operation, _ body: () async throws(VaultError) -> Result
  ) async throws(VaultError) -> Result {
    let start = ContinuousClock.now
    do {
      let result = try await body()
      noteSuccess(of: operation, since: start)
      return result
    } catch {
      noteFailure(of: operation, error)
      throw error
    }
  }

  private func noteSuccess(of operation: Operation, since start: ContinuousClock.Instant) {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    operation.duration.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    operation.count.increment()
    logger.debug("\(operation.name) done")
  }

  /// A read could not be recorded, which keeps nobody from reading.
  func noteAuditFailure(_ error: VaultError) {
    Counter(label: "tokenvault_audit_errors_total", dimensions: [("code", error.code.description)], factory: metrics)
      .increment()
    logger.error("reads could not be audited", metadata: ["code": "\(error.code)"])
  }

  private func noteFailure(of operation: Operation, _ error: VaultError) {
    let dimensions = [("code", error.code.description)]
    Counter(label: "tokenvault_errors_total", dimensions: dimensions, factory: metrics).increment()
    // A condition that does not hold is an answer that its caller asked for.
    logger.log(
      level: error.code == .conflict ? .debug : .error, "\(operation.name) failed",
      metadata: ["code": "\(error.code)"])
  }
}
