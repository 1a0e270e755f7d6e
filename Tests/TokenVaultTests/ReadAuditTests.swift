import Foundation
import Glibc
import JSONText
import Logging
import Metrics
import Synchronization
import Testing
import TokenVault

/// Reads that are audited.
@Suite struct ReadAuditTests {
  let temporary: TemporaryVault
  let store: TokenStore
  let id: TokenID

  init() throws {
    temporary = try TemporaryVault()
    store = Self.patient(temporary.vault)
    id = try TokenID(user: "mara", provider: "reddit")
    try store.put(OAuthToken(#"{"access_token":"at-1"}"#), for: id)
  }

  /// A store whose reads wait for an hour, so that no test need be done within a second.
  private static func patient(_ vault: Vault, milliseconds: Int = 3_600_000) -> TokenStore {
    TokenStore(
      vault, logger: Logger(label: "test"), metrics: NOOPMetricsHandler.instance, now: Vault.currentTime,
      readsWait: milliseconds)
  }

  private func open(readOnly: Bool = false) throws -> TokenStore {
    var options = VaultOptions()
    options.readOnly = readOnly
    return Self.patient(
      try Vault.open(at: temporary.vault.path, credential: TemporaryVault.credential(), options: options))
  }

  private func reads() throws -> [AuditEvent] {
    var query = AuditQuery()
    query.kinds = [.read]
    var events: [AuditEvent] = []
    try store.events(query) { (event) in
      events.append(event)
      return true
    }
    return events
  }

  private var version: UInt64 { get throws { try temporary.vault.snapshot().lastVersion } }

  // Defends: nothing is noted until somebody asks for it; and the setting is kept, shown, and has an event.
  @Test func offUnlessSet() throws {
    #expect(try store.readAuditing() == .off)
    let before = try version
    _ = try store.token(for: id)
    try store.flush()
    #expect(try version == before)
    for setting in [ReadAuditing.on, .sampled(oneIn: 7), .off] {
      try store.setReadAuditing(setting, by: AuditContext(actor: "root"))
      #expect(try store.readAuditing() == setting)
      #expect(try open().readAuditing() == setting)
    }
    #expect(throws: VaultError(.usage, "")) { try store.setReadAuditing(.sampled(oneIn: 0)) }
    #expect(throws: VaultError(.usage, "")) { try store.setReadAuditing(.sampled(oneIn: .max)) }
    var settings: [String] = []
    try store.events { (event) in
      settings.append("\(event.kind) \(event.context.actor ?? "") \(event.detailsJSON)")
      return true
    }
    #expect(
      settings == [
        #"configured root {"audit_reads":"on"}"#, #"configured root {"audit_reads":"sampled","one_in":7}"#,
        #"configured root {"audit_reads":"off"}"#,
      ])
  }

  // Defends: a read has its event with who and when, and no sync of its own: it comes with the next write, in its batch.
  @Test func comesWithTheNextWrite() throws {
    try store.setReadAuditing(.on)
    let before = try version
    let start = Vault.currentTime()
    #expect(try store.token(for: id, by: AuditContext(actor: "web-1", ipAddress: "192.0.2.7")) != nil)
    let end = Vault.currentTime()
    #expect(try version == before)
    let seq = try store.put(OAuthToken(#"{"access_token":"at-2"}"#), for: TokenID(user: "ivo"))
    #expect(seq == before + 1)
    let event = try #require(try reads().first)
    #expect(event.seq == seq + 1 && event.id == id && event.context.actor == "web-1")
    #expect(event.context.ipAddress == "192.0.2.7" && (start...end).contains(event.time))
    #expect(!event.detailsJSON.contains("at-1"))
    #expect(try reads().count == 1)
  }

  // Defends: what gives nobody a token is no read: a name that is not there, a revoked account, an account's data, a look
  // whether there is one.
  @Test(.ownThreads) func whatIsNoRead() async throws {
    try store.setReadAuditing(.on)
    try store.link(NewAccount(ProviderAccount(id: "t2_a"), token: OAuthToken(#"{"refresh_token":"r"}"#)), for: id)
    try store.revoke(id)
    #expect(try store.token(for: id) != nil)
    #expect(try store.token(for: TokenID(user: "nobody")) == nil)
    _ = try store.account(of: id)
    let storage = VaultTokenStorage(temporary.vault)
    #expect(try await storage.has(id))
    try store.flush()
    try storage.store.flush()
    #expect(try reads().isEmpty)
  }

  // Defends: a handle that was open before keeps to the setting from the next read on, whoever changed it.
  @Test func otherHandlesKeepToIt() throws {
    let other = try open()
    _ = try other.token(for: id)
    try store.setReadAuditing(.on)
    _ = try other.token(for: id)
    try other.flush()
    #expect(try reads().count == 1)
    try store.setReadAuditing(.off)
    _ = try other.token(for: id)
    try other.flush()
    #expect(try reads().count == 1)
  }

  // Defends: asynchronous reads are noted, and a write of a task takes them along.
  @Test(.ownThreads) func asynchronousReads() async throws {
    try store.setReadAuditing(.on)
    let storage = VaultTokenStorage(temporary.vault)
    _ = try await storage.token(for: id)
    _ = try await storage.token(for: id, by: AuditContext(actor: "task"))
    try await storage.store(OAuthToken(#"{"access_token":"at-3"}"#), for: TokenID(user: "ivo"))
    #expect(try reads().map(\.context.actor) == [nil, "task"])
  }

  // Defends: one in so many is about that many, each says so, and no pattern of reads escapes.
  @Test func samples() throws {
    try store.setReadAuditing(.sampled(oneIn: 10))
    for _ in 0..<5000 { _ = try store.token(for: id) }
    try store.flush()
    let events = try reads()
    // Less than one time in a million outside, if each is drawn by itself.
    #expect((380...620).contains(events.count), "\(events.count)")
    #expect(events.allSatisfy { $0.detailsJSON == #"{"one_in":10}"# })
  }

  // Defends: many reads are recorded without anybody's write, and none is lost or repeated.
  @Test func manyReads() throws {
    try store.setReadAuditing(.on)
    let reader = try open()
    for number in 0..<2500 { _ = try reader.token(for: id, by: AuditContext(reason: "\(number)")) }
    try waitUntil("a thousand reads are recorded by themselves") { try reads().count >= 1024 }
    try reader.flush()
    #expect(try Set(reads().map(\.context.reason)).count == 2500)
    #expect(try reads().count == 2500)
  }

  // Defends: a read does not wait for ever: after a second it is recorded, though nobody reads or writes any more.
  @Test func aLoneReadIsRecorded() throws {
    try store.setReadAuditing(.on)
    let reader = Self.patient(temporary.vault, milliseconds: 1000)
    _ = try reader.token(for: id)
    try waitUntil("the read is recorded") { try reads().count == 1 }
    withExtendedLifetime(reader) {}
  }

  // Defends: what waits is recorded when the store goes away, by a handle that only reads, too.
  @Test(arguments: [false, true]) func recordedAtTheEnd(_ readOnly: Bool) throws {
    try store.setReadAuditing(.on)
    var reader: TokenStore? = try open(readOnly: readOnly)
    _ = try reader?.token(for: id)
    #expect(try reads().isEmpty)
    reader = nil
    try waitUntil("the read is recorded") { try reads().count == 1 }
    #expect(try Vault.verify(at: temporary.vault.path, credential: TemporaryVault.credential()).findings.isEmpty)
  }

  // Defends: nothing that keeps a read from being recorded keeps it from succeeding; it is said, and tried again.
  @Test func failuresDontBlockReads() throws {
    try store.setReadAuditing(.on)
    let reader = try open(readOnly: true)
    let lock = try LockHolder(temporary.vault.path)
    #expect(try reader.token(for: id)?.token.accessToken == "at-1")
    #expect(throws: VaultError(.locked, "")) { try reader.flush() }
    #expect(try reader.token(for: id) != nil)
    lock.release()
    try reader.flush()
    #expect(try reads().count == 2)
  }

  // Defends: a write that fails does not take the reads with it.
  @Test func failedWritesGiveThemBack() throws {
    try store.setReadAuditing(.on)
    _ = try store.token(for: id)
    #expect(throws: VaultError(.conflict, "")) {
      try store.put(OAuthToken(#"{"access_token":"x"}"#), for: id, if: .version(77))
    }
    #expect(try reads().isEmpty)
    try store.flush()
    #expect(try reads().count == 1)
  }

  private func setting(_ value: String) throws {
    let (name, value) = ([0] + Array("settings".utf8), Array(value.utf8))
    var batch = try VaultBatch()
    try batch.put(name.span, value: value.span)
    try temporary.vault.commit(batch)
  }

  // Defends: what this version does not know is taken for on; what is no object is told, counts for nothing that was not known
  // before, and can be set anew. Members that are not known stay.
  @Test func strangeSettings() throws {
    for value in [
      #"{"audit_reads":"verbose"}"#, #"{"audit_reads":true}"#, #"{"audit_reads":"sampled"}"#,
      #"{"audit_reads":"sampled","one_in":0}"#, #"{"audit_reads":"sampled","one_in":-3}"#,
      #"{"audit_reads":"sampled","one_in":0.5}"#,
    ] {
      try setting(value)
      #expect(try store.readAuditing() == .on, "\(value)")
    }
    try setting(#"{"other":1}"#)
    #expect(try store.readAuditing() == .off)
    try setting("nonsense")
    #expect(throws: VaultError(.frameDamaged, "")) { try store.readAuditing() }
    #expect(try store.token(for: id) != nil)
    try store.setReadAuditing(.on)
    #expect(try store.readAuditing() == .on)
    try setting(#"{"other":1,"audit_reads":"on"}"#)
    try store.setReadAuditing(.sampled(oneIn: 3))
    var value = ""
    try temporary.vault.snapshot().forEachEntry { (entry) in
      if entry.name.array.first == 0 { value = String(decoding: entry.value.array, as: UTF8.self) }
    }
    #expect(value == #"{"audit_reads":"sampled","one_in":3,"other":1}"#)
  }

  // Defends: the vault's own records are nobody's token.
  @Test func settingsAreNoEntry() throws {
    try store.setReadAuditing(.on)
    #expect(try store.list().map(\.id) == [id])
    _ = try Vault.compact(
      at: temporary.vault.path, credential: TemporaryVault.credential(), keeping: .tokens(at: .max))
    #expect(try store.readAuditing() == .on)
  }

  // Defends: threads that read side by side lose no read.
  @Test func manyThreads() throws {
    try store.setReadAuditing(.on)
    let reader = try open()
    DispatchQueue.concurrentPerform(iterations: 8) { [id] (thread) in
      for _ in 0..<200 { _ = try? reader.token(for: id, by: AuditContext(actor: "\(thread)")) }
    }
    try reader.flush()
    try waitUntil("all are recorded") { try reads().count == 1600 }
  }
}

/// Holds a vault's lock as another process would.
private final class LockHolder {
  private let descriptor: Int32

  init(_ vault: String) throws {
    descriptor = unsafe Glibc.open(vault + ".lock", O_RDWR | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX) == 0)
  }

  func release() { close(descriptor) }
}

/// Asks again and again until `condition` holds, for a minute at most.
private func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while try !condition() {
    try #require(ContinuousClock.now < deadline, "waited in vain: \(what)")
    usleep(2000)
  }
}
