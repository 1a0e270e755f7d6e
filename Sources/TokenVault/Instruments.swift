internal import Logging
internal import Metrics

/// What operators see of a token store: counters and durations (swift-metrics), and log lines (swift-log).
///
/// Neither ever holds a token, a key, or the name of a user: labels are operations and error codes.
struct Instruments: Sendable {
  /// What is counted and timed.
  enum Operation: String, CaseIterable, Sendable {
    case read
    case write
    case delete
  }

  private let logger: Logger
  private let metrics: any MetricsFactory
  private let counters: [Operation: Counter]
  private let timers: [Operation: Timer]

  init(logger: Logger, metrics: any MetricsFactory) {
    self.logger = logger
    self.metrics = metrics
    counters = Self.each { Counter(label: "tokenvault_\($0.rawValue)s_total", dimensions: [], factory: metrics) }
    timers = Self.each {
      Timer(label: "tokenvault_\($0.rawValue)_duration", dimensions: [], factory: metrics)
    }
  }

  private static func each<Value>(_ make: (Operation) -> Value) -> [Operation: Value] {
    Dictionary(uniqueKeysWithValues: Operation.allCases.map { ($0, make($0)) })
  }

  /// Runs `body`, counts it, times it, and logs how it ended.
  func measure<Result>(
    _ operation: Operation, _ body: () throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    let start = ContinuousClock.now
    do {
      let result = try body()
      let (seconds, attoseconds) = (ContinuousClock.now - start).components
      timers[operation]?.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
      counters[operation]?.increment()
      logger.debug("\(operation.rawValue) done")
      return result
    } catch {
      let dimensions = [("code", error.code.description)]
      Counter(label: "tokenvault_errors_total", dimensions: dimensions, factory: metrics).increment()
      logger.error("\(operation.rawValue) failed", metadata: ["code": "\(error.code)"])
      throw error
    }
  }
}
