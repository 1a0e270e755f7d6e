internal import VaultCrypto
internal import VaultFormat

/// Opening a vault by the newest root of its index, so that no more is read than the end of the file (FORMAT.md, "Opening").
extension Opening {
  /// Walks from the newest root's batch on, after checking the founding batch.
  ///
  /// - Parameter damage: what ended the walk from the first frame, if there was one.
  /// - Returns: `nil` when there is no such batch, or the founding batch is damaged: then the whole file must be walked.
  /// - Throws: as ``structure(_:)``.
  static func structureFromRoot(
    _ window: inout FileWindow, behind damage: VaultError? = nil
  ) throws(VaultError) -> Structure? {
    window.isWalking = false
    defer { window.isWalking = true }
    let generation = try window.generation()
    let founding = try Walk(&window, from: Chain(startOf: generation), in: generation, batchLimit: 1)
    guard founding.batches == 1, var walk = try NewestRoot.checkpoint(&window, in: generation) else { return nil }
    let start = walk.lastBatch
    window.isWalking = true
    try walk.goOn(&window, in: generation)
    var structure = try structure(walk, &window, in: generation, behind: damage)
    if damage == nil { structure.start = start }
    return structure
  }

  /// Replays from the newest root's batch on, or all of the file where that root is bad.
  ///
  /// - Throws: what does not open.
  static func view(
    of file: any StorageFile, from start: Chain, _ structure: Structure, _ window: inout FileWindow, _ keyring: Keyring
  ) throws(VaultError) -> View {
    let generation = structure.generation
    var view = View(
      file: file, generation: generation, keyring: keyring, resumingAt: start,
      genesis: try genesis(&window, keyring, in: generation))
    do {
      try view.replay(structure.walk, &window)
    } catch {
      guard error.code == .indexDamaged else { throw error }
      return try Self.view(of: file, succeeding: keyring, readsWhole: true)
    }
    try judgeTail(structure, keyring)
    return view
  }

  /// Opens the genesis, which ends the founding batch.
  private static func genesis(
    _ window: inout FileWindow, _ keyring: Keyring, in generation: Generation
  ) throws(VaultError) -> Genesis {
    window.isWalking = false
    defer { window.isWalking = true }
    var offset = UInt64(FileHeader.length)
    var header = try window.header(at: offset, in: generation)
    while header.type != .genesis {
      offset += UInt64(header.frameLength)
      header = try window.header(at: offset, in: generation)
    }
    try window.load(at: offset, count: header.frameLength)
    do throws(FormatError) {
      let frame = try Frame(header, in: window.bytes(at: offset, count: header.frameLength))
      let plaintext = try keyring.open(frame, in: generation)
      return try Genesis(parsing: plaintext.span)
    } catch {
      throw VaultError(error.at(offset: offset, sequence: header.sequence))
    }
  }
}
