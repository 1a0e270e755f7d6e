internal import VaultCrypto
internal import VaultFormat

/// How a vault's first generation comes into being.
enum Creation {
  /// Name and version of what writes, for the genesis frame.
  static let writer = (name: "tokenvault", version: "0.1.0")

  /// Makes the file under a temporary name, reads it back, and gives it its own name.
  static func create(
    _ environment: Environment, credential: borrowing Credential, cost: KeySlot.Kind, wait: Duration
  ) throws(VaultError) -> View {
    let storage = environment.storage
    guard try storage.identity() == nil else { throw exists(storage) }
    let lock = try storage.lock(.exclusive, wait: wait)
    defer { withExtendedLifetime(lock) {} }
    // Another process may have made one while this one waited.
    guard try storage.identity() == nil else { throw exists(storage) }
    storage.sweep()
    let founding = try FoundingFile(environment, credential: credential, cost: cost)
    let temporary = try storage.createTemporary()
    do {
      try temporary.write(founding.bytes.span, at: 0)
      try temporary.sync()
      try check(temporary, holds: founding.bytes)
      try storage.publish(temporary)
    } catch {
      storage.discard(temporary)
      throw error
    }
    var window = try FileWindow(temporary)
    var view = View(file: temporary, generation: founding.generation, keyring: founding.keyring)
    try view.replay(Walk(&window, from: view.chain, in: founding.generation), &window)
    return view
  }

  private static func exists(_ storage: any Storage) -> VaultError {
    VaultError(
      .conflict, "there is something at \(storage.path) already; nothing was changed",
      remedy: "name another path with --vault")
  }

  /// What was written is what a reader will find.
  private static func check(_ file: any StorageFile, holds bytes: [UInt8]) throws(VaultError) {
    let found = try file.read(at: 0, count: bytes.count + 1)
    var window = try FileWindow(file)
    _ = try Opening.structure(&window)
    guard found == bytes else {
      throw VaultError(.io, "the new file does not hold what was written to it", remedy: "check the disk")
    }
  }
}

/// The bytes of a new vault: header, and a first batch of one slot, one data key and the genesis.
private struct FoundingFile {
  let generation: Generation
  let keyring: Keyring
  let bytes: [UInt8]

  init(_ environment: Environment, credential: borrowing Credential, cost: KeySlot.Kind) throws(VaultError) {
    do {
      try self.init(environment, credential, cost)
    } catch let error as CryptoError {
      throw VaultError(error)
    } catch let error as FormatError {
      throw VaultError(error)
    } catch {
      throw VaultError(.cryptoFailure, "the new vault's keys can't be made")
    }
  }

  private init(_ environment: Environment, _ credential: borrowing Credential, _ cost: KeySlot.Kind) throws {
    var random = try environment.makeRandom()
    let now = environment.now()
    let header = FileHeader(vaultID: try random.bytes(), fileID: try random.bytes(), generation: 1)
    let root = try RootKey.random(from: &random)
    let slot = try KeySlot.seal(
      root, under: credential, kind: credential.kind == .key ? .raw : cost, number: 1, created: now,
      vault: header.vaultID, random: &random)
    generation = try Generation(header: header)
    var encoder = try BatchEncoder(after: Chain(startOf: generation), in: generation)
    try encoder.append(slot)
    let dataKey = try DataKey(term: 1, created: now, from: &random)
    let dataKeyBytes = try dataKey.plaintext(for: header.vaultID)
    var wrapKey = try root.wrapKey(of: header.vaultID)
    try encoder.append(.dataKey, plaintext: dataKeyBytes.span, key: &wrapKey, random: &random, last: false)
    let genesis = Genesis(
      created: now, madeBy: .initialization, writer: Creation.writer.name, version: Creation.writer.version)
    var genesisKey = try root.genesisKey(of: header)
    try encoder.append(.genesis, plaintext: genesis.plaintext().span, key: &genesisKey, random: &random, last: true)
    bytes = header.serialized() + encoder.bytes
    keyring = try Keyring(root: root, slot: slot.slot.number, header: header)
  }
}
