import Foundation
import JSONText
import Logging
import Metrics
import Synchronization
import Testing
import TokenVault
import VaultLaboratory

/// Refreshing by a closure, on a real vault and with a clock that the test moves.
@Suite struct RefreshTests {
  let temporary: TemporaryVault
  let store: TokenStore
  private let clock = Clock()

  init() throws {
    temporary = try TemporaryVault()
    store = TokenStore(
      temporary.vault, logger: Logger(label: "test"), metrics: NOOPMetricsHandler.instance,
      now: { [clock] in clock.now })
  }

  private final class Clock: Sendable {
    private let time = Mutex<Int64>(1_790_000_000_000_000)

    var now: Int64 { time.withLock { $0 } }
    var seconds: Int64 { now / 1_000_000 }

    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
  }

  /// How often something was done.
  private final class Calls: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
      count.withLock { (count) in
        count += 1
        return count
      }
    }
  }

  private static let expired =
    #"{"access_token":"at-0","refresh_token":"rt-0","expires_at":1000,"scope":"read","x":1.50}"#
  private static let answer = #"{"access_token":"at-1","refresh_token":"rt-1","expires_in":3600}"#

  private func id(_ user: String = "mara") throws -> TokenID { try TokenID(user: user, provider: "reddit") }

  private func link(_ json: String = Self.expired, keepsAccessToken: Bool = true) throws {
    var new = NewAccount(try ProviderAccount(id: "t2_a"), token: try OAuthToken(json))
    new.keepsAccessToken = keepsAccessToken
    try store.link(new, for: id())
  }

  private var lockFile: String { temporary.vault.path + ".refresh" }

  private struct Unwanted: Error {}

  // MARK: What needs no refresh

  @Test(arguments: [
    (#"{"access_token":"a","expires_at":1790000300}"#, true), (#"{"access_token":"a","expires_at":1790000299}"#, false),
    (#"{"access_token":"a"}"#, true), (#"{"access_token":"","expires_at":1990000000}"#, false),
    (#"{"refresh_token":"r"}"#, false), (#"{"refresh_token":"r","expires_at":1990000000}"#, false),
    (#"{"access_token":"a","expires_at":-9223372036854775808}"#, false),
    (#"{"access_token":"a","expires_at":9223372036854775807}"#, true),
  ])
  func validTokenIsGivenAsItIs(_ json: String, _ isValid: Bool) throws {
    // Defends: a token that is valid for long enough costs neither a lock nor a write nor a call; to the second.
    try store.put(OAuthToken(json), for: id())
    let before = try temporary.bytes()
    let refreshed = try store.refresh(id(), validFor: .seconds(300)) { (_) in
      guard !isValid else { throw Unwanted() }
      return try OAuthToken(Self.answer)
    }
    #expect(refreshed.isNew == !isValid)
    #expect(refreshed.stored.token.accessToken == (isValid ? "a" : "at-1"))
    #expect(FileManager.default.fileExists(atPath: lockFile) == !isValid)
    #expect(try (temporary.bytes() == before) == isValid)
  }

  @Test func whatIsNotThereIsNotRefreshed() throws {
    // Defends: without an entry, with one whose time is over, and with one that is revoked, nobody is asked for a token.
    func refresh() throws { _ = try store.refresh(id(), validFor: .zero) { (_) in throw Unwanted() } }
    #expect(throws: VaultError(.notFound, "")) { try refresh() }
    try store.put(OAuthToken(Self.expired), for: id(), ttl: .seconds(10))
    clock.advance(seconds: 10)
    #expect(throws: VaultError(.notFound, "")) { try refresh() }
    try link()
    try store.revoke(id())
    #expect(throws: VaultError(.reauthNeeded, "")) { try refresh() }
    #expect(try events().map(\.kind) == [.linked, .revoked])
  }

  // MARK: A refresh

  @Test func newTokenTakesThePlaceOfTheOld() throws {
    // Defends: the closure is given the stored token; members that the answer lacks stay; the account stays what it was; both
    // events are there, the second with the hash of the old access token, and neither with a secret.
    try link()
    clock.advance(seconds: 10)
    let context = try AuditContext(actor: "web-1")
    let refreshed = try store.refresh(id(), validFor: .seconds(300), by: context) { (token) in
      #expect(token.json == Self.expired)
      return try OAuthToken(#"{"access_token":"at-1","expires_in":3600}"#)
    }
    let json = #"{"refresh_token":"rt-0","scope":"read","x":1.50,"access_token":"at-1","expires_in":3600,"expires_at":"#
    #expect(refreshed.isNew && refreshed.stored.token.json == json + "\(clock.seconds + 3600)}")
    let stored = try #require(try store.token(for: id()))
    #expect(stored.token.json == refreshed.stored.token.json)
    #expect(stored.seq == refreshed.stored.seq && stored.expiresAt == refreshed.stored.expiresAt)
    let account = try #require(try store.account(of: id()))
    #expect(account.lastRotated == clock.now && account.refreshing == nil && account.refreshFailed == nil)
    #expect(account.providerAccount?.id == Array("t2_a".utf8))
    let events = try events()
    try #require(events.map(\.kind) == [.linked, .refreshing, .refreshed])
    #expect(events[2].superseded == (try TokenDigest(of: "at-0")))
    #expect(events[1].context == context && events[2].context == context && events[1].details.isEmpty)
    for event in events { #expect(!JSONValue.object(event.details).text.contains("t-")) }
  }

  @Test func accessTokenThatIsNotKeptIsGivenOnce() throws {
    // Defends: an account without its access token is refreshed for whoever needs one, each time; and for who does not, when it
    // expires. What is stored is the hash of the newest, and each event has the hash of the one before.
    try link(keepsAccessToken: false)
    var count = 0
    func refresh(needing: Bool, _ options: RefreshOptions = RefreshOptions()) throws -> RefreshedToken {
      var options = options
      options.needsAccessToken = needing
      return try store.refresh(id(), validFor: .seconds(300), options: options) { (_) in
        count += 1
        return try OAuthToken(#"{"access_token":"at-\#(count)","expires_in":3600}"#)
      }
    }
    #expect(try refresh(needing: false).isNew)
    #expect(try !refresh(needing: false).isNew)
    let second = try refresh(needing: true)
    #expect(second.isNew && second.stored.token.accessToken == "at-2" && count == 2)
    let stored = try #require(try store.token(for: id()))
    #expect(stored.lacksAccessToken && stored.token.accessToken == nil && stored.expiresAt == clock.seconds + 3600)
    clock.advance(seconds: 3301)
    #expect(try refresh(needing: false).isNew && count == 3)
    try store.revoke(id())
    let superseded = try events().filter { $0.kind != .refreshing }.map(\.superseded)
    #expect(try superseded == [nil] + (0...3).map { try TokenDigest(of: "at-\($0)") })
  }

  @Test func freshTokenMayExpireSooner() throws {
    // Defends: a provider whose tokens live for less than is asked for is not asked again by those who waited meanwhile.
    try store.put(OAuthToken(Self.expired), for: id())
    let looked = DispatchSemaphore(value: 0)
    let waited = DispatchSemaphore(value: 0)
    let waiter = TokenStore(
      temporary.vault, logger: Logger(label: "test"), metrics: NOOPMetricsHandler.instance,
      now: { [clock] in
        looked.signal()
        return clock.now
      })
    let outcome = Mutex<Result<RefreshedToken, any Error>?>(nil)
    let id = try id()
    let first = try store.refresh(id, validFor: .seconds(7200)) { (_) in
      DispatchQueue.global().async {
        let result = Result { try waiter.refresh(id, validFor: .seconds(7200)) { (_) in throw Unwanted() } }
        outcome.withLock { $0 = result }
        waited.signal()
      }
      looked.wait()
      return try OAuthToken(Self.answer)
    }
    waited.wait()
    let second = try #require(try outcome.withLock { $0 }?.get())
    #expect(first.isNew && !second.isNew && second.stored.token.accessToken == "at-1")
  }

  // MARK: Exclusion

  @Test func accountsDoNotWaitForEachOther() throws {
    // Defends: the lock is one account's; whoever comes for the same one waits as long as it was told, and no longer.
    for user in ["mara", "ivo"] { try store.put(OAuthToken(Self.expired), for: id(user)) }
    var impatient = RefreshOptions()
    impatient.timeLimit = .milliseconds(20)
    try store.refresh(id(), validFor: .zero) { (_) in
      #expect(try store.refreshState(of: id()) == .running(since: clock.now))
      #expect(throws: VaultError(.locked, "")) {
        try store.refresh(id(), validFor: .zero, options: impatient) { (_) in throw Unwanted() }
      }
      let other = try store.refresh(id("ivo"), validFor: .zero, options: impatient) { (_) in
        try OAuthToken(Self.answer)
      }
      #expect(other.isNew)
      return try OAuthToken(Self.answer)
    }
    #expect(try store.refreshState(of: id()) == .none)
  }

  @Test(.ownThreads) func manyTasksMakeOneCall() async throws {
    // Defends: of 64 tasks, on two handles, that find a token expired, one asks the endpoint, and all get the same new token.
    let handles = [temporary.vault, try Vault.open(at: temporary.vault.path, credential: TemporaryVault.credential())]
    let storages = handles.map { VaultTokenStorage($0) }
    try await storages[0].store(OAuthToken(Self.expired), for: id())
    let calls = Calls()
    let id = try id()
    let refresh: @Sendable (OAuthToken) async throws -> OAuthToken = { (_) in
      let count = calls.next()
      try await Task.sleep(for: .milliseconds(20))
      return try OAuthToken(#"{"access_token":"at-\#(count)","expires_in":3600}"#)
    }
    let tokens = try await withThrowingTaskGroup(of: RefreshedToken.self) { (group) in
      for number in 0..<64 {
        let storage = storages[number % 2]
        group.addTask { try await storage.refresh(id, validFor: .seconds(300), using: refresh) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(calls.next() == 2)
    #expect(tokens.count == 64 && tokens.allSatisfy { $0.stored.token.accessToken == "at-1" })
    #expect(tokens.count { $0.isNew } == 1)
    #expect(try events().map(\.kind) == [.refreshing, .refreshed])
  }

  @Test(.ownThreads) func tasksAreCancelled() async throws {
    // Defends: a closure that takes too long is cancelled, which counts as a failure; a caller who gives up is no failure; an
    // answer that comes all the same is stored; and one who waits for the lock can give up.
    let storage = VaultTokenStorage(temporary.vault)
    let id = try id()
    try store.put(OAuthToken(Self.expired), for: id)
    var options = RefreshOptions()
    options.timeLimit = .zero
    options.coolDown = .zero
    await #expect(throws: VaultError(.unavailable, "")) {
      try await storage.refresh(id, validFor: .zero, options: options) { (_) in
        try await Task.sleep(for: .seconds(100))
        return try OAuthToken(Self.answer)
      }
    }
    #expect(try store.account(of: id)?.refreshFailed != nil)
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    let task = Task(executorPreference: ThreadsForTasks.shared) {
      try await storage.refresh(id, validFor: .zero, options: RefreshOptions.withoutCoolDown) { (_) in
        start.yield()
        try await Task.sleep(for: .seconds(100))
        return try OAuthToken(Self.answer)
      }
    }
    for await _ in started { break }
    let waiting = Task(executorPreference: ThreadsForTasks.shared) {
      try await storage.refresh(id, validFor: .zero) { (_) in try OAuthToken(Self.answer) }
    }
    waiting.cancel()
    await #expect(throws: VaultError(.cancelled, "")) { try await waiting.value }
    task.cancel()
    await #expect(throws: VaultError(.cancelled, "")) { try await task.value }
    #expect(try store.account(of: id)?.refreshing == nil)
    let late = try await storage.refresh(id, validFor: .zero, options: options) { (_) in
      try? await Task.sleep(for: .seconds(100))
      return try OAuthToken(Self.answer)
    }
    #expect(late.isNew)
    let whys = try events().filter { $0.kind == .failedRefresh }.map { JSONValue.object($0.details).text }
    #expect(whys == [#"{"why":"it took longer than 1 s, and was cancelled"}"#, #"{"why":"it was cancelled"}"#])
  }

  // MARK: Interruptions and failures

  @Test func interruptionShows() throws {
    // Defends: that a refresh begins is on the disk before the endpoint is asked: a copy of the file as it is at that moment,
    // which is what a crash leaves, says so, and its next refresh says that it comes after it.
    try store.put(OAuthToken(Self.expired), for: id())
    let image = temporary.folder.appending(path: "image.tv")
    let began = clock.now
    _ = try store.refresh(id(), validFor: .zero) { (_) in
      try FileManager.default.copyItem(atPath: temporary.vault.path, toPath: image.path)
      return try OAuthToken(Self.answer)
    }
    let vault = try Vault.open(at: image.path, credential: TemporaryVault.credential())
    let crashed = TokenStore(vault)
    #expect(try crashed.refreshState(of: id()) == .interrupted(at: began))
    #expect(try crashed.token(for: id())?.token.json == Self.expired)
    #expect(try crashed.refresh(id(), validFor: .zero) { (_) in try OAuthToken(Self.answer) }.isNew)
    #expect(try crashed.refreshState(of: id()) == .none)
    let events = try events(of: vault)
    try #require(events.map(\.kind) == [.refreshing, .refreshing, .refreshed])
    #expect(JSONValue.object(events[1].details).text == #"{"after_interruption":true}"#)
  }

  private struct TalkativeError: Error, CustomStringConvertible {
    let description = "c4nary"
  }

  private static let failures: [(String, VaultError.Code, String)] = [
    (#"{"error":"invalid_grant","error_description":"c4nary"}"#, .reauthNeeded, "the endpoint answered invalid_grant"),
    (#"{"error":"temporarily_unavailable"}"#, .unavailable, "the endpoint answered temporarily_unavailable"),
    (#"{"error":"c4nary"}"#, .unavailable, "the endpoint answered with an error"),
    (#"{"error":{"message":"c4nary"},"access_token":""}"#, .unavailable, "the endpoint answered with an error"),
    (#"{"refresh_token":"c4nary"}"#, .unavailable, "the answer has no access_token"),
    ("{}", .unavailable, "the answer has no access_token"),
    ("", .unavailable, "the caller's refresh threw an error of the type TalkativeError"),
  ]

  @Test(arguments: failures)
  func failureKeepsTheToken(_ answer: String, _ code: VaultError.Code, _ why: String) throws {
    // Defends: what failed is told and recorded in a clear half sentence, in which nothing of the answer is repeated; the old
    // token is there still; and nobody tries again before the cool-down is over, unless it is turned off.
    try link()
    var calls = 0
    func refresh(_ options: RefreshOptions = RefreshOptions()) throws {
      _ = try store.refresh(id(), validFor: .zero, options: options) { (_) in
        calls += 1
        guard !answer.isEmpty else { throw TalkativeError() }
        return try OAuthToken(answer)
      }
    }
    let error = try #require(throws: VaultError.self) { try refresh() }
    #expect(error.code == code && error.sentence.contains(why) && !"\(error)".contains("c4nary"))
    let account = try #require(try store.account(of: id()))
    #expect(account.refreshFailed == clock.now && account.refreshing == nil)
    #expect(try store.token(for: id())?.token.json == Self.expired)
    clock.advance(seconds: 29)
    let early = try #require(throws: VaultError.self) { try refresh() }
    #expect(early.code == .unavailable && early.sentence.contains("in 1 s") && calls == 1)
    #expect(throws: VaultError(code, "")) { try refresh(.withoutCoolDown) }
    clock.advance(seconds: 30)
    #expect(throws: VaultError(code, "")) { try refresh() }
    #expect(calls == 3)
    let events = try events().filter { $0.kind == .failedRefresh }
    #expect(events.map { JSONValue.object($0.details).text } == Array(repeating: "{\"why\":\"\(why)\"}", count: 3))
    _ = try store.refresh(id(), validFor: .zero, options: .withoutCoolDown) { (_) in try OAuthToken(Self.answer) }
    #expect(try store.account(of: id())?.refreshFailed == nil)
  }

  @Test func clockThatGoesBackDoesNotBlock() throws {
    // Defends: a failure that lies ahead, as a clock that was wrong leaves it, keeps nobody from trying.
    try link()
    clock.advance(seconds: 1_000_000)
    _ = try? store.refresh(id(), validFor: .zero) { (_) in throw Unwanted() }
    clock.advance(seconds: -1_000_000)
    #expect(try store.refresh(id(), validFor: .zero) { (_) in try OAuthToken(Self.answer) }.isNew)
  }

  @Test func answerThatDoesNotFitIsAFailure() throws {
    // Defends: a token that grows over the limit is a failure that is recorded, and the old one stays.
    let filler = String(repeating: "x", count: 600_000)
    try store.put(OAuthToken(#"{"access_token":"a","expires_at":1,"a":"\#(filler)"}"#), for: id())
    let error = try #require(throws: VaultError.self) {
      try store.refresh(id(), validFor: .zero) { (_) in try OAuthToken(#"{"access_token":"b","b":"\#(filler)"}"#) }
    }
    #expect(error.code == .unavailable && error.sentence.contains("too long"))
    #expect(try store.token(for: id())?.token.accessToken == "a")
    #expect(try events().map(\.kind) == [.refreshing, .failedRefresh])
  }

  // MARK: What happens meanwhile

  @Test(arguments: ["unlink", "delete", "revoke"], [true, false])
  func nothingIsResurrected(_ change: String, succeeds: Bool) throws {
    // Defends: an entry that goes, or is revoked, while its token is refreshed stays so, whatever comes of the refresh.
    try link()
    let error = try #require(throws: VaultError.self) {
      try store.refresh(id(), validFor: .zero) { (_) in
        switch change {
        case "unlink": try store.unlink(id())
        case "delete": try store.delete(id())
        default: try store.revoke(id())
        }
        return try OAuthToken(succeeds ? Self.answer : "{}")
      }
    }
    #expect(error.code == (succeeds ? .conflict : .unavailable))
    #expect(try store.token(for: id())?.token.json == (change == "revoke" ? "{}" : nil))
    #expect(try store.account(of: id())?.refreshing == nil)
    #expect(try events().map(\.kind) == [.linked, .refreshing, change == "revoke" ? .revoked : .unlinked])
  }

  @Test func attributesThatChangeMeanwhileStay() throws {
    // Defends: a use that is recorded while the token is refreshed is not lost, nor is the refresh.
    try link()
    let refreshed = try store.refresh(id(), validFor: .zero) { (_) in
      clock.advance(seconds: 1)
      try store.recordUse(of: id())
      clock.advance(seconds: 1)
      return try OAuthToken(Self.answer)
    }
    let account = try #require(try store.account(of: id()))
    #expect(refreshed.isNew && account.lastUsed == clock.now - 1_000_000 && account.lastRotated == clock.now)
    #expect(account.refreshing == nil)
  }

  @Test(arguments: ["put", "link"], [true, false])
  func tokenThatIsStoredMeanwhileStays(_ change: String, isValid: Bool) throws {
    // Defends: a token that another stores while this one is refreshed is newer: it stays, and is what the caller gets if it is
    // of use.
    try link()
    let theirs = #"{"access_token":"theirs","expires_at":\#(isValid ? clock.seconds + 60 : 1)}"#
    let outcome = Result {
      try store.refresh(id(), validFor: .zero) { (_) in
        if change == "put" { try store.put(OAuthToken(theirs), for: id()) } else { try link(theirs) }
        return try OAuthToken(Self.answer)
      }
    }
    if isValid {
      let refreshed = try outcome.get()
      #expect(!refreshed.isNew && refreshed.stored.token.accessToken == "theirs")
    } else {
      #expect(throws: VaultError(.conflict, "")) { try outcome.get() }
    }
    #expect(try store.token(for: id())?.token.accessToken == "theirs")
    #expect(try store.account(of: id())?.refreshing == nil)
  }

  // MARK: The lock's file

  @Test(arguments: ["link", "directory", "fifo", "open"])
  func lockFileMustBeItsOwnersAlone(_ kind: String) throws {
    // Defends: what stands in the place of the lock's file is neither followed nor held; nothing is written, and it is told.
    try store.put(OAuthToken(Self.expired), for: id())
    let manager = FileManager.default
    let target = temporary.folder.appending(path: "target").path
    switch kind {
    case "link": try manager.createSymbolicLink(atPath: lockFile, withDestinationPath: target)
    case "directory": try manager.createDirectory(atPath: lockFile, withIntermediateDirectories: false)
    case "fifo": try #require(unsafe mkfifo(lockFile, 0o600) == 0)
    default:
      try #require(manager.createFile(atPath: lockFile, contents: nil))
      try #require(unsafe chmod(lockFile, 0o622) == 0)
    }
    let before = try temporary.bytes()
    let error = try #require(throws: VaultError.self) {
      try store.refresh(id(), validFor: .zero) { (_) in throw Unwanted() }
    }
    #expect(error.sentence.contains(lockFile) && error.remedy != nil)
    let codes: [String: VaultError.Code] = [
      "link": .notAVaultFile, "fifo": .notAVaultFile, "directory": .cannotCreate, "open": .unsafePermissions,
    ]
    #expect(error.code == codes[kind])
    #expect(try temporary.bytes() == before && !manager.fileExists(atPath: target))
    #expect(try store.refreshState(of: id()) == .none)
  }

  @Test func lockFileIsEmptyAndPrivate() throws {
    // Defends: the file of the locks is its owner's alone, holds nothing, and stays.
    try store.put(OAuthToken(Self.expired), for: id())
    _ = try store.refresh(id(), validFor: .zero) { (_) in try OAuthToken(Self.answer) }
    let facts = try FileManager.default.attributesOfItem(atPath: lockFile)
    #expect(facts[.posixPermissions] as? Int == 0o600 && facts[.size] as? Int == 0)
  }

  // MARK: Support

  private func events(of vault: Vault? = nil) throws -> [AuditEvent] {
    var events: [AuditEvent] = []
    try (vault ?? temporary.vault).snapshot().forEachRecord { (entry) throws(VaultError) in
      guard entry.operation == .event, let event = try AuditEvent(entry) else { return }
      events.append(event)
    }
    return events
  }
}

extension RefreshOptions {
  fileprivate static var withoutCoolDown: Self {
    var options = Self()
    options.coolDown = .zero
    return options
  }
}
