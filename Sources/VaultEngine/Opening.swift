internal import VaultCrypto
internal import VaultFormat

/// The way from bytes to a ``View`` (FORMAT.md, "Opening"). Everything that needs no key is judged first, so that damage is
/// never taken for a wrong key.
enum Opening {
  /// A file whose structure was walked and found whole.
  struct Structure {
    let generation: Generation
    let walk: Walk
    /// What stands behind the last complete batch, if that is an append that was interrupted, or goes on at this moment.
    let torn: Tail?
    /// Bytes from the end of the last complete batch to the last that is not zero.
    let tornBytes: UInt64
    /// The slots that count: the newest checkpoint's, or the first batch's.
    let slotsOffset: UInt64
    /// What is damaged before the batch where the walk began; `nil` if it began with the first frame, or nobody looked.
    let damage: VaultError?
    /// Where the walk began, if that is the newest root's batch and nobody looked at what is before it.
    var start: Chain?
  }

  /// Reads the header and walks the file.
  ///
  /// - Throws: what is damaged; `unsupported-version`, `unsupported-feature`, `limit-exceeded`.
  static func structure(_ window: inout FileWindow) throws(VaultError) -> Structure {
    let generation = try window.generation()
    let walk = try Walk(&window, from: Chain(startOf: generation), in: generation)
    return try structure(walk, &window, in: generation, behind: nil)
  }

  /// Judges what follows a walk's last complete batch.
  ///
  /// - Parameter damage: see ``Structure/damage``.
  static func structure(
    _ walk: Walk, _ window: inout FileWindow, in generation: Generation, behind damage: VaultError?
  ) throws(VaultError) -> Structure {
    guard walk.batches > 0 else {
      throw VaultError(walk.failure ?? FormatError(.frameDamaged, "the file ends behind its header", offset: 128))
    }
    // Not even a torn tail may hold what is over a limit.
    if let failure = walk.failure, failure.code == .limitExceeded { throw VaultError(failure) }
    let tail = try Tail(&window, behind: walk, in: generation)
    let verdict = try tail.judge { _ in .opens }
    guard generation.header.generation == 1 || walk.newestCheckpoint != nil else { throw VaultError.unfinished }
    return Structure(
      generation: generation, walk: walk, torn: verdict == .torn ? tail : nil, tornBytes: UInt64(tail.nonzeroCount),
      slotsOffset: walk.newestCheckpoint ?? UInt64(FileHeader.length), damage: damage)
  }

  /// Opens the vault in `file`.
  ///
  /// - Parameters:
  ///   - pin: what the file is held against.
  ///   - readsWhole: replays every frame, though an index root would spare that. A pin asks for it too.
  /// - Throws: as ``structure(_:)``, then `wrong-key`, and what does not open; `rollback`, if it is not what was pinned.
  static func view(
    of file: any StorageFile, with credential: borrowing Credential, pin: Pin? = nil, readsWhole: Bool = false
  ) throws(VaultError) -> View {
    var window = try FileWindow(file)
    let structure = try structure(&window, readsWhole: readsWhole || pin != nil)
    let keyring = try keyring(structure, &window, with: credential)
    if let start = structure.start { return try view(of: file, from: start, structure, &window, keyring) }
    let view = try view(of: file, structure, &window, keyring)
    if let pin { _ = try check(.pin(pin), structure, &window, view) }
    return view
  }

  /// Walks from the newest root's batch, or from the first frame where there is no such batch, or all is to be read.
  private static func structure(_ window: inout FileWindow, readsWhole: Bool) throws(VaultError) -> Structure {
    if readsWhole { return try keyedStructure(&window) }
    if let found = try structureFromRoot(&window) { return found }
    // What stops this walk no root can excuse.
    return try structure(&window)
  }

  /// The keys that the credential gives.
  ///
  /// - Throws: `wrong-key`, `slot-damaged`, `limit-exceeded`.
  static func keyring(
    _ structure: Structure, _ window: inout FileWindow, with credential: borrowing Credential
  ) throws(VaultError) -> Keyring {
    let header = structure.generation.header
    let slots = try slots(structure, &window)
    for (slot, offset) in slots where credential.fits(slot.kind) {
      let length = Frame.overhead + KeySlot.clearLength + KeySlot.sealedLength
      try window.load(at: offset, count: length)
      let bytes = window.bytes(at: offset, count: length)
      let root = try format { () throws(FormatError) in
        let frame = try Frame(FrameHeader(parsing: bytes, at: offset, in: structure.generation), in: bytes)
        return try slot.unwrap(frame, with: credential, vault: header.vaultID)
      }
      if let root { return try Keyring(root: root, slot: slot.number, header: header) }
    }
    // Nobody has a wrong key as long as the vault is not whole: these may not be its slots.
    if let damage = structure.damage { throw damage }
    let raw = slots.count { $0.slot.kind == .raw }
    throw VaultError(
      .wrongKey,
      "the \(credential.kind == .key ? "key" : "passphrase") opens none of the vault's key slots (\(raw) for a key, "
        + "\(slots.count - raw) for a passphrase); the vault itself is whole",
      remedy: "give the key or passphrase that this vault was made with")
  }

  /// Opens another generation of a vault whose keys are known, or the same one anew.
  ///
  /// - Throws: as ``view(of:with:pin:readsWhole:)``; `wrong-key` when it is another vault, or has another root key.
  static func view(
    of file: any StorageFile, succeeding known: Keyring, readsWhole: Bool = false
  ) throws(VaultError) -> View {
    var window = try FileWindow(file)
    let structure = try structure(&window, readsWhole: readsWhole)
    let keyring = try known.keyring(for: structure.generation.header)
    if known.header.fileID != structure.generation.header.fileID { try checkRootKey(structure, &window, keyring) }
    if let start = structure.start { return try view(of: file, from: start, structure, &window, keyring) }
    return try view(of: file, structure, &window, keyring)
  }

  /// Opens the first data key. Where that fails in a generation whose structure is whole, all keys were changed: there is no
  /// credential here with which to ask the slots, and it is not damage.
  private static func checkRootKey(
    _ structure: Structure, _ window: inout FileWindow, _ keyring: Keyring
  ) throws(VaultError) {
    var offset = UInt64(FileHeader.length)
    var header = try window.header(at: offset, in: structure.generation)
    while header.type == .keySlot {
      offset += UInt64(header.frameLength)
      header = try window.header(at: offset, in: structure.generation)
    }
    try window.load(at: offset, count: header.frameLength)
    do {
      _ = try keyring.open(
        Frame(header, in: window.bytes(at: offset, count: header.frameLength)), in: structure.generation)
    } catch {
      guard error.code == .frameDamaged else { throw VaultError(error) }
      throw VaultError(
        .wrongKey, "the vault's keys were changed while it was open", remedy: "open it again with the new key")
    }
  }

  /// Replays the whole file. Where that fails, pages of the index may be to blame, which are then passed over.
  ///
  /// - Parameter index: is shown all that the index must agree with.
  static func view(
    of file: any StorageFile, _ structure: Structure, _ window: inout FileWindow, _ keyring: Keyring,
    comparing index: IndexComparison? = nil
  ) throws(VaultError) -> View {
    let view: View
    do throws(VaultError) {
      if let damage = structure.damage { throw damage }
      var plain = View(file: file, generation: structure.generation, keyring: keyring)
      try plain.replay(structure.walk, &window, comparing: index)
      view = plain
    } catch {
      guard let excused = try excusedView(of: file, structure, &window, keyring, after: error, comparing: index)
      else { throw error }
      view = excused
    }
    try judgeTail(structure, view.keyring)
    return view
  }

  /// Once more, now that frames can be opened: a whole frame that does not open is damage, not a torn append. These are the bytes
  /// that the walk stopped at: by now, others may stand there.
  static func judgeTail(_ structure: Structure, _ keyring: Keyring) throws(VaultError) {
    let generation = structure.generation
    _ = try structure.torn?.judge { (frame) in keyring.opening(of: frame, in: generation) }
  }

  /// The slots that count, in the order of the file, and where each stands.
  static func slots(
    _ structure: Structure, _ window: inout FileWindow
  ) throws(VaultError) -> [(slot: KeySlot, offset: UInt64)] {
    var slots: [(slot: KeySlot, offset: UInt64)] = []
    var offset = structure.slotsOffset
    while true {
      try window.load(at: offset, count: FrameHeader.length + KeySlot.clearLength)
      let slot = try format { () throws(FormatError) in
        let bytes = window.bytes(at: offset, count: FrameHeader.length + KeySlot.clearLength)
        let header = try FrameHeader(parsing: bytes, at: offset, in: structure.generation)
        // The walk has checked its clear part.
        guard header.type == .keySlot else { return KeySlot?.none }
        return try KeySlot(parsing: bytes.extracting(FrameHeader.length..<bytes.count))
      }
      guard let slot else { break }
      slots.append((slot, offset))
      offset += UInt64(Frame.overhead + KeySlot.clearLength + KeySlot.sealedLength)
    }
    let found = slots.map(\.slot)
    try format { () throws(FormatError) in try KeySlot.checkBounds(found) }
    return slots
  }
}

/// The bytes behind the last complete batch, in memory.
struct Tail {
  private let bytes: [UInt8]
  private let walk: Walk
  private let generation: Generation

  /// Reads from the end of `walk` to the end of the file.
  ///
  /// - Throws: what stopped the walk, when more follows than one batch and space ahead may have; `limit-exceeded` for more
  ///   zeros than anybody allocates ahead.
  init(_ window: inout FileWindow, behind walk: Walk, in generation: Generation) throws(VaultError) {
    self.walk = walk
    self.generation = generation
    let start = walk.committed.offset
    let length = window.remaining(from: start)
    guard length <= UInt64(Limits.batchBytes) + Limits.zeroTail else {
      throw VaultError(
        walk.failure ?? FormatError(.tailDamaged, "\(length) bytes follow the last whole batch", offset: start))
    }
    try window.load(at: start, count: Int(length))
    bytes = window.bytes(at: start, count: Int(length)).array
    guard UInt64(bytes.count - bytes.span.endOfNonzero) <= Limits.zeroTail else {
      throw VaultError(.limitExceeded, "the file ends in more than 257 MiB of zeros", offset: start)
    }
  }

  /// Bytes up to the last that is not zero.
  var nonzeroCount: Int { bytes.span.endOfNonzero }

  /// What is kept beside the vault before a torn tail is cut off.
  var torn: [UInt8] { Array(bytes.prefix(nonzeroCount)) }

  /// See ``TailRules/judge(failure:opens:)``.
  func judge(
    _ opens: (borrowing Frame) throws(FormatError) -> TailRules.Opening
  ) throws(VaultError) -> TailRules.Verdict {
    try format { () throws(FormatError) in
      try TailRules(bytes.span, after: walk.committed, in: generation).judge(failure: walk.failure, opens: opens)
    }
  }
}
