internal import VaultCrypto
public import VaultFormat

extension Vault {
  /// Checks a vault from its first byte to its last. Changes nothing, and takes no lock but to tell a batch that is being
  /// written from damage.
  ///
  /// Without a credential: structure, checksums, links, order, trailing zeros. With one: every frame is opened besides, and
  /// every record's place in the history is checked. With a pin or a head, the history up to it is compared last.
  ///
  /// - Parameter progress: is called on the caller's thread each time that a piece of the file was read, every few
  ///   milliseconds; not once for a small vault that was damaged early on.
  /// - Returns: what was found; damage is a finding, and not thrown.
  /// - Throws: what kept it from looking: `no-vault`, `not-a-vault-file`, `unsafe-permissions`, `wrong-key`,
  ///   `unsupported-version`, `unsupported-feature`, `limit-exceeded`, `io`.
  public static func verify(
    at path: String, credential: consuming Credential?, pin: Pin? = nil, head: Head? = nil,
    progress: ((VerifyProgress) -> Void)? = nil
  ) throws(VaultError) -> VerifyReport {
    let storage = FileStorage(path: path)
    return try verify(
      storage.open(writable: false), lockedBy: storage, credential: credential, pin: pin, head: head,
      progress: progress)
  }

  /// The same of a file that is open.
  ///
  /// - Parameter storage: whose lock its writers take; `nil` for a file that nobody writes to.
  package static func verify(
    _ file: any StorageFile, lockedBy storage: (any Storage)?, credential: consuming Credential?, pin: Pin?,
    head: Head? = nil, progress: ((VerifyProgress) -> Void)?
  ) throws(VaultError) -> VerifyReport {
    let start = ContinuousClock.now
    let passes: UInt64 = credential == nil ? 1 : 2
    var verification = Verification(file, passes: passes, progress)
    try verification.checkStructure()
    if storage == nil || !verification.report.isDamaged { try verification.checkContent(with: credential) }
    if verification.report.isDamaged, let storage {
      // A batch that is being written, or taken back, looks like damage for a moment: before that is said, nobody writes while it
      // is found out what is there. None of that will change, so that others may go on while it is opened.
      verification = Verification(file, passes: passes, progress)
      try verification.checkStructure(lockedBy: storage)
      try verification.checkContent(with: credential)
    }
    if let pin { try verification.check(.pin(pin)) }
    if let head { try verification.check(.head(head)) }
    verification.report.duration = ContinuousClock.now - start
    return verification.report
  }
}

/// The steps of a verification.
private struct Verification {
  private let file: any StorageFile
  private var structure: Opening.Structure?
  private var view: View?
  fileprivate(set) var report = VerifyReport()
  /// Times that the file will be gone over.
  private let passes: UInt64
  private let progress: ((VerifyProgress) -> Void)?

  init(_ file: any StorageFile, passes: UInt64, _ progress: ((VerifyProgress) -> Void)?) {
    self.file = file
    self.passes = passes
    self.progress = progress
  }

  /// A window that tells how far it has come.
  ///
  /// - Parameter pass: how often the file was gone over before.
  private func window(pass: UInt64) throws(VaultError) -> FileWindow {
    guard let progress else { return try FileWindow(file) }
    let (length, passes) = (try file.length(), passes)
    var furthest: UInt64 = 0
    return try FileWindow(file) { (end) in
      // It also goes back, to the slots.
      furthest = min(max(furthest, end), length)
      progress(VerifyProgress(bytesDone: pass * length + furthest, bytesTotal: passes * length))
    }
  }

  /// Everything that needs no key, while no writer is at work.
  mutating func checkStructure(lockedBy storage: any Storage) throws(VaultError) {
    let lock = try storage.lock(.shared, wait: .seconds(1))
    defer { withExtendedLifetime(lock) {} }
    try checkStructure()
  }

  /// Everything that needs no key.
  mutating func checkStructure() throws(VaultError) {
    var window = try window(pass: 0)
    do {
      let generation = try window.generation()
      let walk = try countedWalk(&window, in: generation)
      let structure = try Opening.structure(walk, &window, in: generation, behind: nil)
      note(structure, length: window.length)
      _ = try Opening.slots(structure, &window)
      self.structure = structure
    } catch {
      guard error.code.isDamage else { throw error }
      report.findings.append(.init(error))
    }
  }

  private mutating func note(_ structure: Opening.Structure, length: UInt64) {
    report.zeroBytes = length - structure.walk.committed.offset - structure.tornBytes
    report.tornBytes = structure.tornBytes
  }

  /// Goes over the file without a key, and counts what is whole, as far as it goes.
  private mutating func countedWalk(
    _ window: inout FileWindow, in generation: Generation, excusing excuse: PageExcuse? = nil
  ) throws(VaultError) -> Walk {
    var committed = (frames: UInt64(0), records: UInt64(0))
    var met = committed
    let walk = try Walk(&window, from: Chain(startOf: generation), in: generation, excusing: excuse) { (header) in
      met.frames += 1
      if header.type == .record { met.records += 1 }
      if header.endsBatch { committed = met }
    }
    report.generation = generation.header.generation
    report.frames = committed.frames
    report.records = committed.records
    report.batches = walk.batches
    report.bytes = walk.committed.offset
    report.sequence = walk.committed.sequence
    report.head = walk.committed.link.hex
    report.pin = Pin(of: walk.committed, in: generation)
    return walk
  }

  /// Opens everything, if the structure is whole but for what an opened index root may excuse: without it, no key would tell
  /// more.
  mutating func checkContent(with credential: borrowing Credential?) throws(VaultError) {
    switch credential {
    case .some(let credential): try checkContent(with: credential)
    case .none: break
    }
  }

  private mutating func checkContent(with credential: borrowing Credential) throws(VaultError) {
    var window = try window(pass: 1)
    guard let structure = try wholeOrExcusable(&window) else { return }
    guard let keyring = try keyring(structure, &window, with: credential) else { return }
    report.usedKey = true
    do {
      var events = EventTally()
      // A replay that met a bad index begins anew.
      var end: UInt64 = 0
      let index = IndexComparison { (opened) in
        guard opened.record.operation == .event else { return }
        if opened.offset <= end { events = EventTally() }
        end = opened.offset
        events.take(opened.record.time)
      }
      let view = try Opening.view(of: file, structure, &window, keyring, comparing: index)
      report.liveNames = view.index.count
      report.events = events
      self.view = view
      if let excuse = view.excuse {
        report.findings = []
        self.structure = structure
        note(structure, length: window.length)
        _ = try countedWalk(&window, in: structure.generation, excusing: excuse)
      }
      if let failure = index.failure { report.findings.append(.init(VaultError(failure))) }
    } catch {
      guard error.code.isDamage else { throw error }
      guard structure.damage == nil else {
        report.findings = [.init(error)]
        return
      }
      report.findings.append(.init(error))
      try findUnopened(structure, &window, keyring, behind: error.offset ?? 0)
    }
  }

  /// The keys; `nil` when the slot that was made for the credential is damaged: nothing can be opened then.
  private mutating func keyring(
    _ structure: Opening.Structure, _ window: inout FileWindow, with credential: borrowing Credential
  ) throws(VaultError) -> Keyring? {
    do {
      return try Opening.keyring(structure, &window, with: credential)
    } catch {
      guard error.code.isDamage else { throw error }
      let finding = VerifyReport.Finding(error)
      if !report.findings.contains(where: { $0.code == finding.code && $0.offset == finding.offset }) {
        report.findings.append(finding)
      }
      return nil
    }
  }

  /// The structure that was found; of a file that is damaged, from its newest index root on.
  private func wholeOrExcusable(_ window: inout FileWindow) throws(VaultError) -> Opening.Structure? {
    if let structure { return structure }
    do {
      let found = try Opening.keyedStructure(&window)
      return found.damage == nil ? nil : found
    } catch {
      guard error.code.isDamage else { throw error }
      return nil
    }
  }

  /// Whether this is the history that was written down, as far as the file and the keys tell.
  mutating func check(_ mark: HistoryMark) throws(VaultError) {
    guard let structure, !report.isDamaged else { return }
    var window = try FileWindow(file)
    do {
      let isKept = try Opening.check(mark, structure, &window, view)
      report.isRollbackExcluded = isKept && report.isRollbackExcluded ?? true
    } catch {
      guard error.code == .rollback else { throw error }
      report.isRollbackExcluded = false
      report.findings.append(.init(error))
    }
  }

  /// Replay stops at the first frame that does not open; here the others are named too.
  private mutating func findUnopened(
    _ structure: Opening.Structure, _ window: inout FileWindow, _ keyring: Keyring, behind first: UInt64
  ) throws(VaultError) {
    var offset = UInt64(FileHeader.length)
    while offset < structure.walk.committed.offset {
      let header = try window.header(at: offset, in: structure.generation)
      try window.load(at: offset, count: header.frameLength)
      do {
        let frame = try Frame(header, in: window.bytes(at: offset, count: header.frameLength))
        if header.type != .keySlot { _ = try keyring.open(frame, in: structure.generation) }
      } catch {
        if offset > first { report.findings.append(.init(VaultError(error.at(offset: offset)))) }
      }
      offset += UInt64(header.frameLength)
    }
  }
}
