internal import VaultCrypto
internal import VaultFormat

/// Takes the records of a vault over into a new generation, while others go on writing to the old one.
///
/// Copying begins without the lock, and catches up with what was written meanwhile. The lock is held for the last stretch and
/// the change of names alone. Until the new file has the vault's name, everything that goes wrong leaves the vault as it was.
struct GenerationCopy: ~Copyable {
  /// Bytes that are copied under the lock.
  private static let lastStretch: UInt64 = 1 << 18
  /// Attempts to come that close to writers who are faster.
  private static let rounds = 8
  /// Names whose index is written before the lock is taken.
  private static let largeIndex = 1 << 14

  private let environment: Environment
  private let options: MaintenanceOptions
  private let progress: ((MaintenanceProgress) -> Void)?
  /// What is known of the old file.
  private var old: View
  /// The old file's live slots when copying began.
  private let slots: [KeySlot.Sealed]
  private var writer: GenerationWriter
  private var source: RecordSource
  private var selection: RecordSelection
  /// Names, by their tags in the new file, that are in the old file only because nobody has removed what is over.
  private var over: Set<LookupTag> = []
  private(set) var report = MaintenanceReport()

  /// Makes the new file.
  ///
  /// - Parameters:
  ///   - progress: is told how far copying has come, on the caller's thread.
  ///   - old: with a complete index.
  ///   - makeKeys: is called under the lock.
  /// - Throws: `locked` when another writer holds the lock, or another new generation is being made; `conflict` when one has
  ///   taken the vault's place; `cannot-create`, `disk-full`, `io`.
  static func begin(
    _ environment: Environment, _ options: MaintenanceOptions, _ progress: ((MaintenanceProgress) -> Void)?,
    from old: View, selecting selection: RecordSelection,
    makeKeys: (inout AnyRandomSource) throws(VaultError) -> GenerationKeys
  ) throws(VaultError) -> GenerationCopy {
    let lock = try environment.storage.lock(.exclusive, wait: options.lockTimeout)
    defer { withExtendedLifetime(lock) {} }
    guard !environment.storage.sweep() else {
      throw VaultError(
        .locked, "another process is making a new generation of the vault", remedy: "try again when it is done")
    }
    try confirm(old, environment.storage)
    var random = try crypto(environment.makeRandom)
    let keys = try makeKeys(&random)
    let writer = try GenerationWriter.begin(environment, keys, random: random)
    let source = RecordSource(for: keys.keyring, isOver: selection.isOver, skipsDamaged: options.skipsDamaged)
    return GenerationCopy(
      environment: environment, options: options, progress: progress, old: old, slots: try old.sealedSlots(),
      writer: writer, source: source, selection: selection)
  }

  private init(
    environment: Environment, options: MaintenanceOptions, progress: ((MaintenanceProgress) -> Void)?, old: View,
    slots: [KeySlot.Sealed], writer: consuming GenerationWriter, source: RecordSource, selection: RecordSelection
  ) {
    (self.environment, self.options, self.progress, self.old, self.slots) = (environment, options, progress, old, slots)
    self.writer = writer
    (self.source, self.selection) = (source, selection)
  }

  /// Copies everything, and puts the new file in the place of the old one.
  ///
  /// - Throws: what is damaged; `conflict` when the vault was replaced or its keys were changed meanwhile; `locked`,
  ///   `disk-full`, `io`.
  consuming func run() throws(VaultError) -> MaintenanceReport {
    let selected = old.chain.offset
    try copy(upTo: selected)
    options.meanwhile?()
    for _ in 0..<Self.rounds {
      try catchUp()
      guard source.offset + Self.lastStretch < old.chain.offset else { break }
      try confirmUnderLock()
      try copy(upTo: selected)
    }
    // What was copied, and the pages of a large index, are on the disk before others have to wait.
    if writer.view.index.count > Self.largeIndex { try writer.checkpoint(history: old.history) }
    try writer.settle()
    try finish(selected)
    if options.shreds { try shred() }
    return report
  }

  // MARK: Copying

  /// Copies what is behind the last record that was copied, up to the end of the view.
  ///
  /// - Parameter selected: how far the selection goes.
  private mutating func copy(upTo selected: UInt64) throws(VaultError) {
    while source.offset < old.chain.offset {
      let isSelected = source.offset < selected
      var blocks = try source.next(of: old)
      if isSelected {
        over.formUnion(selection.apply(to: &blocks, counting: &report))
      } else {
        noteWritten(blocks)
      }
      try writer.append(blocks)
      progress?(MaintenanceProgress(done: source.sequence, total: old.chain.sequence))
    }
  }

  private mutating func noteWritten(_ blocks: [RecordBlock]) {
    for block in blocks {
      for item in block.items where item.record.operation != .event { over.remove(item.tag) }
      report.kept += block.items.count
    }
  }

  // MARK: The old file

  /// Takes in the batches behind the view.
  private mutating func catchUp() throws(VaultError) {
    var window = try FileWindow(old.file)
    try old.replay(Walk(&window, from: old.chain, in: old.generation), &window)
  }

  /// What was seen without the lock may still be withdrawn, if its sync fails: what is there while nobody writes, stays.
  private func confirmUnderLock() throws(VaultError) {
    let lock = try environment.storage.lock(.exclusive, wait: options.lockTimeout)
    defer { withExtendedLifetime(lock) {} }
    try Self.confirm(old, environment.storage)
  }

  /// Under the lock: the file is still the vault's, and ends its last known batch where it did.
  private static func confirm(_ view: View, _ storage: any Storage) throws(VaultError) {
    guard try storage.identity() == view.file.identity else {
      throw VaultError(
        .conflict, "the vault was replaced while a new generation of it was made; nothing was changed",
        remedy: "try again")
    }
    let found = try view.file.read(at: view.chain.offset - UInt64(FrameTrailer.length), count: FrameTrailer.length)
    guard found.count == FrameTrailer.length, FixedBytes<16>(found.span) == view.lastTrailer else {
      throw VaultError(
        .conflict, "a write was withdrawn while a new generation of the vault was made; nothing was changed",
        remedy: "try again")
    }
  }

  // MARK: The change

  private mutating func finish(_ selected: UInt64) throws(VaultError) {
    let lock = try environment.storage.lock(.exclusive, wait: options.lockTimeout)
    defer { withExtendedLifetime(lock) {} }
    let start = ContinuousClock.now
    try Self.confirm(old, environment.storage)
    try catchUp()
    try keepTornTail()
    try copy(upTo: selected)
    try checkKeysAreSame()
    report.generation = writer.view.generation.header.generation
    report.names = writer.view.index.count
    report.damaged = source.failures
    if let event = options.event?(report) {
      try writer.append(event: event, version: old.greatestVersion + 1, at: environment.now())
    }
    try writer.checkpoint(history: old.successorHistory)
    try compareLiveNames()
    report.bytesBefore = try old.file.length()
    try writer.replaceVault()
    lock?.leave(SyncNote.saying(writer.view))
    report.lockedFor = ContinuousClock.now - start
    report.bytesAfter = writer.view.chain.offset
  }

  /// An interrupted append is not taken over; as every writer does, this one keeps a copy of it.
  private func keepTornTail() throws(VaultError) {
    var window = try FileWindow(old.file)
    let walk = try Walk(&window, from: old.chain, in: old.generation)
    let tail = try Tail(&window, behind: walk, in: old.generation)
    let (keyring, generation) = (old.keyring, old.generation)
    guard try tail.judge({ (frame) in keyring.opening(of: frame, in: generation) }) == .torn else { return }
    try environment.storage.keepTorn(tail.torn.span, from: old.chain.sequence + 1)
  }

  /// A slot that was added or removed since copying began would be lost, or come back.
  private func checkKeysAreSame() throws(VaultError) {
    guard try old.sealedSlots().map(\.box) == slots.map(\.box) else {
      throw VaultError(
        .conflict, "the vault's key slots were changed while a new generation of it was made; nothing was changed",
        remedy: "try again")
    }
  }

  /// Every record was compared when it was written; here it is asked that none is missing.
  private func compareLiveNames() throws(VaultError) {
    var expected = old.index.count - over.count
    if !source.lost.isEmpty {
      for entry in old.index.entries {
        if source.lost.contains(where: { $0.contains(entry.offset) }) { expected -= 1 }
      }
    }
    let version = old.greatestVersion + (options.event == nil ? 0 : 1)
    guard writer.view.index.count == expected, writer.view.greatestVersion == version else {
      throw VaultError(
        .io, "the new file has \(writer.view.index.count) names instead of \(expected); the vault is as it was",
        remedy: "verify the vault, and try again")
    }
  }

  /// Overwrites the old file, which has no name any more.
  ///
  /// - Throws: `io`, whatever the reason: the vault is not as it was.
  private func shred() throws(VaultError) {
    do throws(VaultError) {
      try overwrite()
    } catch {
      throw VaultError(
        .io, "the new generation is in place, but the old one could not be overwritten: \(error.sentence)",
        remedy: "what the old one held may be left on the disk", systemError: error.systemError)
    }
  }

  private func overwrite() throws(VaultError) {
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    let length = try old.file.length()
    for offset in stride(from: 0, to: length, by: zeros.count) {
      try old.file.write(zeros.span.extracting(first: Int(min(UInt64(zeros.count), length - offset))), at: offset)
    }
    try old.file.sync()
  }
}
