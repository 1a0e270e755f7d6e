import VaultCrypto
import VaultFormat

/// A vault as bytes, grown batch by batch under keys that a test knows.
final class SmallVault {
  /// A frame to be sealed.
  enum Piece {
    case slot, dataKey, genesis, anchor, page
    case root
    /// A root of that many bytes, which holds nothing.
    case longRoot(Int)
    /// A put whose value has that many bytes.
    case put(Int)
    /// A frame of a type that is not known.
    case other(UInt8)
  }

  static let founding: [Piece] = [.slot, .dataKey, .genesis]
  static let checkpoint: [Piece] = [.slot, .dataKey, .anchor, .page, .root]

  let generation: Generation
  let root: RootKey
  let dataKey: DataKey
  let slot: KeySlot.Sealed
  let credential: Credential
  private var wrap: XAES256GCM
  private var genesis: XAES256GCM
  private var records: XAES256GCM
  private var random: SplitMix64
  private var version: UInt64 = 0
  /// The whole file.
  private(set) var bytes: [UInt8]
  /// Behind the last batch.
  private(set) var chain: Chain
  /// Where each batch begins, and the end of the last.
  private(set) var starts: [Chain]

  var header: FileHeader { generation.header }

  /// An empty file, or one with its founding batch.
  init(seed: UInt64 = 1, generation number: UInt64 = 1, isFounded: Bool = true) throws {
    random = SplitMix64(seed: seed)
    let header = FileHeader(vaultID: try random.bytes(), fileID: try random.bytes(), generation: number)
    generation = try Generation(header: header)
    root = try RootKey.random(from: &random)
    dataKey = try DataKey(term: 1, created: 5, from: &random)
    let key = try random.secret(32)
    guard let credential = Credential(key: key) else { throw FormatError(.wrongKey, "no key") }
    self.credential = credential
    slot = try KeySlot.seal(
      root, under: self.credential, kind: .raw, number: 1, created: 7, vault: header.vaultID, random: &random)
    wrap = try root.wrapKey(of: header.vaultID)
    genesis = try root.genesisKey(of: header)
    records = try dataKey.cipher()
    bytes = header.serialized()
    chain = Chain(startOf: generation)
    starts = [chain]
    if isFounded { try add(Self.founding) }
  }

  /// Seals a batch that would come next, without adding it. Its last frame ends it, or the frame number `end`.
  func seal(_ pieces: [Piece], end: Int? = nil) throws -> [UInt8] {
    var batch = try BatchEncoder(after: chain, in: generation)
    for (index, piece) in pieces.enumerated() {
      try append(piece, to: &batch, last: index == (end ?? pieces.count - 1))
    }
    return batch.bytes
  }

  /// Seals a batch, checks it and adds it to the file.
  func add(_ pieces: [Piece]) throws { try add(sealed: seal(pieces)) }

  /// Adds a sealed batch to the file, if the chain takes it.
  func add(sealed batch: [UInt8]) throws {
    chain = try Self.accept(batch, after: chain, in: generation)
    bytes += batch
    starts.append(chain)
  }

  /// Adds a batch of one put whose frame brings the end of the file to `remainder` within a sector.
  func align(to remainder: Int) throws {
    let overhead = Frame.overhead + Record.headerLength + 4
    while true {
      let gap = (remainder - bytes.count % 512 + 512) % 512
      if gap == 0 { return }
      // A frame's length is 16 more than a multiple of 32: two frames reach every multiple of 16.
      let wanted = gap % 32 == 16 ? gap : 240
      try add([.put(wanted - overhead + (wanted < overhead + 1 ? 512 : 0))])
    }
  }

  /// Walks one batch's frames.
  static func accept(_ batch: [UInt8], after start: Chain, in generation: Generation) throws -> Chain {
    var chain = start
    var hasher = try LinkHasher()
    let span = batch.span
    while chain.offset < start.offset + UInt64(batch.count) {
      let rest = span.extracting(Int(chain.offset - start.offset)..<span.count)
      let header = try FrameHeader(parsing: rest, at: chain.offset, in: generation)
      _ = try chain.accept(header, in: rest, hasher: &hasher)
    }
    return chain
  }

  private func append(_ piece: Piece, to batch: inout BatchEncoder, last: Bool) throws {
    switch piece {
    case .slot: try batch.append(slot(number: batch.position + 1))
    case .dataKey:
      let plaintext = try dataKey.plaintext(for: header.vaultID)
      try batch.append(.dataKey, plaintext: plaintext.span, key: &wrap, random: &random, last: last)
    case .genesis:
      let plaintext = Samples.genesis.plaintext()
      try batch.append(.genesis, plaintext: plaintext.span, key: &genesis, random: &random, last: last)
    case .anchor:
      let plaintext = Anchor(genesis: Samples.genesis, history: []).plaintext()
      let clear = header.serialized()
      try batch.append(.anchor, clear: clear, plaintext: plaintext.span, key: &wrap, random: &random, last: last)
    case .page:
      let plaintext = Samples.page(entries: 3).plaintext()
      try batch.append(.indexPage, term: 1, plaintext: plaintext.span, key: &records, random: &random, last: last)
    case .root:
      let plaintext = IndexRoot(
        lastSequence: chain.sequence, lastVersion: version, newestEvent: 0, runs: []
      ).plaintext()
      try batch.append(.indexRoot, term: 1, plaintext: plaintext.span, key: &records, random: &random, last: last)
    case .longRoot(let count):
      let plaintext = [UInt8](repeating: 0, count: count)
      try batch.append(.indexRoot, term: 1, plaintext: plaintext.span, key: &records, random: &random, last: last)
    case .put(let count):
      version += 1
      let record = Record(.put, time: 9, version: version, previous: 0, nameLength: 4, valueLength: count)
      let name = Array("name".utf8)
      let value = random.array(count)
      let plaintext = try record.plaintext(name: name.span, value: value.span, padding: header.padding)
      try batch.append(.record, term: 1, plaintext: plaintext.span, key: &records, random: &random, last: last)
    case .other(let type):
      let plaintext = [UInt8](repeating: 7, count: 32)
      let type = FrameType(rawValue: type)
      let term: UInt32 = type.isAncillary ? 1 : 0
      try batch.append(type, term: term, plaintext: plaintext.span, key: &records, random: &random, last: last)
    }
  }

  /// The slot, or another of a higher number for the same credential: in a batch they ascend.
  private func slot(number: UInt32) throws -> KeySlot.Sealed {
    guard number > 1 else { return slot }
    var random = SplitMix64(seed: UInt64(number))
    return try KeySlot.seal(
      root, under: credential, kind: .raw, number: number, created: 7, vault: header.vaultID, random: &random)
  }

  /// Opens a frame under the key of its type; a slot's body is left to the frame that ends its batch.
  func open(_ frame: borrowing Frame) throws(FormatError) {
    switch frame.header.type {
    case .keySlot: _ = try KeySlot(parsing: frame.clear)
    case .dataKey, .anchor: _ = try frame.open(with: &wrap, in: generation)
    case .genesis: _ = try frame.open(with: &genesis, in: generation)
    default:
      let plaintext = try frame.open(with: &records, in: generation)
      if frame.header.type == .record {
        let span = plaintext.span
        _ = try Record(parsing: span, at: frame.header.offset, in: header)
      }
    }
  }
}
