import VaultCrypto
import VaultFormat
import VaultLaboratory

@testable import VaultEngine

/// Empty vaults of any generation, all of one root key, as compaction or rotation will make them.
struct HandMadeVault {
  let generation: UInt64
  /// The checkpoint that tells of the generation before, without which a later generation is not complete.
  var hasCheckpoint = true
  /// The root key is another, as after a change of all keys.
  var hasOtherRoot = false
  /// Features without which nothing may be written.
  var readOnlyFeatures: UInt32 = 0
  /// What the plaintexts of its records are multiples of.
  var padding = 32
  /// Values may be deflated.
  var allowsDeflate = false

  func bytes() throws -> [UInt8] {
    var random = SeededRandom(seed: hasOtherRoot ? 701 : 700)
    let root = try RootKey.random(from: &random)
    random = SeededRandom(seed: 800)
    let vaultID: FixedBytes<16> = try random.bytes()
    random = SeededRandom(seed: 900 + generation)
    var header = FileHeader(vaultID: vaultID, fileID: try random.bytes(), generation: generation)
    header.readOnlyCompatible = readOnlyFeatures
    header.padding = padding
    header.allowsDeflate = allowsDeflate
    let dataKey = try DataKey(term: 1, created: 0, from: &random)
    let maker: Genesis.Maker = generation == 1 ? .initialization : .compaction
    let genesis = Genesis(created: 0, madeBy: maker, writer: "test", version: "1")

    let file = try Generation(header: header)
    let start = Chain(startOf: file)
    var founding = try BatchEncoder(after: start, in: file)
    try appendKeys(root, dataKey, header, to: &founding, random: &random)
    var genesisKey = try root.genesisKey(of: header)
    try founding.append(.genesis, plaintext: genesis.plaintext().span, key: &genesisKey, random: &random, last: true)
    guard generation > 1, hasCheckpoint else { return header.serialized() + founding.bytes }

    let first = founding.bytes
    var checkpoint = try BatchEncoder(after: start.following(first.span, in: file), in: file)
    try appendKeys(root, dataKey, header, to: &checkpoint, random: &random)
    let parent = Anchor.Ancestor(
      generation: generation - 1, fileID: try random.bytes(), lastSequence: 3, lastVersion: 0, head: start.link,
      time: 0,
      madeBy: .initialization)
    let anchor = Anchor(genesis: genesis, history: [parent]).plaintext()
    var wrapKey = try root.wrapKey(of: vaultID)
    try checkpoint.append(
      .anchor, clear: header.serialized(), plaintext: anchor.span, key: &wrapKey, random: &random, last: false)
    var cipher = try dataKey.cipher()
    let index = [UInt8](repeating: 0, count: 48)
    try checkpoint.append(.indexRoot, term: 1, plaintext: index.span, key: &cipher, random: &random, last: true)
    return header.serialized() + first + checkpoint.bytes
  }

  private func appendKeys(
    _ root: borrowing RootKey, _ dataKey: borrowing DataKey, _ header: FileHeader, to batch: inout BatchEncoder,
    random: inout SeededRandom
  ) throws {
    let slot = try KeySlot.seal(
      root, under: key(), kind: .raw, number: 1, created: 0, vault: header.vaultID, random: &random)
    try batch.append(slot)
    let plaintext = try dataKey.plaintext(for: header.vaultID)
    var wrapKey = try root.wrapKey(of: header.vaultID)
    try batch.append(.dataKey, plaintext: plaintext.span, key: &wrapKey, random: &random, last: false)
  }
}
