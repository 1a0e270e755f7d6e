import Foundation
import Testing
import VaultCrypto
import VaultEngine
import VaultFormat

@testable import VaultVectors

/// Vaults with bad pages of the index, beyond what the scenarios hold.
@Suite("Bad pages of the index")
struct BadPageTests {
  private let reader = VaultReader.vaultEngine

  /// Two runs, the first on two pages in a batch of their own, the second on a page in a batch that follows; a record behind.
  private func twoRuns() throws -> (vault: ScenarioBuilder, pages: [Range<Int>]) {
    var vault = ScenarioBuilder(seed: [7])
    vault.found()
    for number in 0..<200 { vault.put("name-\(number)", "value", ends: number == 199) }
    vault.checkpoint(.init(pagesApart: true))
    vault.put("alice", "one")
    vault.checkpoint(.init(pagesApart: true))
    vault.put("bob", "two")
    if let failure = vault.failure { throw failure }
    let pages = vault.frames.filter { vault.bytes[$0.offset + 4] == 5 }.map(\.range)
    try #require(pages.count == 3)
    return (vault, pages)
  }

  private func outcome(_ vault: ScenarioBuilder, pin: [UInt8]? = nil) throws -> String {
    let opened = try reader.open(vault.bytes, vault.credential, pin)
    let verified = try #require(try reader.verify?(vault.bytes, vault.credential, pin))
    let isServed = opened.result == "success" && opened.records == vault.released
    #expect(isServed || opened.result == verified.result && opened.records.isEmpty, "\(opened.result)")
    return verified.result
  }

  // Defends: whatever pages are bad, alone or in a row over the ends of batches, everything is served.
  @Test(arguments: 1..<8)
  func everySubsetOfPages(subset: Int) throws {
    var (vault, pages) = try twoRuns()
    for (number, page) in pages.enumerated() where subset >> number & 1 == 1 {
      vault.bytes.replaceSubrange(page, with: [UInt8](repeating: UInt8(number), count: page.count))
    }
    #expect(try outcome(vault) == "index-damaged")
  }

  // Defends: pages side by side in batches of their own; which of them ended a batch is told by the frame behind them.
  @Test(arguments: 1..<16)
  func pagesInSeveralBatches(subset: Int) throws {
    var vault = ScenarioBuilder(seed: [8])
    vault.found()
    for number in 0..<600 { vault.put("name-\(number)", "value", ends: number == 599) }
    let id = [UInt8](repeating: 3, count: 8)
    let pages = IndexDraft.pages(of: vault.entries(behind: 0, drops: false))
    try #require(pages.count >= 4)
    let segment = IndexDraft.Segment(firstPage: 0, offset: UInt64(vault.end), linkBefore: vault.link)
    for (number, entries) in pages.enumerated() {
      let head = id + bigEndian(UInt32(number)) + bigEndian(UInt16(entries.count)) + [0, 0]
      let plaintext = entries.reduce(head) { $0 + $1.bytes }.padded(to: IndexPage.length)
      vault.frame(
        5, plaintext: plaintext, key: vault.dataKey, term: vault.term, ends: number == 1 || number == pages.count - 1)
    }
    vault.checkpoint(
      .init(index: {
        $0.runs[0].id = id
        $0.runs[0].segments = [segment]
      }))
    vault.put("alice", "one")
    #expect(try outcome(vault) == "success")
    for number in 0..<4 where subset >> number & 1 == 1 {
      vault.bytes[Int(segment.offset) + IndexPage.frameLength * number + 50] ^= 1
    }
    #expect(try outcome(vault) == "index-damaged")
  }

  // Defends: a bit changed anywhere before the newest root is excused in a page, and damage everywhere else.
  @Test func everyPlaceIsPageOrDamage() throws {
    let (vault, pages) = try twoRuns()
    for offset in stride(from: 0, to: pages[2].upperBound + 200, by: 211) {
      var changed = vault
      changed.bytes[offset] ^= 0x10
      let isPage = pages.contains { $0.contains(offset) }
      let found = try outcome(changed)
      #expect((found == "index-damaged") == isPage && found != "success", "byte \(offset): \(found)")
    }
  }

  // Defends: a record that is damaged behind a bad page is not excused with it.
  @Test func anotherFrameIsNotExcused() throws {
    var (vault, pages) = try twoRuns()
    vault.bytes[pages[0].lowerBound] ^= 1
    vault.bytes[vault.frames[5].range.upperBound - 40] ^= 1
    #expect(try outcome(vault) == "frame-damaged")
  }

  // Defends: nor one between the bad page and the newest root: what comes before it is not taken for the whole vault.
  @Test func anotherFrameBehindThePage() throws {
    var (vault, pages) = try twoRuns()
    let record = try #require(vault.frames.first { $0.offset > pages[1].upperBound && vault.bytes[$0.offset + 4] == 1 })
    vault.bytes[pages[0].lowerBound] ^= 1
    vault.bytes[record.range.upperBound - 40] ^= 1
    #expect(try outcome(vault) == "frame-damaged")
  }

  // Defends: nor is a page of the root's own batch, which nothing but its reader can have made bad.
  @Test func aPageOfTheRootsOwnBatch() throws {
    var vault = ScenarioBuilder(seed: [12])
    IndexVaults.written(&vault)
    vault.checkpoint(.init(pageEdit: .forge { $0[1000] ^= 1 }))
    vault.put("dave", "five")
    #expect(try outcome(vault) == "frame-damaged")
  }

  // Defends: an interrupted append behind a bad index is still only that.
  @Test func aTornTailComesFirst() throws {
    var (vault, pages) = try twoRuns()
    vault.bytes[pages[1].lowerBound] ^= 1
    let released = vault.released
    vault.put("carol", "three")
    vault.released = released
    vault.bytes.removeLast(100)
    #expect(try outcome(vault) == "torn-tail")
  }

  // Defends: no pin is met by a link that was taken from a header.
  @Test func aPinBeforeABadPage() throws {
    var vault = ScenarioBuilder(seed: [9])
    vault.begin()
    let early = vault.currentPin
    vault.checkpoint(.init(pagesApart: true, pageEdit: .damage { $0[2000] ^= 1 }))
    let late = vault.currentPin
    vault.put("bob", "two")
    #expect(try outcome(vault, pin: early) == "rollback")
    #expect(try outcome(vault, pin: late) == "index-damaged")
  }

  // Defends: a writer goes on with a bad index; a handle that was open before sees what comes behind a bad page.
  @Test func writersGoOn() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tokenvault-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "vault").path
    var vault = ScenarioBuilder(seed: [10])
    vault.begin()
    #expect(
      FileManager.default.createFile(
        atPath: path, contents: Data(vault.bytes), attributes: [.posixPermissions: 0o600]))
    guard case .key(let key) = vault.credential else { return }
    func credential() throws -> Credential {
      guard let made = Credential(key: try SecretBytes(copying: key.span)) else { throw VaultError(.usage, "no key") }
      return made
    }
    var reading = VaultOptions()
    reading.readOnly = true
    let reader = try Vault.open(at: path, credential: credential(), options: reading)
    let writer = try Vault.open(at: path, credential: credential())
    #expect(try reader.snapshot().count == 1)
    let known = vault.bytes.count
    vault.checkpoint(.init(pagesApart: true, pageEdit: .damage { $0[0] ^= 1 }))
    vault.put("bob", "two")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(vault.bytes[known...]))
    try handle.close()
    #expect(try reader.snapshot().count == 2)
    var batch = try VaultBatch()
    try batch.put("carol".utf8.span, value: "three".utf8.span)
    try writer.commit(batch)
    #expect(try reader.snapshot().count == 3)
    let report = try Vault.verify(at: path, credential: credential())
    #expect(report.findings.map(\.code) == [.indexDamaged] && !report.isDamaged && report.liveNames == 3)
    #expect(report.findings.first?.offset == UInt64(known) && report.batches == 6 && report.records == 3)
  }
}
