import Foundation
import Testing
import TokenVault

/// Events as they are asked for.
@Suite struct AuditQueryTests {
  let temporary: TemporaryVault
  let store: TokenStore

  init() throws {
    temporary = try TemporaryVault()
    store = TokenStore(temporary.vault)
  }

  private func event(_ name: [UInt8], _ value: String) throws {
    let value = Array(value.utf8)
    var batch = try VaultBatch()
    try batch.event(name.span, value: value.span)
    try temporary.vault.commit(batch)
  }

  private func seqs(_ query: AuditQuery) throws -> [UInt64] {
    var seqs: [UInt64] = []
    try store.events(query) { (event) in
      seqs.append(event.seq)
      return true
    }
    return seqs
  }

  private func query(_ change: (inout AuditQuery) -> Void) -> AuditQuery {
    var query = AuditQuery()
    change(&query)
    return query
  }

  private static let reddit: [UInt8] = Array("mara\u{0}reddit".utf8)

  /// Six events, one after the other.
  private func fill() throws {
    try event(Self.reddit, #"{"event":"linked","actor":"web","at":1000}"#)
    try event(Array("mara".utf8), #"{"event":"read","actor":"cli","at":2000}"#)
    try event(Array("ivo".utf8), #"{"event":"read","actor":"web","at":3000}"#)
    try event([0] + Array("vault".utf8), #"{"event":"rotated","at":4000}"#)
    try event(Array("ivo".utf8), #"{"event":"invented later","at":5000}"#)
    try event(Self.reddit, #"{"event":"revoked","actor":"we\u0062","at":6000}"#)
  }

  // Defends: each filter alone, and all together; oldest first; kinds of later versions are passed over.
  @Test func filters() throws {
    try fill()
    #expect(try seqs(AuditQuery()) == [1, 2, 3, 4, 6])
    #expect(try seqs(query { $0.user = Array("mara".utf8) }) == [1, 2, 6])
    #expect(try seqs(query { $0.provider = Array("reddit".utf8) }) == [1, 6])
    #expect(try seqs(query { $0.provider = [] }) == [2, 3])
    #expect(try seqs(query { $0.kinds = [.read, .rotated] }) == [2, 3, 4])
    #expect(try seqs(query { $0.actor = "web" }) == [1, 3, 6])
    #expect(try seqs(query { $0.actor = "WEB" }) == [])
    #expect(try seqs(query { $0.since = 3000 }) == [3, 4, 6])
    #expect(try seqs(query { $0.until = 3000 }) == [1, 2])
    #expect(try seqs(query { ($0.since, $0.until) = (2000, 4000) }) == [2, 3])
    #expect(try seqs(query { $0.newest = 2 }) == [4, 6])
    #expect(try seqs(query { $0.newest = 100 }) == [1, 2, 3, 4, 6])
    #expect(try seqs(query { $0.newest = 0 }) == [])
    #expect(try seqs(query { $0.after = 3 }) == [4, 6])
    #expect(try seqs(query { ($0.user, $0.newest) = (Array("mara".utf8), 1) }) == [6])
    let all = query {
      ($0.user, $0.provider, $0.kinds, $0.actor) = (Array("mara".utf8), Array("reddit".utf8), [.revoked], "web")
      ($0.since, $0.until, $0.newest, $0.after) = (6000, 6001, 1, 5)
    }
    #expect(try seqs(all) == [6])
  }

  // Defends: two actors that look the same are two.
  @Test func actorsAreBytes() throws {
    try event([97], #"{"event":"read","actor":"\u00e9"}"#)
    #expect(try seqs(query { $0.actor = "\u{e9}" }) == [1])
    #expect(try seqs(query { $0.actor = "e\u{301}" }) == [])
  }

  // Defends: what is asked for again by the version that was given comes once, through a compaction and a rotation.
  @Test func goesOnByVersion() throws {
    try fill()
    var query = AuditQuery()
    query.after = try store.events { _ in true }
    #expect(query.after == 6)
    #expect(try seqs(query) == [])
    try store.put(OAuthToken("{}"), for: TokenID(user: "no event"))
    #expect(try seqs(query) == [])
    var options = MaintenanceOptions()
    options.event = { AuditEvent.ofVault(.compacted, by: .none, making: $0) }
    _ = try Vault.compact(
      at: temporary.vault.path, credential: TemporaryVault.credential(), options: options)
    try event([97], #"{"event":"read"}"#)
    _ = try Vault.rotate(at: temporary.vault.path, credential: TemporaryVault.credential())
    #expect(try seqs(query) == [8, 9])
    query.after = try store.events(query) { _ in true }
    #expect(query.after == 9)
  }

  // Defends: who has seen enough is asked no more.
  @Test func stops() throws {
    try fill()
    var count = 0
    try store.events { _ in
      count += 1
      return count < 2
    }
    #expect(count == 2)
  }

  // Defends: an event that tells nothing hides none of the others, and is told.
  @Test(arguments: ["", "7", "{}", #"{"event":7}"#, "[1,", "\u{1}"]) func eventsThatTellNothing(_ value: String) throws
  {
    try event([97], #"{"event":"read"}"#)
    try event([98], value)
    try event([99], #"{"event":"linked"}"#)
    var seqs: [UInt64] = []
    #expect(throws: VaultError(.frameDamaged, "")) {
      try store.events { (event) in
        seqs.append(event.seq)
        return true
      }
    }
    #expect(seqs == [1, 3])
    var query = AuditQuery()
    query.newest = 1
    #expect(try self.seqs(query) == [3])
  }

  // Defends: behind a damaged event, what is newer is given, and the place of the damage is said.
  @Test func damage() throws {
    for round in 0..<3 {
      var batch = try VaultBatch()
      for _ in 0..<500 { try batch.event([97].span, value: Array(#"{"event":"read"}"#.utf8).span) }
      try temporary.vault.commit(batch)
      if round == 2 { try temporary.vault.close() }
    }
    // The newest index root covers these: nobody replays them at opening.
    var bytes = try temporary.bytes()
    let frame = 20_000 / 16 * 16
    for place in frame..<frame + 64 { bytes[place] ^= 1 }
    let path = temporary.folder.appending(path: "damaged.tv").path
    try bytes.write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    let store = TokenStore(try Vault.open(at: path, credential: TemporaryVault.credential()))
    var seqs: [UInt64] = []
    do {
      try store.events { (event) in
        seqs.append(event.seq)
        return true
      }
      Issue.record("the damage was passed over")
    } catch {
      #expect(error.code.isDamage && error.offset.map { abs(Int($0) - frame) < 1000 } == true)
    }
    #expect(seqs.last == 1500 && seqs.count > 1000 && seqs.count < 1500)
    #expect(seqs == Array(seqs[0]...1500))
  }
}
