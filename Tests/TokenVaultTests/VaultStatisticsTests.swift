import Foundation
import JSONText
import Logging
import Metrics
import Synchronization
import Testing
import TokenVault

/// What operators count.
@Suite struct VaultStatisticsTests {
  private let time = TestClock(1_790_000_000)

  private func store(_ temporary: TemporaryVault) -> TokenStore {
    let time = time
    return TokenStore(
      temporary.vault, logger: Logger(label: "test"), metrics: NOOPMetricsHandler.instance, now: { time.microseconds })
  }

  private func link(_ user: String, _ provider: String, _ json: String, in store: TokenStore) throws {
    try store.link(
      NewAccount(ProviderAccount(id: user + "-account"), token: OAuthToken(json)),
      for: TokenID(user: user, provider: provider))
  }

  // Defends: each number counts what its name says.
  @Test func counts() throws {
    let temporary = try TemporaryVault()
    let store = store(temporary)
    let now = time.seconds
    #expect(try store.statistics().entries == 0)
    try store.put(OAuthToken(#"{"access_token":"a","expires_at":\#(now - 1)}"#), for: TokenID(user: "u-1"))
    try store.put(OAuthToken(#"{"access_token":"a","expires_at":\#(now + 86_400)}"#), for: TokenID(user: "u-2"))
    try store.put(OAuthToken(#"{"access_token":"a","expires_at":\#(now + 86_402)}"#), for: TokenID(user: "u-3"))
    try store.put(OAuthToken(#"{"access_token":"a"}"#), for: TokenID(user: "u-4"), ttl: .seconds(1))
    try store.put(OAuthToken(#"{"access_token":"a"}"#), for: TokenID(user: "u-5"))
    try store.delete(TokenID(user: "u-5"))
    try link("u-6", "reddit", #"{"refresh_token":"r","access_token":"a","expires_in":100}"#, in: store)
    try link("u-7", "reddit", #"{"refresh_token":"r","access_token":"a","expires_in":100}"#, in: store)
    try link("u-8", "a\"b\\c\nd", #"{"refresh_token":"r"}"#, in: store)
    try store.revoke(TokenID(user: "u-7", provider: "reddit"))
    try store.setReadAuditing(.sampled(oneIn: 1_000_000_000))
    let name = Array("u-9".utf8)
    var batch = try VaultBatch()
    try batch.put(name.span, value: [2, 0].span)
    try temporary.vault.commit(batch)
    time.advance(bySeconds: 1)
    let found = try store.statistics()
    #expect(found.entries == 6 && found.over == 1 && found.unreadable == 1)
    #expect(found.expired == 1 && found.expiringWithinADay == 2)
    #expect(found.accounts[Array("reddit".utf8)]?.active == 1 && found.accounts[Array("reddit".utf8)]?.revoked == 1)
    #expect(found.accounts.count == 2)
    #expect(found.events == [.linked: 3, .revoked: 1, .configured: 1])
    #expect(found.generation == 1 && found.terms == 1 && found.slots == 1 && found.legacyRecords == 0)
    #expect(found.newestWrite.map { abs($0 - Vault.currentTime()) < 600_000_000 } == true)
    #expect(found.fileBytes >= found.liveBytes + found.deadBytes && found.lastVersion == temporary.lastVersion)
  }

  // Defends: what is said to be dead is what a compaction frees, and nothing is dead behind it.
  @Test func deadBytesAreThoseThatACompactionFrees() throws {
    let temporary = try TemporaryVault()
    let store = store(temporary)
    for round in 0..<20 {
      let token = try OAuthToken(#"{"access_token":"\#(round)"}"#)
      try store.put(contentsOf: (0..<100).map { NewToken(token, for: try TokenID(user: "u\($0)")) })
    }
    let before = try store.statistics()
    let report = try Vault.compact(at: temporary.vault.path, credential: TemporaryVault.credential())
    #expect(report.bytesAfter.distance(to: before.liveBytes).magnitude < 8192)
    #expect(before.deadBytes > 400_000)
    let after = try store.statistics()
    #expect(after.deadBytes < 8192 && after.generation == 2 && after.entries == 100)
  }

  // Defends: the text is what Prometheus reads: help and type before each name, each series once, label values escaped; and
  // neither it nor the JSON has the name of a user.
  @Test func forms() throws {
    let temporary = try TemporaryVault()
    let store = store(temporary)
    try link("c4n4ry", "a\"b\\c\r\nd", #"{"refresh_token":"c4n4ry"}"#, in: store)
    let statistics = try store.statistics()
    let text = statistics.prometheusText
    #expect(text.contains(#"tokenvault_accounts{provider="a\"b\\c"# + "\r" + #"\nd",state="active"} 1"# + "\n"))
    var (named, series): (Set<Substring>, Set<Substring>) = ([], [])
    for line in text.utf8.split(separator: UInt8(ascii: "\n")).map({ Substring($0) }) {
      if line.hasPrefix("# TYPE ") {
        #expect(named.insert(line.dropFirst(7).prefix { $0 != " " }).inserted)
        #expect(line.hasSuffix(" gauge"))
      } else if !line.hasPrefix("# HELP ") {
        #expect(named.contains(line.prefix { $0 != " " && $0 != "{" }), "\(line)")
        #expect(series.insert(line.prefix { $0 != " " }).inserted, "\(line)")
        #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
      }
    }
    #expect(series.count > 20 && text.hasSuffix("\n"))
    let json = statistics.json
    _ = try JSONValue(parsing: Array(json.utf8).span)
    #expect(json.contains(#""accounts":[{"provider":"a\"b\\c\r\nd","state":"active","count":1}"#))
    #expect(!(text + json).contains("c4n4ry"))
  }
}

/// A clock that stands still until it is told to go on.
private final class TestClock: Sendable {
  private let time: Mutex<Int64>

  init(_ seconds: Int64) { time = Mutex(seconds * 1_000_000) }

  var microseconds: Int64 { time.withLock { $0 } }
  var seconds: Int64 { microseconds / 1_000_000 }
  func advance(bySeconds seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
}

extension TemporaryVault {
  fileprivate var lastVersion: UInt64? { try? vault.snapshot().lastVersion }
}
