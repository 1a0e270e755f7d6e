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
    let watched = try WatchedStore()
    let (store, metrics) = (watched.store, watched.metrics)
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
    let all = watched.lines
    #expect(all.count == 4)
    #expect(!(all + counts.keys).joined().contains("c4n4ry"))
  }

  // Defends: calls of accounts are counted as the reads, writes and deletes that they are; and through all calls, those that
  // fail among them, no log line and no label ever holds a token, a user, a provider's account or a key.
  @Test(.ownThreads) func noCallTellsASecret() async throws {
    let watched = try WatchedStore()
    let (store, metrics) = (watched.store, watched.metrics)
    let id = try TokenID(user: "c4n4ryA", provider: "c4n4ryP")
    let other = try TokenID(user: "c4n4ryB", provider: "c4n4ryP")
    let context = try AuditContext(actor: "c4n4ryActor", reason: "c4n4ryReason", userAgent: "c4n4ryAgent")
    let token = try OAuthToken(#"{"access_token":"c4n4ryAT","refresh_token":"c4n4ryRT"}"#)
    let new = NewAccount(try ProviderAccount(id: "c4n4ryAccount", name: "c4n4ryName"), token: token)

    try store.link(new, for: id, by: context)
    #expect(metrics.counts["tokenvault_writes_total"] == 1)
    #expect(throws: VaultError(.conflict, "")) { try store.link(new, for: other, by: context) }
    _ = try store.account(of: id)
    #expect(metrics.counts["tokenvault_reads_total"] == 1)
    try store.recordUse(of: id)
    try store.put(token, for: id, by: context)
    #expect(metrics.counts["tokenvault_writes_total"] == 3)
    try store.setReadAuditing(.on, by: context)
    _ = try store.token(for: id, by: context)
    _ = try store.list()
    _ = try store.history(of: id)
    _ = try store.statistics()
    try store.events { _ in true }
    #expect(metrics.counts["tokenvault_reads_total"] == 6)
    try store.revoke(id, by: context)
    #expect(throws: VaultError(.conflict, "")) { try store.put(token, for: id) }
    try store.unlink(id, by: context)
    try store.delete(id, by: context)
    #expect(metrics.counts["tokenvault_deletes_total"] == 2)
    #expect(throws: VaultError(.notFound, "")) { try store.revoke(id, by: context) }
    #expect(throws: VaultError(.usage, "")) { try store.link(new, for: TokenID(user: "c4n4ryC")) }
    try store.put(contentsOf: [NewToken(token, for: id)])
    let storage = VaultTokenStorage(watched.vault, logger: watched.logger, metrics: metrics)
    try await storage.store(token, for: other)
    _ = try await storage.token(for: other)
    _ = try await storage.delete(other)
    // What was stored under the names by another program, and what is stored under the settings' name.
    for name in [id.user + [0] + id.provider, [0] + Array("settings".utf8)] {
      var batch = try VaultBatch()
      try batch.put(name.span, value: Array("c4n4ry".utf8).span)
      try await watched.vault.commit(batch)
    }
    #expect(throws: VaultError(.unsupportedFeature, "")) { try store.token(for: id) }
    #expect(throws: VaultError(.unsupportedFeature, "")) { try store.account(of: id) }
    #expect(throws: VaultError(.unsupportedFeature, "")) { try store.list() }
    #expect(throws: VaultError(.frameDamaged, "")) { try store.readAuditing() }
    try store.put(token, for: other)
    _ = try store.token(for: other)
    try store.flush()
    try watched.vault.close()
    #expect(throws: VaultError(.handleFailed, "")) { try store.token(for: other) }
    #expect(throws: VaultError(.handleFailed, "")) { try store.put(token, for: other) }

    let counts = metrics.counts
    #expect(counts["tokenvault_errors_total{code=conflict}"] == 2)
    #expect(counts["tokenvault_errors_total{code=unsupported-feature}"] == 3)
    #expect(counts["tokenvault_errors_total{code=handle-failed}"] == 2)
    #expect(counts["tokenvault_audit_errors_total{code=frame-damaged}"] != nil)
    #expect(counts["tokenvault_read_duration"] == counts["tokenvault_reads_total"])
    let all = (watched.lines + counts.keys).joined(separator: "\n")
    #expect(all.contains("failed") && !all.contains("c4n4ry"))
    #expect(!all.contains(String(repeating: "07", count: 8)), "the key")
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

/// A store whose log lines and counts are kept.
private final class WatchedStore {
  private let temporary: TemporaryVault
  private let log = LineLog()
  let metrics = RecordingMetrics()
  let logger: Logger
  let store: TokenStore

  var vault: Vault { temporary.vault }
  var lines: [String] { log.lines }

  init() throws {
    temporary = try TemporaryVault()
    let sink = LineSink { [log] in log.add($0) }
    var logger = Logger(label: "test") { _ in sink }
    logger.logLevel = .trace
    self.logger = logger
    store = TokenStore(temporary.vault, logger: logger, metrics: metrics)
  }
}

/// Lines from any thread.
private final class LineLog: Sendable {
  private let kept = Mutex<[String]>([])

  var lines: [String] { kept.withLock { $0 } }
  func add(_ line: String) { kept.withLock { $0.append(line) } }
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
