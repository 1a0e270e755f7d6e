/// Slots, data keys, genesis and anchor.
extension ScenarioBuilder {
  /// Microseconds of a moment in 2023, at which every vault here begins.
  static let epoch: UInt64 = 1_700_000_000_000_000

  /// Costs of a passphrase slot.
  struct Costs {
    var logN: UInt8 = 14
    var r: UInt8 = 8
    var p: UInt8 = 1

    /// Whether a reader would let scrypt run.
    var areAllowed: Bool { (14...20).contains(logN) && r == 8 && (1...4).contains(p) }
  }

  // MARK: Derived keys (FORMAT.md, "Keys")

  var wrapKey: [UInt8] {
    mutating get { derive(rootKey, info: Array("tokenvault/1 wrap".utf8)) }
  }
  var genesisKey: [UInt8] {
    mutating get { derive(rootKey, info: label("tokenvault/1 genesis") + fileID) }
  }
  var lookupKey: [UInt8] {
    mutating get { derive(rootKey, info: label("tokenvault/1 lookup") + fileID) }
  }
  /// The key of the newest term.
  var dataKey: [UInt8] { dataKeys[term].map { Array($0[16..<48]) } ?? [UInt8](repeating: 0, count: 32) }

  // MARK: Key slots

  /// Seals the root key under a credential and makes the slot a live one; nothing is written yet.
  ///
  /// - Parameters:
  ///   - clear: changes the clear part before sealing.
  ///   - box: changes `salt | iv | authTag | ciphertext` afterwards.
  ///   - derives: false for a slot that nobody will open, whose costs would take long.
  mutating func makeSlot(
    _ number: UInt32 = 1, _ credential: Scenario.Credential? = nil, costs: Costs = Costs(), derives: Bool = true,
    clear change: (inout [UInt8]) -> Void = { _ in }, box damage: (inout [UInt8]) -> Void = { _ in }
  ) {
    let salt = draw(32)
    let derived: [UInt8]
    var clear: [UInt8]
    switch credential ?? self.credential {
    case .key(let key):
      derived = derive(key, info: label("tokenvault/1 slot raw") + vaultID, salt: salt, count: 64)
      clear = [1, 0, 0, 0]
    case .passphrase(let passphrase):
      derived =
        derives && costs.areAllowed ? scrypt(passphrase, salt: vaultID + salt, logN: costs.logN, p: costs.p) : draw(64)
      clear = [2, costs.logN, costs.r, costs.p]
    }
    clear += bigEndian(number) + bigEndian(Self.epoch) + salt + derived[32...]
    change(&clear)
    var box = seal(rootKey, key: Array(derived[..<32]), aad: label("tokenvault/1 slot") + vaultID + clear)
    damage(&box)
    slots[number] = clear + box
  }

  /// Appends the frame of a live slot.
  @discardableResult
  mutating func slotFrame(_ number: UInt32 = 1, ends: Bool = false, _ edit: FrameEdit = .none) -> Placed {
    let slot = slots[number] ?? []
    return frame(2, box: Array(slot.dropFirst(80)), clear: Array(slot.prefix(80)), ends: ends, edit)
  }

  // MARK: Data keys

  /// Makes the data key of a term, which later records are sealed under; nothing is written yet.
  mutating func makeDataKey(_ term: UInt32 = 1) {
    let key = draw(32)
    let commitment = derive(key, info: label("tokenvault/1 commit") + bigEndian(term))
    dataKeys[term] = bigEndian(term) + [0, 0, 0, 0] + bigEndian(Self.epoch) + key + commitment
    self.term = term
  }

  /// Appends the frame of a data key.
  @discardableResult
  mutating func dataKeyFrame(_ term: UInt32 = 1, ends: Bool = false, _ edit: FrameEdit = .none) -> Placed {
    let key = wrapKey
    return frame(3, plaintext: dataKeys[term] ?? [], key: key, ends: ends, edit)
  }

  // MARK: Genesis and anchor

  /// Appends the genesis, which ends its batch.
  @discardableResult
  mutating func genesisFrame(ends: Bool = true, madeBy: UInt8 = 0, _ edit: FrameEdit = .none) -> Placed {
    let (writer, version) = (Array("scenario".utf8), Array("1".utf8))
    let head = bigEndian(Self.epoch) + [madeBy, UInt8(writer.count), UInt8(version.count), 0, 0, 0, 0, 0]
    genesisPlaintext = (head + writer + version).padded(to: 16)
    let key = genesisKey
    return frame(4, plaintext: genesisPlaintext, key: key, ends: ends, edit)
  }

  /// The founding batch: the live slots, or one of the scenario's credential; one data key; the genesis.
  mutating func found(term: UInt32 = 1, madeBy: UInt8 = 0) {
    if slots.isEmpty { makeSlot() }
    for number in slots.keys.sorted() { slotFrame(number) }
    if dataKeys.isEmpty { makeDataKey(term) }
    dataKeyFrame(self.term)
    genesisFrame(madeBy: madeBy)
  }

  /// What a later generation remembers of this one, 104 bytes.
  var ancestor: [UInt8] {
    bigEndian(generation) + fileID + bigEndian(sequence) + bigEndian(version) + link + bigEndian(Self.epoch)
      + [0, 0, 0, 0, 0, 0, 0, 0]
  }

  /// Appends an anchor.
  @discardableResult
  mutating func anchorFrame(_ history: [[UInt8]] = [], ends: Bool = false, _ edit: FrameEdit = .none) -> Placed {
    anchorFrame(history, copying: header, ends: ends, edit)
  }

  /// Appends an anchor whose clear part is `copy`.
  @discardableResult
  mutating func anchorFrame(
    _ history: [[UInt8]], copying copy: [UInt8], ends: Bool = false, _ edit: FrameEdit = .none
  ) -> Placed {
    let genesis = bigEndian(UInt32(genesisPlaintext.count)) + genesisPlaintext
    let plaintext = (genesis + bigEndian(UInt32(history.count)) + history.flatMap(\.self)).padded(to: 16)
    let key = wrapKey
    return frame(7, plaintext: plaintext, key: key, clear: copy, ends: ends, edit)
  }

  // MARK: Generations and pins

  /// A file of the next generation with the same keys and slots, and no frame yet.
  func successor() -> ScenarioBuilder {
    var next = ScenarioBuilder(seed: seed + [UInt8(truncatingIfNeeded: generation)], generation: generation + 1)
    let vault = vaultID
    next.editHeader { $0.replaceSubrange(HeaderField.vaultID.range, with: vault) }
    next.rootKey = rootKey
    next.slots = slots
    next.dataKeys = dataKeys
    next.term = term
    next.credential = credential
    return next
  }

  /// The same history up to here, going on with other random bytes.
  func fork() -> ScenarioBuilder {
    var other = self
    other.random = ScenarioRandom(seed: seed + [0xF0])
    return other
  }

  /// The pin of the newest batch.
  var currentPin: [UInt8] { vaultID + fileID + bigEndian(generation) + bigEndian(sequence) + link }
}
