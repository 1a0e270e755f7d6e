import VaultCrypto
import VaultFormat

/// Values of every structure, for tests that take them apart.
enum Samples {
  static let genesis = Genesis(
    created: 1_700_000_000_000_000, madeBy: .rotation, writer: "tokenvault", version: "1.2.3")

  static func filled<let count: Int>(_ byte: UInt8) -> FixedBytes<count> {
    FixedBytes([UInt8](repeating: byte, count: count).span)
  }

  static func header(generation: UInt64 = 3) -> FileHeader {
    FileHeader(vaultID: filled(0xA1), fileID: filled(0xB2), generation: generation)
  }

  static func ancestor(_ generation: UInt64) -> Anchor.Ancestor {
    Anchor.Ancestor(
      generation: generation, fileID: filled(UInt8(truncatingIfNeeded: generation)), lastSequence: 9, lastVersion: 7,
      head: filled(3),
      time: -1, madeBy: .compaction)
  }

  static func page(entries count: Int) -> IndexPage {
    let entries = (0..<count).map { (index) in
      var tag = [UInt8](repeating: 0, count: 12)
      tag.put(UInt64(index * 3), count: 4, at: 0)
      return IndexEntry(
        tag: FixedBytes(tag.span), offset: UInt64(128 + 16 * index), isDeletion: index % 3 == 1,
        authTagPrefix: filled(UInt8(truncatingIfNeeded: index)))
    }
    return IndexPage(run: filled(0x11), number: 2, entries: entries)
  }

  static func run(
    _ sequences: ClosedRange<UInt64>, pages: UInt32 = 3, entries: UInt64 = 9, firstPages: [UInt32] = [0],
    offset: UInt64 = 4096
  ) -> IndexRoot.Run {
    IndexRoot.Run(
      id: filled(0x22), level: 1, pages: pages, entries: entries, sequences: sequences,
      segments: firstPages.map { IndexRoot.Segment(firstPage: $0, offset: offset, linkBefore: filled(0x33)) })
  }

  static let root = IndexRoot(
    lastSequence: 4000, lastVersion: 3000, newestEvent: 160,
    runs: [run(3001...4000), run(1...3000, pages: 5000, entries: 700_000, firstPages: [0, 1024, 2048])])
}

/// What reading a file by the format's rules comes to.
struct Judgement: Equatable, CustomStringConvertible {
  enum Tail: Hashable {
    case clean, torn
    case damage(FormatError.Code)
  }

  /// End of the last complete batch.
  var end: Int
  var tail: Tail

  var description: String { "\(tail) behind byte \(end)" }

  var isDamage: Bool {
    if case .damage = tail { return true }
    return false
  }
}

extension SmallVault {
  /// What the tail rules may know of a frame's key.
  enum Keys { case all, none, noRecords }

  /// Reads `file` batch by batch, opening every frame, and puts what is left before the tail rules.
  func judge(_ file: [UInt8], keys: Keys = .all) throws -> Judgement {
    let span = file.span
    var complete = Chain(startOf: generation)
    var failure: FormatError?
    do {
      while complete.offset < UInt64(file.count) { complete = try nextBatch(of: span, after: complete, keys) }
    } catch {
      failure = error
    }
    let end = Int(complete.offset)
    do {
      let rules = TailRules(span.extracting(min(end, span.count)..<span.count), after: complete, in: generation)
      let verdict = try rules.judge(failure: failure) { (frame) throws(FormatError) in opening(of: frame, keys) }
      return Judgement(end: end, tail: verdict == .clean ? .clean : .torn)
    } catch {
      return Judgement(end: end, tail: .damage(error.code))
    }
  }

  private func nextBatch(of file: Span<UInt8>, after start: Chain, _ keys: Keys) throws(FormatError) -> Chain {
    var chain = start
    var hasher = try LinkHasher()
    repeat {
      let rest = file.extracting(min(Int(chain.offset), file.count)..<file.count)
      let header = try FrameHeader(parsing: rest, at: chain.offset, in: generation)
      let frame = try chain.accept(header, in: rest, hasher: &hasher)
      if opening(of: frame, keys) == .fails { throw header.damaged("it does not open") }
    } while !chain.isBetweenBatches
    return chain
  }

  private func opening(of frame: borrowing Frame, _ keys: Keys) -> TailRules.Opening {
    if keys == .none { return .opens }
    if keys == .noRecords, frame.header.type == .record { return .keyMissing }
    do {
      try open(frame)
      return .opens
    } catch {
      return .fails
    }
  }

  /// Makes the checksums of the frame at `place` of `file` right again, header and trailer, after a change.
  func repair(_ file: inout [UInt8], frameAt place: Int, length: Int? = nil) {
    repairHeader(&file, at: place)
    let clear = Int(file.number(at: place + 32, count: 4))
    let length = length ?? Frame.overhead + clear + Int(file.number(at: place + 36, count: 4))
    guard length >= Frame.overhead, place + length <= file.count else { return }
    let checksum = CRC32(of: file.span.extracting(place..<place + length - 16)).value
    file.put(UInt64(checksum), count: 4, at: place + length - 8)
  }

  /// Makes the checksum of the frame header at `place` right.
  func repairHeader(_ file: inout [UInt8], at place: Int) {
    var checksum = CRC32(of: generation.zeroLink.span)
    checksum.add(file.span.extracting(place..<place + 84))
    file.put(UInt64(checksum.value), count: 4, at: place + 84)
  }

  /// Offsets of the frames between two chains.
  func frames(from start: Chain, to end: Chain) -> [Int] {
    var places: [Int] = []
    var place = Int(start.offset)
    while place < Int(end.offset) {
      places.append(place)
      place += Frame.overhead + Int(bytes.number(at: place + 32, count: 4) + bytes.number(at: place + 36, count: 4))
    }
    return places
  }
}
