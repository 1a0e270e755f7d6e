import Synchronization
import Testing
import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// The index in the file: what is written, and what an opening by it finds.
@Suite struct IndexTests {
  private let directory: TemporaryDirectory
  private var path: String { directory.path("vault") }

  init() throws { directory = try TemporaryDirectory() }

  private func storage() -> FileStorage { FileStorage(path: path) }

  private func options(whole: Bool = false) -> VaultOptions {
    var options = VaultOptions()
    options.readsWhole = whole
    return options
  }

  private func structure() throws -> Opening.Structure? {
    var window = try FileWindow(storage().open(writable: false))
    return try Opening.structureFromRoot(&window)
  }

  private func verify() throws -> VerifyReport { try Vault.verify(at: path, credential: key()) }

  private func write(_ random: inout SeededRandom, _ contents: Contents) -> Write {
    let name = Name(bytes: Array("name-\(random.next() % 700)".utf8))
    switch random.next() % 8 {
    case 0: return .event(name, random.array(9))
    case 1...2 where contents[name] != nil: return .delete(name, .any)
    default: return .put(name, random.array(Int(random.next() % 90)), .any)
    }
  }

  // Defends: over many checkpoints and merges, by handles that stay and handles that are opened by the index, each lookup
  // finds what a dictionary does; a replay of the whole file agrees; a verification finds every root right.
  @Test(arguments: [UInt64](1...3))
  func looksUpWhatWasWritten(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var contents: Contents = [:]
    var vault = try Vault.create(at: path, credential: key())
    for round in 0..<120 {
      for _ in 0...random.next() % 3 {
        var writes: [Write] = []
        for _ in 0...random.next() % 60 {
          let write = write(&random, contents)
          write.apply(to: &contents)
          writes.append(write)
        }
        _ = try vault.commit(writes)
      }
      if random.next() % 3 == 0 { vault = try Vault.open(at: path, credential: key()) }
      for _ in 0..<8 {
        let name = Name(bytes: Array("name-\(random.next() % 800)".utf8))
        #expect(try vault.value(of: name) == contents[name], "round \(round)")
      }
    }
    #expect(try vault.contents() == contents)
    #expect(try Vault.open(at: path, credential: key(), options: options(whole: true)).contents() == contents)
    let report = try verify()
    #expect(report.findings.isEmpty && report.liveNames == contents.count)
    #expect(try #require(try structure()).walk.records < 1024)
  }

  // Defends: a small vault whose tokens are put one by one is not replayed whole either.
  @Test func aSmallVault() throws {
    let vault = try Vault.create(at: path, credential: key())
    for number in 0..<1000 {
      _ = try vault.commit([.put(Name(bytes: Array("user-\(number)".utf8)), [], .any)])
      guard number > 128 else { continue }
      let records = try #require(try structure()).walk.records
      if records > UInt64(max(128, number / 4)) { Issue.record("\(records) records are replayed of \(number)") }
    }
  }

  // Defends: a large batch gets pages batches of its own, and is then not replayed.
  @Test func aLargeBatch() throws {
    let vault = try Vault.create(at: path, credential: key())
    let names = (0..<30_000).map { Name(bytes: Array("user-\($0)".utf8)) }
    for half in [names[..<20_000], names[20_000...]] {
      _ = try vault.commit(half.map { .put($0, $0.bytes, .any) })
    }
    #expect(try #require(try structure()).walk.records == 0)
    let opened = try Vault.open(at: path, credential: key())
    for name in [names[0], names[19_999], names[20_000], names[29_999]] {
      #expect(try opened.value(of: name) == name.bytes)
    }
    #expect(try opened.value(of: "user-30000") == nil)
    #expect(try opened.snapshot().count == names.count)
    let report = try verify()
    #expect(report.findings.isEmpty && report.liveNames == names.count)
  }

  // Defends: opening reads the beginning, the end and one page for each run, and not the vault.
  @Test func openingReadsLittle() throws {
    let vault = try Vault.create(at: path, credential: key())
    for first in stride(from: 0, to: 20_000, by: 2_000) {
      _ = try vault.commit(
        (first..<first + 2_000).map { .put(Name(bytes: Array("user-\($0)".utf8)), [1, 2, 3], .any) })
    }
    let file = CountingFile(try storage().open(writable: false))
    let view = try Opening.view(of: file, with: key())
    guard let entry = try view.entry(named: Array("user-77".utf8).span) else {
      Issue.record("a name is not found")
      return
    }
    let value = Array(entry.value)
    #expect(value == [1, 2, 3])
    let (read, length) = (file.bytesRead.load(ordering: .relaxed), try file.length())
    #expect(read < length / 10, "\(read) of \(length) bytes")
  }

  // Defends: a page that is bad is not believed and hides nothing: what it should tell is found by a replay.
  @Test func aBadPageIsNotBelieved() throws {
    var vault = try Vault.create(at: path, credential: key())
    let names = (0..<20_000).map { Name(bytes: Array("user-\($0)".utf8)) }
    _ = try vault.commit(names.map { .put($0, $0.bytes, .any) })
    var bytes = try directory.read("vault")
    let segment = try #require(try root().runs[0].segments.first)
    bytes[Int(segment.offset) + 2000] ^= 1
    directory.overwriteVault(with: bytes)
    vault = try Vault.open(at: path, credential: key())
    for name in names where try vault.value(of: name) != name.bytes { Issue.record("\(name)") }
    #expect(try verify().findings.map(\.code) == [.indexDamaged])
    // Writing goes on, with the bad page named as before, so that the whole file can still be replayed.
    for round in 0..<12 {
      _ = try vault.commit(names[..<1100].map { .put($0, [UInt8(round)], .any) })
    }
    #expect(try verify().findings.map(\.code) == [.indexDamaged])
    vault = try Vault.open(at: path, credential: key())
    #expect(try vault.value(of: names[0]) == [11])
    #expect(try vault.value(of: names[19_999]) == names[19_999].bytes)
    #expect(try vault.snapshot().count == names.count)
  }

  /// A vault whose oldest run has a bad page, with 130 names that are written often and 300 that are not.
  private func withBadPage() throws -> (vault: Vault, often: [Name], once: [Name]) {
    let vault = try Vault.create(at: path, credential: key())
    let often = (0..<130).map { Name(bytes: Array("often-\($0)".utf8)) }
    let once = (0..<300).map { Name(bytes: Array("once-\($0)".utf8)) }
    _ = try vault.commit((often + once[..<100]).map { .put($0, $0.bytes) })
    _ = try vault.commit(once[100...].map { .put($0, $0.bytes) } + [.put(often[0], [0])])
    let segment = try #require(try root().runs.last?.segments.first)
    var bytes = try directory.read("vault")
    bytes[Int(segment.offset) + 2000] ^= 1
    directory.overwriteVault(with: bytes)
    return (try Vault.open(at: path, credential: key()), often, once)
  }

  // Defends: a run with a bad page is neither merged nor dropped, however many runs come to stand before it; when the index may have
  // no more of them, and when a name is written that only the bad page tells of, the records themselves are asked. A compaction
  // leaves the bad page behind.
  @Test func aBadPageAmongManyRuns() throws {
    var (vault, often, once) = try withBadPage()
    var most = 0
    for round in 1...70 {
      _ = try vault.commit([.put(often[round], [UInt8(round)])])
      // A change of keys writes a checkpoint, and a run with what came since the last.
      try vault.changeKey(to: key(round % 2 == 0 ? 7 : 8))
      most = max(most, try root(round % 2 == 0 ? 7 : 8).runs.count)
    }
    #expect(most == Limits.runs)
    #expect(try vault.contents().count == 430)
    // By a handle that knows nothing but the index.
    vault = try Vault.open(at: path, credential: key())
    for name in once.prefix(3) { _ = try vault.commit([.put(name, [9])]) }
    vault = try Vault.open(at: path, credential: key())
    #expect(try vault.value(of: often[7]) == [7] && vault.value(of: once[2]) == [9])
    #expect(try vault.value(of: once[99]) == once[99].bytes)
    let before = try vault.contents()
    #expect(try Vault.compact(at: path, credential: key()).names == 430)
    #expect(try vault.contents() == before)
    #expect(try verify().findings.isEmpty)
  }

  // Defends: a new generation of a vault whose index has a bad page is made of its records, and has a sound index.
  @Test(arguments: Verb.allCases) func newGenerationsOfABadIndex(_ verb: Verb) throws {
    let vault = try Vault.create(at: path, credential: key())
    let names = (0..<3_000).map { Name(bytes: Array("user-\($0)".utf8)) }
    for half in [names[..<1_500], names[1_500...]] { _ = try vault.commit(half.map { .put($0, $0.bytes) }) }
    let segment = try #require(try root().runs.last?.segments.first)
    var bytes = try directory.read("vault")
    bytes[Int(segment.offset) + 2000] ^= 1
    directory.overwriteVault(with: bytes)
    #expect(try verify().findings.map(\.code) == [.indexDamaged])
    #expect(try verb.run(on: .system(path: path)).names == names.count)
    #expect(try verify().findings.isEmpty)
    #expect(try Vault.open(at: path, credential: key()).contents().count == names.count)
  }

  // Defends: bad pages side by side are passed over together, also one that has become another frame, and hide nothing.
  @Test func badPagesSideBySide() throws {
    let vault = try Vault.create(at: path, credential: key())
    let names = (0..<3_000).map { Name(bytes: Array("user-\($0)".utf8)) }
    for half in [names[..<1_500], names[1_500...]] { _ = try vault.commit(half.map { .put($0, $0.bytes) }) }
    let run = try #require(try root().runs.last)
    let first = Int(try #require(run.segments.first).offset)
    try #require(run.pages > 4)
    var bytes = try directory.read("vault")
    let zeroLink = try Generation(header: FileHeader(parsing: bytes.span.extracting(first: 128))).zeroLink
    for page in [0, 2, 3] { bytes[first + 4096 * page + 2000] ^= 1 }
    bytes.setNumber(7, at: first + 4096 + 8, 8)
    FrameFit.setChecksum(of: &bytes, zeroLink, at: first + 4096)
    directory.overwriteVault(with: bytes)
    #expect(try verify().findings.map(\.code) == [.indexDamaged])
    for whole in [false, true] {
      let contents = try Vault.open(at: path, credential: key(), options: options(whole: whole)).contents()
      #expect(contents.count == names.count && contents.allSatisfy { $0.key.bytes == $0.value })
    }
  }

  // Defends: a handle that finds a bad page between what it knows and the root that excuses the page, both of which another has
  // written since, reads and writes on.
  @Test(arguments: [false, true]) func aBadPageBehindAHandle(writes: Bool) throws {
    let vault = try Vault.create(at: path, credential: key())
    _ = try vault.commit([.put("alice", [1])])
    let other = try Vault.open(at: path, credential: key())
    _ = try other.commit((0..<200).map { .put(Name(bytes: Array("user-\($0)".utf8)), [2]) })
    try other.addKey(key(8))
    let segment = try #require(try root().runs.last?.segments.first)
    var bytes = try directory.read("vault")
    bytes[Int(segment.offset) + 2000] ^= 1
    directory.overwriteVault(with: bytes)
    if writes { _ = try vault.commit([.put("bob", [3])]) }
    #expect(try vault.value(of: "bob") == (writes ? [3] : nil) && vault.value(of: "user-199") == [2])
    #expect(try vault.contents().count == (writes ? 202 : 201))
  }

  // Defends: when the index may have no more runs, and one that has a bad page would have to be merged, the next checkpoint is made
  // of the records, also by a handle that knew nothing but the index.
  @Test func aCheckpointThatNeedsABadPage() throws {
    var (vault, often, once) = try withBadPage()
    var (round, byte) = (0, UInt8(7))
    while try root(byte).runs.count < Limits.runs, round < 100 {
      round += 1
      byte = round % 2 == 0 ? 7 : 8
      _ = try vault.commit([.put(often[round], [UInt8(round)])])
      try vault.changeKey(to: key(byte))
    }
    #expect(try root(byte).runs.count == Limits.runs)
    vault = try Vault.open(at: path, credential: key(byte))
    // So many that a checkpoint is due, of a name that the newest run has.
    _ = try vault.commit((0..<130).map { .put(often[round], [UInt8($0)]) })
    #expect(try root(byte).runs.count == 1)
    vault = try Vault.open(at: path, credential: key(byte))
    #expect(try vault.value(of: often[round]) == [129] && vault.value(of: once[7]) == once[7].bytes)
    #expect(try vault.contents().count == 430)
  }

  // Defends: where a bad page is met first by a write, of names that stand on it, that write is made all the same.
  @Test func aBadPageMetByAWrite() throws {
    var vault = try Vault.create(at: path, credential: key())
    let names = (0..<2_000).map { Name(bytes: Array("user-\($0)".utf8)) }
    _ = try vault.commit(names.map { .put($0, $0.bytes) })
    _ = try vault.commit((0..<1_100).map { .put(Name(bytes: Array("other-\($0)".utf8)), []) })
    let run = try #require(try root().runs.last)
    var bytes = try directory.read("vault")
    for segment in run.segments { bytes[Int(segment.offset) + 2000] ^= 1 }
    directory.overwriteVault(with: bytes)
    for number in 0..<8 {
      vault = try Vault.open(at: path, credential: key())
      _ = try vault.commit(names[number * 200..<(number + 1) * 200].map { .put($0, [1]) })
    }
    vault = try Vault.open(at: path, credential: key())
    #expect(try vault.contents().count == names.count + 1_100)
    #expect(try vault.value(of: names[0]) == [1] && vault.value(of: names[1_999]) == names[1_999].bytes)
  }

  private func root(_ byte: UInt8 = 7) throws -> IndexRoot {
    let view = try Opening.view(of: storage().open(writable: false), with: key(byte))
    return try #require(view.index.root)
  }

  // Defends: runs are merged, four of a level to one of the next, so that a lookup never asks many.
  @Test func runsAreFew() throws {
    let vault = try Vault.create(at: path, credential: key())
    for round in 0..<70 {
      _ = try vault.commit((0..<1024).map { .put(Name(bytes: Array("user-\(round * 1024 + $0)".utf8)), [], .any) })
    }
    let root = try root()
    #expect(root.runs.count <= 9)
    #expect(root.runs.map(\.entries).reduce(0, +) == 70 * 1024)
    #expect(root.runs.last?.level == 3)
  }
}

extension TemporaryDirectory {
  func overwriteVault(with bytes: [UInt8]) {
    do { try overwrite("vault", with: bytes) } catch { Issue.record(error) }
  }
}

/// A file that counts what is read of it.
private final class CountingFile: StorageFile {
  private let file: any StorageFile
  let bytesRead = Atomic<UInt64>(0)

  init(_ file: any StorageFile) { self.file = file }

  var identity: FileIdentity { file.identity }

  func length() throws(VaultError) -> UInt64 { try file.length() }

  func stamp() throws(VaultError) -> FileStamp? { try file.stamp() }

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    let before = output.count
    try file.read(at: offset, into: &output)
    bytesRead.add(UInt64(output.count - before), ordering: .relaxed)
  }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { try file.write(bytes, at: offset) }

  func resize(to length: UInt64) throws(VaultError) { try file.resize(to: length) }

  func sync() throws(VaultError) { try file.sync() }
}
