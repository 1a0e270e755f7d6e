import CoreMetrics
import Logging
import Metrics
import Synchronization
import Testing
import TokenVault

/// What operators see.
@Suite struct InstrumentsTests {
  @Test func countsAndLogsWithoutSecrets() throws {
    // Defends: reads, writes, deletes, errors and durations are counted, and no log line or label holds a token or a user.
    let metrics = RecordingMetrics()
    let lines = Mutex<[String]>([])
    let sink = LineSink { (line) in lines.withLock { $0.append(line) } }
    var logger = Logger(label: "test") { _ in sink }
    logger.logLevel = .trace
    let temporary = try TemporaryVault()
    let store = TokenStore(temporary.vault, logger: logger, metrics: metrics)
    let id = try TokenID(user: "c4n4ryUser")
    try store.put(OAuthToken(#"{"access_token":"c4n4ryToken"}"#), for: id)
    _ = try store.token(for: id)
    #expect(throws: VaultError.self) { try store.put(OAuthToken("{}"), for: id, if: .absent) }
    try store.delete(id)
    let counts = metrics.counts
    #expect(counts["tokenvault_writes_total"] == 1)
    #expect(counts["tokenvault_reads_total"] == 1)
    #expect(counts["tokenvault_deletes_total"] == 1)
    #expect(counts["tokenvault_errors_total{code=conflict}"] == 1)
    #expect(counts["tokenvault_write_duration"] == 1)
    let all = lines.withLock { $0 }
    #expect(all.count == 4)
    #expect(!(all + counts.keys).joined().contains("c4n4ry"))
  }

  @Test func refreshesAreCounted() throws {
    // Defends: a refresh is counted and timed, one that fails is counted as an error, and one that was not needed as a read.
    let metrics = RecordingMetrics()
    let temporary = try TemporaryVault()
    let store = TokenStore(temporary.vault, metrics: metrics)
    let id = try TokenID(user: "ada")
    try store.put(OAuthToken(#"{"access_token":"a","expires_at":1}"#), for: id)
    for answer in ["{}", #"{"access_token":"b"}"#, "{}"] {
      var options = RefreshOptions()
      options.coolDown = .zero
      _ = try? store.refresh(id, validFor: .zero, options: options) { (_) in try OAuthToken(answer) }
    }
    let counts = metrics.counts
    #expect(counts["tokenvault_refreshes_total"] == 1 && counts["tokenvault_refresh_duration"] == 1)
    #expect(counts["tokenvault_errors_total{code=unavailable}"] == 1)
    #expect(counts["tokenvault_reads_total"] == 3)
  }
}

/// Keeps log lines with their metadata.
private struct LineSink: LogHandler {
  let write: @Sendable (String) -> Void
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .trace

  init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { write("\(event.level) \(event.message) \(event.metadata ?? [:])") }
}

/// Counts by label.
private final class RecordingMetrics: MetricsFactory {
  private let values = Mutex<[String: Int64]>([:])

  var counts: [String: Int64] { values.withLock { $0 } }

  private func add(_ label: String, _ dimensions: [(String, String)], _ amount: Int64) {
    let suffix = dimensions.isEmpty ? "" : "{" + dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: ",") + "}"
    values.withLock { $0[label + suffix, default: 0] += amount }
  }

  private final class Instrument: CounterHandler, TimerHandler, RecorderHandler {
    let add: @Sendable (Int64) -> Void

    init(_ add: @escaping @Sendable (Int64) -> Void) { self.add = add }

    func increment(by amount: Int64) { add(amount) }
    func reset() {}
    func recordNanoseconds(_ duration: Int64) { add(1) }
    func record(_ value: Int64) { add(1) }
    func record(_ value: Double) { add(1) }
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    Instrument { [self] in add(label, dimensions, $0) }
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    Instrument { [self] in add(label, dimensions, $0) }
  }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    Instrument { [self] in add(label, dimensions, $0) }
  }

  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
}
