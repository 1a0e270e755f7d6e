internal import VaultCrypto
internal import VaultFormat

/// What a new file begins with: its header, its keys, the slots that give them, and what made it.
struct GenerationKeys: Sendable {
  let header: FileHeader
  /// With the one data key that the file has.
  let keyring: Keyring
  let slots: [KeySlot.Sealed]
  let madeBy: Genesis.Maker

  private init(_ header: FileHeader, _ keyring: Keyring, _ slots: [KeySlot.Sealed], _ madeBy: Genesis.Maker) {
    self.header = header
    self.keyring = keyring
    self.slots = slots
    self.madeBy = madeBy
  }

  /// Of a new vault, which `credential` opens.
  ///
  /// - Parameter model: the header of a file whose records this one is to take; `nil` for none.
  static func first(
    for credential: borrowing Credential, cost: KeySlot.Kind, madeBy: Genesis.Maker = .initialization,
    like model: FileHeader? = nil, at time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> GenerationKeys {
    var header = try crypto { () throws(CryptoError) in
      FileHeader(vaultID: try random.bytes(), fileID: try random.bytes(), generation: 1)
    }
    if let model { header.takeShape(of: model) }
    var root = try NewRoot(of: header, firstSlot: 1, cost: cost, time: time, random: &random)
    try root.addSlot(for: credential, random: &random)
    let slots = root.slots
    let keyring = try root.keyring()
    try keyring.makeDataKey(after: nil, at: time, from: &random)
    return GenerationKeys(header, keyring, slots, madeBy)
  }

  /// Of the generation behind `old`, with the same root key and the same slots.
  ///
  /// - Parameter changesDataKey: a new term begins; else the newest goes on.
  static func next(
    after old: View, changesDataKey: Bool, madeBy: Genesis.Maker, at time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) -> GenerationKeys {
    let header = try header(after: old.generation.header, random: &random)
    let keyring = try old.keyring.keyring(for: header)
    if changesDataKey {
      try keyring.makeDataKey(after: old.keyring, at: time, from: &random)
    } else {
      try old.keyring.giveDataKey(to: keyring)
    }
    return GenerationKeys(header, keyring, try old.sealedSlots(), madeBy)
  }

  /// Of the generation that puts the state of a backup in the place of generation `replaced`: the backup's root key, newest
  /// data key and slots.
  static func restored(
    from backup: View, replacing replaced: UInt64, random: inout AnyRandomSource
  ) throws(VaultError) -> GenerationKeys {
    let header = try header(like: backup.generation.header, behind: replaced, random: &random)
    let keyring = try backup.keyring.keyring(for: header)
    try backup.keyring.giveDataKey(to: keyring)
    return GenerationKeys(header, keyring, try backup.sealedSlots(), .restore)
  }

  /// Of the generation behind `old`, with a new root key, a new data key, and slots for two credentials at most.
  ///
  /// - Parameter cost: what a passphrase costs.
  static func rekeyed(
    after old: View, key: borrowing Credential?, passphrase: borrowing Credential?, cost: KeySlot.Kind, at time: Int64,
    random: inout AnyRandomSource
  ) throws(VaultError) -> GenerationKeys {
    let header = try header(after: old.generation.header, random: &random)
    let last = try old.sealedSlots().map(\.slot.number).max() ?? 0
    guard last < .max - 2 else { throw VaultError(.limitExceeded, "the vault has used up its slot numbers") }
    var root = try NewRoot(of: header, firstSlot: last + 1, cost: cost, time: time, random: &random)
    try root.addSlot(for: key, random: &random)
    try root.addSlot(for: passphrase, random: &random)
    let slots = root.slots
    let keyring = try root.keyring()
    try keyring.makeDataKey(after: old.keyring, at: time, from: &random)
    return GenerationKeys(header, keyring, slots, .rekey)
  }

  private static func header(
    after old: FileHeader, random: inout AnyRandomSource
  ) throws(VaultError) -> FileHeader {
    try header(like: old, behind: old.generation, random: &random)
  }

  private static func header(
    like model: FileHeader, behind generation: UInt64, random: inout AnyRandomSource
  ) throws(VaultError) -> FileHeader {
    guard generation + 1 < Limits.counter else {
      throw VaultError(.limitExceeded, "the vault has used up its generations")
    }
    let fileID: FixedBytes<32> = try crypto { () throws(CryptoError) in try random.bytes() }
    var header = FileHeader(vaultID: model.vaultID, fileID: fileID, generation: generation + 1)
    header.takeShape(of: model)
    return header
  }
}

extension FileHeader {
  /// Takes over what records depend on. Feature bits that this program does not know are not taken over.
  fileprivate mutating func takeShape(of other: FileHeader) {
    padding = other.padding
    allowsDeflate = other.allowsDeflate
  }
}

/// A new root key, and the slots that give it.
private struct NewRoot: ~Copyable {
  private let root: RootKey
  private let header: FileHeader
  private let cost: KeySlot.Kind
  private let time: Int64
  private var number: UInt32
  private(set) var slots: [KeySlot.Sealed] = []

  init(
    of header: FileHeader, firstSlot: UInt32, cost: KeySlot.Kind, time: Int64, random: inout AnyRandomSource
  ) throws(VaultError) {
    root = try crypto { () throws(CryptoError) in try RootKey.random(from: &random) }
    number = firstSlot
    (self.header, self.cost, self.time) = (header, cost, time)
  }

  /// Adds a slot, unless there is no credential for it.
  mutating func addSlot(for credential: borrowing Credential?, random: inout AnyRandomSource) throws(VaultError) {
    switch credential {
    case .some(let credential): try addSlot(for: credential, random: &random)
    case .none: return
    }
  }

  mutating func addSlot(for credential: borrowing Credential, random: inout AnyRandomSource) throws(VaultError) {
    do {
      slots.append(
        try KeySlot.seal(
          root, under: credential, kind: credential.kind == .key ? .raw : cost, number: number, created: time,
          vault: header.vaultID, random: &random))
    } catch {
      throw VaultError(error)
    }
    number += 1
  }

  consuming func keyring() throws(VaultError) -> Keyring {
    try Keyring(root: root, slot: slots[0].slot.number, header: header)
  }
}
