internal import VaultCrypto
public import VaultFormat

extension Vault {
  /// Describes a vault. Changes nothing. Without a credential nothing in it is opened, and what only a key tells is `nil`.
  ///
  /// - Throws: `no-vault`, `not-a-vault-file`, `unsafe-permissions`, `header-damaged`, `unsupported-version`,
  ///   `unsupported-feature`, `wrong-key`, `io`. Damage behind the header is not thrown, but part of the answer.
  public static func inspect(
    at path: String, credential: consuming Credential? = nil
  ) throws(VaultError) -> Inspection {
    let storage = FileStorage(path: path)
    let file = try storage.open(writable: false)
    guard let credential else { return try Inspector(file).inspection() }
    var inspector = Inspector(file)
    do throws(VaultError) {
      let view = try ReadingAgain.reading(storage) { () throws(VaultError) in
        try Opening.view(of: file, with: credential, readsWhole: true)
      }
      try inspector.open(view)
    } catch {
      guard error.code.isDamage else { throw error }
      inspector.damage = error
    }
    return try inspector.inspection()
  }
}

/// The steps of an inspection.
private struct Inspector {
  private let file: any StorageFile
  private var view: View?
  private var content: ContentTally?
  /// What opening met.
  var damage: VaultError?

  init(_ file: any StorageFile) { self.file = file }

  /// Goes over what only a key tells.
  mutating func open(_ view: View) throws(VaultError) {
    var tally = ContentTally()
    try view.forEachFrame { (header, plaintext) throws(VaultError) in try tally.take(plaintext, of: header, view) }
    self.view = view
    content = tally
  }

  /// Goes over what needs no key, and puts all together.
  func inspection() throws(VaultError) -> Inspection {
    var window = try FileWindow(file)
    let generation = try window.generation()
    var tally = FrameTally()
    let start = Chain(startOf: generation)
    let walk = try Walk(&window, from: start, in: generation, excusing: view?.excuse) { (header) in tally.take(header) }
    var slots: [Inspection.Slot] = []
    var tornBytes: UInt64 = 0
    var damage = damage
    do throws(VaultError) {
      let structure = try Self.structure(walk, &window, in: generation)
      tornBytes = structure.tornBytes
      slots = try Opening.slots(structure, &window).map { Inspection.Slot($0.slot) }
    } catch {
      damage = damage ?? error
    }
    var checkpoint = FrameTally()
    let newest = try Self.newestCheckpoint(walk, &window, in: generation, &checkpoint)
    let header = generation.header
    return Inspection(
      vaultID: header.vaultID.hex, fileID: header.fileID.hex, generation: header.generation,
      majorVersion: Int(FileHeader.majorVersion), minorVersion: Int(header.minorVersion),
      isReadOnly: header.mustStayReadOnly, padding: header.padding, allowsDeflate: header.allowsDeflate,
      fileLength: window.length, committedLength: walk.committed.offset, tornBytes: tornBytes, batches: walk.batches,
      head: walk.committed.link.hex, sequence: walk.committed.sequence, slots: slots,
      kinds: tally.kinds(checkpoint, content), terms: tally.terms(content), index: newest.map { index(of: $0) },
      recordsSinceRoot: tally.recordsSinceRoot, content: view.flatMap { content?.content($0) },
      damage: damage)
  }

  private static func structure(
    _ walk: Walk, _ window: inout FileWindow, in generation: Generation
  ) throws(VaultError) -> Opening.Structure {
    guard walk.batches > 0 else {
      throw VaultError(walk.failure ?? FormatError(.frameDamaged, "the file ends behind its header", offset: 128))
    }
    return try Opening.structure(walk, &window, in: generation, behind: nil)
  }

  /// Counts the frames of the batch whose slots, data keys, anchor and root count.
  ///
  /// - Returns: its root; `nil` for the founding batch, which has none.
  private static func newestCheckpoint(
    _ walk: Walk, _ window: inout FileWindow, in generation: Generation, _ tally: inout FrameTally
  ) throws(VaultError) -> FrameHeader? {
    var offset = walk.newestCheckpoint ?? UInt64(FileHeader.length)
    while offset < walk.committed.offset {
      let header = try window.header(at: offset, in: generation)
      tally.take(header)
      if header.endsBatch { return header.type == .indexRoot ? header : nil }
      offset += UInt64(header.frameLength)
    }
    return nil
  }

  private func index(of root: FrameHeader) -> Inspection.Index {
    let runs = content?.root?.runs.map { (run) in
      Inspection.Index.Run(
        level: Int(run.level), pages: UInt64(run.pages), entries: run.entries, segments: run.segments.count,
        sequences: run.sequences)
    }
    return Inspection.Index(rootOffset: root.offset, rootSequence: root.sequence, runs: runs)
  }
}

extension Inspection.Slot {
  init(_ slot: KeySlot) {
    number = slot.number
    created = slot.created
    switch slot.kind {
    case .raw:
      kind = "key"
      cost = "HKDF-SHA-256"
    case .scrypt(let logN, let r, let p):
      kind = "passphrase"
      cost = "scrypt, N = 2^\(logN), r = \(r), p = \(p)"
    }
  }
}
