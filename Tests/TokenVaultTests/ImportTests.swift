import Foundation
import JSONText
import Synchronization
import Testing
import VaultCrypto
import VaultFormat

@testable import TokenVault
@testable import VaultEngine

/// Rows of other programs on their way into a vault.
@Suite struct ImportTests {
  let temporary: TemporaryVault
  let store: TokenStore
  private let raw = [UInt8](repeating: 9, count: 32)

  init() throws {
    temporary = try TemporaryVault()
    store = TokenStore(temporary.vault)
  }

  /// A row of sealed tokens.
  private func row(
    _ user: String, _ json: String, updated: String? = nil, created: String? = nil
  ) throws -> String {
    let key = try SecretBytes(raw.span)
    let iv = Array(UUID().uuidString.utf8.prefix(16))
    let record = try LegacyRecord.seal(Array(json.utf8).span, .cbcRaw, with: key, salt: [], iv: iv)
    var members: [(String, JSONValue)] = [
      ("user_id", .string(user)), ("encrypted_data", .string(record.ciphertext.span.hex)), ("iv", .string(iv.span.hex)),
    ]
    if let created { members.append(("created_at", .string(created))) }
    if let updated { members.append(("updated_at", .string(updated))) }
    return JSONValue.object(members).text
  }

  /// A row of accounts, whose refresh token is `rt-USER`.
  private func account(_ user: Int, _ id: String, _ more: [(String, JSONValue)] = []) throws -> String {
    let key = try SecretBytes(raw.span)
    let iv = Array(UUID().uuidString.utf8.prefix(12))
    let record = try LegacyRecord.seal(Array("rt-\(user)".utf8).span, .gcmRaw, with: key, salt: [], iv: iv)
    let text = LegacyText.withoutSalt.serialize(record)
    return JSONValue.object(
      [
        ("user_id", .integer(Int64(user))), ("reddit_id", .string(id)), ("reddit_username", .string("name-" + id)),
        ("refresh_token_encrypted", .string(String(decoding: text, as: UTF8.self))),
      ] + more
    ).text
  }

  @discardableResult
  private func run(
    _ source: ImportSource, _ rows: [String], _ change: (inout ImportOptions) -> Void = { _ in }
  ) throws -> (report: ImportReport, rejected: [RejectedRow]) {
    var options = ImportOptions()
    change(&options)
    var rejected: [RejectedRow] = []
    let key: ImportKey =
      source == .jsonl || options.keepSealed ? .none : .legacy(try LegacySecret(SecretBytes(raw.span)))
    let report = try store.importRows(
      source, from: .bytes(Array(rows.joined(separator: "\n").utf8)), opening: key, options: options,
      by: AuditContext(actor: "ops", reason: "move")
    ) { rejected.append($0) }
    return (report, rejected)
  }

  private func id(_ user: String, _ provider: String = "") throws -> TokenID {
    try TokenID(user: user, provider: provider)
  }

  private func events() throws -> [AuditEvent] {
    var events: [AuditEvent] = []
    try temporary.vault.snapshot().forEachEvent { (entry) throws(VaultError) in
      if let event = try AuditEvent(entry) { events.append(event) }
      return true
    }
    return events
  }

  // Defends: what is there stays by default, and a second run of the same rows changes nothing: the vault is the same byte for byte.
  @Test func runAgain() throws {
    let rows = try (0..<40).map { try row("u\($0)", #"{"access_token":"a\#($0)"}"#) }
    try store.put(OAuthToken(#"{"access_token":"mine"}"#), for: id("u3"))
    let first = try run(.sqliteTokens, rows)
    #expect(first.report.stored == 39 && first.report.skipped == 1 && first.rejected.isEmpty && first.report.rows == 40)
    #expect(first.report.form.map { "\($0)" } == "cbc-raw" && first.report.tried == (10, 10))
    #expect(try store.token(for: id("u3"))?.token.accessToken == "mine")
    let before = try temporary.bytes()
    let second = try run(.sqliteTokens, rows)
    #expect(second.report.stored == 0 && second.report.skipped == 40)
    #expect(try temporary.bytes() == before)
  }

  // Defends: each policy does what it says; what is equally old is not newer.
  @Test func policies() throws {
    try run(.sqliteTokens, [row("u", #"{"access_token":"1"}"#, updated: "2024-01-02")])
    let older = try row("u", #"{"access_token":"0"}"#, updated: "2024-01-01")
    let same = try row("u", #"{"access_token":"same"}"#, updated: "2024-01-02")
    let newer = try row("u", #"{"access_token":"2"}"#, updated: "2024-01-02 00:00:00.001", created: "2023-05-05")
    let timeless = try row("u", #"{"access_token":"3"}"#)
    for text in [older, same] {
      #expect(try run(.sqliteTokens, [text]) { $0.onConflict = .newer }.report.skipped == 1)
    }
    let refused = try run(.sqliteTokens, [timeless]) { $0.onConflict = .newer }
    #expect(refused.rejected.map(\.code) == ["no-time"])
    #expect(try store.token(for: id("u"))?.token.accessToken == "1")
    #expect(try run(.sqliteTokens, [newer]) { $0.onConflict = .newer }.report.replaced == 1)
    let stored = try #require(try store.token(for: id("u")))
    #expect(stored.token.accessToken == "2" && stored.updated == 1_704_153_600_001_000)
    #expect(try store.account(of: id("u"))?.linked == 1_683_244_800_000_000)
    #expect(try run(.sqliteTokens, [older]) { $0.onConflict = .replace }.report.replaced == 1)
    #expect(try store.token(for: id("u"))?.token.accessToken == "0")
    let error = #expect(throws: VaultError.self) {
      try run(.sqliteTokens, [row("new", "{}"), newer, row("never", "{}")]) { $0.onConflict = .fail }
    }
    #expect(error?.code == .conflict && error?.sentence.hasPrefix("line 2: ") == true)
    #expect(try store.token(for: id("new")) != nil && store.token(for: id("never")) == nil)
  }

  // Defends: the same user twice is rejected when entries are left alone, in the batch and later; when they are replaced the later row
  // counts.
  @Test func duplicateUsers() throws {
    let rows = try [row("a", #"{"access_token":"1"}"#), row("b", "{}"), row("a", #"{"access_token":"2"}"#)]
    let first = try run(.sqliteTokens, rows)
    #expect(first.report.stored == 2 && first.rejected.map(\.code) == ["duplicate-user"])
    #expect(first.rejected[0].line == 3 && first.rejected[0].sentence.contains("line 1"))
    #expect(first.rejected[0].withRow { String(decoding: $0.array, as: UTF8.self) } == rows[2])
    #expect(try store.token(for: id("a"))?.token.accessToken == "1")
    let second = try run(.sqliteTokens, rows) { $0.onConflict = .replace }
    #expect(second.report.replaced == 3)
    #expect(try store.token(for: id("a"))?.token.accessToken == "2")
  }

  // Defends: a dry run counts as the real one does, doubles of users and accounts among it, and changes no byte.
  @Test func dryRun() throws {
    try run(.redditAccounts, [account(1, "t2_a")])
    let rows = try [account(1, "t2_a"), account(2, "t2_b"), account(3, "t2_b"), account(4, "t2_a"), account(2, "t2_c")]
    let before = try temporary.bytes()
    let dry = try run(.redditAccounts, rows) { $0.dryRun = true }
    #expect(try temporary.bytes() == before)
    let real = try run(.redditAccounts, rows)
    #expect(dry.report == real.report && real.report.stored == 1 && real.report.skipped == 1)
    #expect(real.rejected.map(\.code).sorted() == ["account-taken", "account-taken", "duplicate-user"])
    #expect(dry.rejected.map(\.code).sorted() == real.rejected.map(\.code).sorted())
  }

  // Defends: a row of accounts becomes an account with all that the row tells; the hash of an access token makes it known, and of a
  // revoked account it stays known.
  @Test func accounts() throws {
    let hash = String(repeating: "0a", count: 32)
    let times: [(String, JSONValue)] = [
      ("linked_at", .string("2024-01-01")), ("last_rotated_at", .string("2024-01-02")),
      ("last_used_at", .string("2024-01-03")),
    ]
    let (report, rejected) = try run(
      .redditAccounts,
      [
        account(
          7, "t2_a",
          times + [
            ("scopes", .array([.string("identity"), .string("b c")])),
            ("expires_at", .string("2024-02-01 00:00:00.9+00")),
            ("access_token_hash", .string(hash)), ("revoked_at", .null), ("id", .number("55")),
          ]),
        account(8, "t2_b", times + [("revoked_at", .string("2024-03-01")), ("access_token_hash", .string(hash))]),
        account(9, "t2_c", [("expires_at", .string("infinity"))]),
      ])
    #expect(report.stored == 3 && rejected.isEmpty)
    let account = try #require(try store.account(of: id("7", "reddit")))
    #expect(account.providerAccount == (try ProviderAccount(id: "t2_a", name: "name-t2_a")))
    #expect(account.scopes.map { String(decoding: $0, as: UTF8.self) } == ["identity", "b c"])
    #expect(account.linked == 1_704_067_200_000_000 && account.lastRotated == 1_704_153_600_000_000)
    #expect(account.lastUsed == 1_704_240_000_000_000 && account.updated == 1_704_153_600_000_000)
    #expect(account.expiresAt == 1_706_745_600 && account.revoked == nil)
    let token = try #require(try store.token(for: id("7", "reddit")))
    #expect(token.token.json == #"{"refresh_token":"rt-7","expires_at":1706745600,"scope":"identity b c"}"#)
    #expect(token.lacksAccessToken)
    let revoked = try #require(try store.account(of: id("8", "reddit")))
    #expect(revoked.revoked == 1_709_251_200_000_000 && !revoked.hasRefreshToken)
    #expect(try store.token(for: id("8", "reddit"))?.token.json == "{}")
    #expect(try events().compactMap(\.superseded).map(\.hexadecimal) == [hash])
    #expect(try store.token(for: id("9", "reddit"))?.token.expiresAt == nil)
    // The reservation holds: nobody else links that account.
    let other = NewAccount(try ProviderAccount(id: "t2_a"), token: try OAuthToken(#"{"refresh_token":"x"}"#))
    #expect(throws: VaultError(.conflict, "")) { try store.link(other, for: id("10", "reddit")) }
    try store.unlink(id("7", "reddit"))
    try store.link(other, for: id("10", "reddit"))
  }

  // Defends: a replaced account gives up the provider's account that it had, and its access token stays known.
  @Test func replacedAccount() throws {
    let old = NewAccount(
      try ProviderAccount(id: "t2_old"), token: try OAuthToken(#"{"access_token":"at","refresh_token":"x"}"#))
    try store.link(old, for: id("1", "reddit"))
    #expect(try run(.redditAccounts, [account(1, "t2_new")]) { $0.onConflict = .replace }.report.replaced == 1)
    #expect(try store.account(of: id("1", "reddit"))?.providerAccount?.id == Array("t2_new".utf8))
    try store.link(old, for: id("2", "reddit"))
    let event = try #require(try events().first { $0.kind == .imported && $0.id != nil })
    #expect(try event.superseded == TokenDigest(of: "at") && event.context.actor == "ops")
  }

  // Defends: each batch holds one event that tells of it, with who and why and how many; none without a write.
  @Test func eventsOfBatches() throws {
    try run(.sqliteTokens, (0..<3).map { try row("u\($0)", "{}") })
    try run(.sqliteTokens, [row("u0", "{}")])
    let events = try events()
    #expect(events.count == 1 && events[0].kind == .imported && events[0].id == nil)
    #expect(events[0].context == (try AuditContext(actor: "ops", reason: "move")))
    #expect(events[0].details.map { "\($0.0)=\($0.1.text)" } == [#"source="sqlite-tokens""#, "rows=3"])
  }

  // Defends: rows that stay sealed open by the upgrade, with the times that they had; accounts can't stay sealed.
  @Test func keptSealed() throws {
    let rows = try [
      row("a", #"{"access_token":"1"}"#, updated: "2024-01-02", created: "2024-01-01"), row("b", "{}"),
      row("a", #"{"access_token":"2"}"#, updated: "2024-01-03"),
    ]
    let kept = try run(.sqliteTokens, rows) {
      $0.keepSealed = true
      $0.onConflict = .replace
    }
    #expect(kept.report.stored == 2 && kept.report.replaced == 1)
    #expect(throws: VaultError(.unsupportedFeature, "")) { try store.token(for: id("a")) }
    #expect(try run(.sqliteTokens, rows) { $0.keepSealed = true }.report.skipped == 2)
    #expect(try store.upgrade(with: LegacySecret(SecretBytes(raw.span))).upgraded == 2)
    let token = try #require(try store.token(for: id("a")))
    #expect(token.token.accessToken == "2" && token.updated == 1_704_240_000_000_000)
    #expect(throws: VaultError(.usage, "")) { try run(.redditAccounts, [account(1, "t2_a")]) { $0.keepSealed = true } }
  }

  // Defends: a batch's later condition sees a record that stays sealed as being there.
  @Test func sealedRecordIsThere() throws {
    let record = try LegacyRecord.seal(
      Array("{}".utf8).span, .cbcRaw, with: SecretBytes(raw.span), salt: [], iv: [UInt8](repeating: 1, count: 16))
    var batch = try VaultBatch()
    try batch.put(Array("a".utf8).span, legacyRecord: record.serialized().span, if: .absent)
    try batch.delete(Array("a".utf8).span)
    try temporary.vault.commit(batch)
    #expect(try temporary.vault.entry(named: Array("a".utf8).span) == nil)
  }

  // Defends: somebody who writes the same names meanwhile makes no batch fail, and loses nothing.
  @Test func othersWriteMeanwhile() throws {
    let rows = try (0..<2000).map { try row("u\($0)", #"{"access_token":"row"}"#) }
    let path = temporary.vault.path
    let other = TokenStore(try Vault.open(at: path, credential: TemporaryVault.credential()))
    var isFirst = true
    var options = ImportOptions()
    options.onConflict = .replace
    let report = try store.importRows(
      .sqliteTokens, from: .bytes(Array(rows.joined(separator: "\n").utf8)),
      opening: .legacy(LegacySecret(SecretBytes(raw.span))), options: options
    ) { _ in
    } progress: { _ in
      if isFirst { _ = try? other.put(OAuthToken(#"{"access_token":"theirs"}"#), for: TokenID(user: "u5")) }
      isFirst = false
    }
    #expect(report.stored == 1999 && report.replaced == 1)
    #expect(try store.token(for: id("u5"))?.token.accessToken == "row")
    #expect(try store.history(of: id("u5")).count == 2)
  }

  /// What two threads share.
  private final class Shared: Sendable {
    let isDone = Atomic(false)
    let writes = Atomic(0)
    let outcome = Mutex<Result<ImportReport, VaultError>?>(nil)

    /// Writes names again and again until the other thread is done.
    func write(_ store: TokenStore) {
      var next = 0
      while !isDone.load(ordering: .relaxed) {
        next += 1
        guard let id = try? TokenID(user: "u\(next % 100)"), let token = try? OAuthToken(#"{"access_token":"theirs"}"#),
          (try? store.put(token, for: id)) != nil
        else { continue }
        writes.wrappingAdd(1, ordering: .relaxed)
      }
    }
  }

  // Defends: somebody who writes the same names without a pause keeps no row from being stored.
  @Test func aBusyWriter() throws {
    let rows = try (0..<3000).map { try row("u\($0)", #"{"access_token":"row"}"#) }
    let input = Array(rows.joined(separator: "\n").utf8)
    let other = TokenStore(try Vault.open(at: temporary.vault.path, credential: TemporaryVault.credential()))
    let (store, raw) = (store, raw)
    let shared = Shared()
    Threads.perform(2) { (number) in
      guard number == 0 else { return shared.write(other) }
      let result = Result { () throws(VaultError) in
        var options = ImportOptions()
        options.onConflict = .replace
        let secret = try LegacySecret(SecretBytes(raw.span))
        return try store.importRows(.sqliteTokens, from: .bytes(input), opening: .legacy(secret), options: options) {
          _ in
        }
      }
      shared.outcome.withLock { $0 = result }
      shared.isDone.store(true, ordering: .relaxed)
    }
    let report = try #require(shared.outcome.withLock { $0 }).get()
    #expect(report.stored + report.replaced == 3000 && report.rejected == 0)
    #expect(shared.writes.load(ordering: .relaxed) > 0)
    #expect(try store.list().count == 3000)
  }

  // Defends: keys that take long to derive are derived once for a salt, and rows come in order all the same.
  @Test func derivedKeys() throws {
    let secret = Array("passphrase".utf8)
    let salt = [UInt8](repeating: 3, count: 16)
    let key = try KeyDerivation.pbkdf2(
      .sha256, passphrase: secret.span, salt: salt.span, iterations: 2_000_000, count: 32)
    let rows = try (0..<300).map { (number) in
      let iv = [UInt8](repeating: UInt8(number & 255), count: 16)
      let record = try LegacyRecord.seal(
        Array(#"{"access_token":"\#(number)"}"#.utf8).span, .cbcRaw, with: key, salt: [], iv: iv)
      return
        #"{"user_id":\#(number),"encrypted_data":"\#(record.ciphertext.span.hex)","iv":"\#(iv.span.hex)","salt":"\#(salt.span.hex)"}"#
    }
    let form = "cbc-pbkdf2,hash=sha256,iterations=2000000,secret=utf8"
    var options = ImportOptions()
    options.form = try LegacyForm(parsing: form)
    let start = ContinuousClock.now
    let report = try store.importRows(
      .sqliteTokens, from: .bytes(Array(rows.joined(separator: "\n").utf8)),
      opening: .legacy(LegacySecret(SecretBytes(secret.span))), options: options
    ) { _ in Issue.record("a row was rejected") }
    #expect(report.stored == 300)
    #expect(report.form.map { "\($0)" } == form)
    // 300 derivations would take minutes, and one takes half a second.
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(try store.token(for: id("299"))?.token.accessToken == "299")
  }
}
