import VaultCrypto
import VaultEngine
package import VaultFormat

/// A frame taken apart, so that it can be sealed again.
package struct ForgedFrame: Sendable {
  package var type: UInt8
  package var endsBatch: Bool
  package var term: UInt32
  package var clear: [UInt8]
  /// Salt and iv. A frame that is written as it was is sealed to the same bytes.
  package var nonce: [UInt8]
  /// The plaintext; of a key slot its authTag and ciphertext, which are carried.
  package var content: [UInt8]
}

/// What is done to one frame while a file is written.
package struct FrameEdit: Sendable {
  /// Changes the header's 88 bytes before the frame is sealed: tag, checksums and links are right for what it makes.
  package var header: @Sendable (inout [UInt8]) -> Void = { _ in }
  /// Changes the trailer's 16 bytes, at last.
  package var trailer: @Sendable (inout [UInt8]) -> Void = { _ in }

  package init() {}
}

/// Somebody with the keys of a vault and a will of his own: writes any frames, with all tags, checksums and links right.
///
/// From FORMAT.md, and on the ciphers alone. One value serves one thread.
package final class Forge {
  private final class Cipher {
    var key: XAES256GCM

    init(_ key: consuming XAES256GCM) { self.key = key }
  }

  private let header: [UInt8]
  private let zeroLink: Link
  private let wrap: Cipher
  private let genesis: Cipher
  private var terms: [UInt32: Cipher] = [:]
  /// The vault, frame by frame.
  package private(set) var frames: [ForgedFrame] = []

  /// Takes a whole vault apart.
  package init(_ vault: [UInt8], key byte: UInt8) throws {
    let generation = try Generation(header: FileHeader(parsing: vault.span.extracting(first: 128)))
    header = Array(vault.prefix(128))
    zeroLink = generation.zeroLink
    let places = SampleFrame.all(in: vault)
    var root: RootKey?
    for place in places where place.type == 2 {
      if root != nil { break }
      let span = vault.span.extracting(place.offset..<vault.count)
      let frame = try Frame(FrameHeader(parsing: span, at: UInt64(place.offset), in: generation), in: span)
      root = try KeySlot(parsing: frame.clear).unwrap(
        frame, with: VaultLaboratory.key(byte), vault: generation.header.vaultID)
    }
    guard let root else { throw HelperError.noCredential }
    wrap = Cipher(try root.wrapKey(of: generation.header.vaultID))
    genesis = Cipher(try root.genesisKey(of: generation.header))
    for place in places {
      let span = vault.span.extracting(place.offset..<vault.count)
      let frame = try Frame(FrameHeader(parsing: span, at: UInt64(place.offset), in: generation), in: span)
      try take(frame, place, in: generation)
    }
  }

  private func take(_ frame: borrowing Frame, _ place: SampleFrame, in generation: Generation) throws {
    let sealed = Array(frame.sealed)
    var content = Array(sealed[24...])
    if place.type != 2 {
      let plaintext = try frame.open(with: &cipher(place.type, frame.header.term).key, in: generation)
      content = Array(plaintext.span)
      if place.type == 3 {
        let key = try DataKey(parsing: plaintext.span, of: generation.header.vaultID)
        terms[key.term] = Cipher(try key.cipher())
      }
    }
    frames.append(
      ForgedFrame(
        type: place.type, endsBatch: place.endsBatch, term: frame.header.term, clear: Array(frame.clear),
        nonce: Array(sealed[..<24]), content: content))
  }

  private func cipher(_ type: UInt8, _ term: UInt32) throws -> Cipher {
    switch type {
    case 3, 7: return wrap
    case 4: return genesis
    default:
      guard let cipher = terms[term] else { throw HelperError.noCredential }
      return cipher
    }
  }

  // MARK: Writing

  /// Where the next frame stands.
  private struct Place {
    var bytes: [UInt8]
    var sequence: UInt64 = 0
    var position: UInt64 = 0
    var batchStart = 128
    var rootOffset: UInt64 = 0
    var link: Link
  }

  /// Writes a file of these frames, edited by number.
  package func file(_ frames: [ForgedFrame], editing edits: [Int: FrameEdit] = [:]) throws -> [UInt8] {
    var place = Place(bytes: header, link: zeroLink)
    var hasher = try LinkHasher()
    for (number, frame) in frames.enumerated() {
      try write(frame, edits[number] ?? FrameEdit(), &place, &hasher)
    }
    return place.bytes
  }

  private func write(
    _ frame: ForgedFrame, _ edit: FrameEdit, _ place: inout Place, _ hasher: inout LinkHasher
  ) throws {
    let carried = frame.type == 2 ? 16 : 0
    var head = [UInt8](repeating: 0, count: 88)
    head.replaceSubrange(0..<8, with: FrameHeader.sync + [frame.type, 1, 0, frame.endsBatch ? 1 : 0])
    head.setNumber(place.sequence + 1, at: 8, 8)
    head.setNumber(UInt64(place.bytes.count), at: 16, 8)
    head.setNumber(place.position, at: 24, 4)
    head.setNumber(UInt64(frame.term), at: 28, 4)
    head.setNumber(UInt64(frame.clear.count), at: 32, 4)
    head.setNumber(UInt64(frame.content.count - carried), at: 36, 4)
    head.replaceSubrange(40..<72, with: Array(place.link.span))
    head.setNumber(place.rootOffset, at: 72, 8)
    edit.header(&head)
    let sealed = frame.type == 2 ? frame.content : try seal(frame, head)
    FrameFit.setChecksum(of: &head, zeroLink)
    var bytes = head + frame.clear + frame.nonce + sealed
    var trailer = FrameFit.trailer(of: bytes, distance: place.bytes.count + bytes.count + 16 - place.batchStart)
    edit.trailer(&trailer)
    bytes += trailer
    place.link = try hasher.link(of: bytes.span)
    if frame.endsBatch, frame.type == 6 { place.rootOffset = UInt64(place.bytes.count) }
    place.bytes += bytes
    place.sequence += 1
    place.position = frame.endsBatch ? 0 : place.position + 1
    if frame.endsBatch { place.batchStart = place.bytes.count }
  }

  /// authTag and ciphertext.
  private func seal(_ frame: ForgedFrame, _ head: [UInt8]) throws -> [UInt8] {
    var covered = Array(head.prefix(84))
    if covered[7] & 1 == 0 { covered.replaceSubrange(40..<72, with: [UInt8](repeating: 0, count: 32)) }
    let additional = Array("tokenvault/1 frame".utf8) + [0] + Array(zeroLink.span) + covered + frame.clear
    let cipher = try cipher(frame.type, frame.term)
    let salt = FixedBytes<12>(frame.nonce.span.extracting(first: 12))
    let iv = FixedBytes<12>(frame.nonce.span.extracting(last: 12))
    return try [UInt8](capacity: 16 + frame.content.count) { (output) throws(CryptoError) in
      try cipher.key.seal(
        frame.content.span, salt: salt, iv: iv, authenticating: additional.span, appendingTo: &output)
    }
  }
}

/// What takes no key: checksums, trailers, links. Whoever can write the file can make them right.
package enum FrameFit {
  /// Makes the checksum of a frame header right.
  package static func setChecksum(of head: inout [UInt8], _ zeroLink: Link, at start: Int = 0) {
    var checksum = CRC32(of: zeroLink.span)
    checksum.add(head.span.extracting(start..<start + 84))
    head.setNumber(UInt64(checksum.value), at: start + 84, 4)
  }

  /// The trailer of a frame of which these are the bytes before it.
  package static func trailer(of bytes: [UInt8], distance: Int) -> [UInt8] {
    var trailer = [UInt8](repeating: 0, count: 16)
    let total = UInt64(bytes.count + 16)
    trailer.setNumber(total, at: 0, 4)
    trailer.setNumber(UInt64(distance), at: 4, 4)
    trailer.setNumber(UInt64(CRC32(of: bytes.span).value), at: 8, 4)
    trailer.setNumber(~total & 0xFFFF_FFFF, at: 12, 4)
    return trailer
  }

  /// Lays frames side by side and makes right all that takes no key: sequences, offsets, positions, root offsets, links,
  /// distances, checksums.
  ///
  /// - Parameter frames: each a whole frame, from wherever.
  package static func file(header: [UInt8], _ frames: [ArraySlice<UInt8>]) throws -> [UInt8] {
    var hasher = try LinkHasher()
    let zeroLink = try hasher.link(of: header.span)
    var link = zeroLink
    var file = header
    var (batchStart, position, rootOffset) = (128, UInt64(0), UInt64(0))
    for (number, frame) in frames.enumerated() {
      var bytes = Array(frame.dropLast(16))
      bytes.setNumber(UInt64(number + 1), at: 8, 8)
      bytes.setNumber(UInt64(file.count), at: 16, 8)
      bytes.setNumber(position, at: 24, 4)
      bytes.replaceSubrange(40..<72, with: Array(link.span))
      bytes.setNumber(rootOffset, at: 72, 8)
      setChecksum(of: &bytes, zeroLink)
      bytes += trailer(of: bytes, distance: file.count + bytes.count + 16 - batchStart)
      link = try hasher.link(of: bytes.span)
      let endsBatch = bytes[7] & 1 == 1
      if endsBatch, bytes[4] == 6 { rootOffset = UInt64(file.count) }
      file += bytes
      position = endsBatch ? 0 : position + 1
      if endsBatch { batchStart = file.count }
    }
    return file
  }
}

extension VaultSample {
  /// The index's page in a batch of its own, before the checkpoint whose root names it: as a large vault has its pages.
  package static func pagesApart(seed: UInt64) throws -> VaultSample {
    let maker = try SampleMaker(seed: seed)
    try maker.commit(Array(mixedCommits.prefix(3)))
    try maker.addKey(8)
    let before = maker.sample("before")
    let forge = try Forge(before.bytes, key: 7)
    let first = before.states[before.states.count - 2]
    var frames = forge.frames
    guard let page = frames.firstIndex(where: { $0.type == 5 }), let root = frames.firstIndex(where: { $0.type == 6 })
    else { throw HelperError.noCredential }
    var moved = frames.remove(at: page)
    moved.endsBatch = true
    frames.insert(moved, at: Int(first.sequence))
    frames[root].content = try movedRoot(frames[root].content, first)
    let file = try forge.file(frames)
    var states = try before.states.map { try $0.moved(in: file) }
    states.insert(try first.behindPage(in: file), at: states.count - 1)
    return VaultSample(name: "pages-apart", bytes: file, frames: SampleFrame.all(in: file), states: states)
  }

  /// The root of a page that begins where the commits end, and that is a batch.
  private static func movedRoot(_ plaintext: [UInt8], _ state: SampleState) throws -> [UInt8] {
    let root = try IndexRoot(parsing: plaintext.span)
    let last = root.lastSequence + 1
    let runs = root.runs.map { (run) in
      IndexRoot.Run(
        id: run.id, level: run.level, pages: run.pages, entries: run.entries, sequences: 1...last,
        segments: [IndexRoot.Segment(firstPage: 0, offset: UInt64(state.end), linkBefore: state.pin.head)])
    }
    return IndexRoot(
      lastSequence: last, lastVersion: root.lastVersion, newestEvent: root.newestEvent, runs: runs
    ).plaintext()
  }
}

extension SampleState {
  /// The same state in a file that differs from where this one ends, or from the checkpoint before that.
  fileprivate func moved(in file: [UInt8]) throws -> SampleState {
    let frames = SampleFrame.all(in: file)
    return try moved(in: file, checkpoint == 0 ? frames.filter { $0.range.upperBound <= end } : frames)
  }

  /// The same state with one frame more.
  fileprivate func behindPage(in file: [UInt8]) throws -> SampleState {
    try moved(in: file, Array(SampleFrame.all(in: file).prefix(Int(sequence) + 1)))
  }

  private func moved(in file: [UInt8], _ kept: [SampleFrame]) throws -> SampleState {
    SampleState(
      end: kept.last?.range.upperBound ?? 0, sequence: UInt64(kept.count), contents: contents, records: records,
      pin: try Pin(ofFile: file, kept), checkpoint: kept.last { $0.type == 6 }?.batchStart ?? 0, key: key)
  }
}
