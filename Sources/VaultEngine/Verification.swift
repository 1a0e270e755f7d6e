internal import VaultCrypto
public import VaultFormat

/// What ``Vault/verify(at:credential:pin:progress:)`` found.
public struct VerifyReport: Sendable {
  /// One thing that is not as it was written.
  public struct Finding: Sendable {
    /// What kind of damage.
    public let code: VaultError.Code
    /// Byte offset in the file, where it is known.
    public let offset: UInt64?
    /// Sequence of the frame, where it is known.
    public let sequence: UInt64?
    /// One sentence for a person.
    public let sentence: String

    init(_ error: VaultError) {
      code = error.code
      offset = error.offset
      sequence = error.sequence
      sentence = error.sentence
    }
  }

  /// What is wrong, in the order of the file. Empty in a whole vault.
  public internal(set) var findings: [Finding] = []
  /// Whether every frame was opened. Without a key, only structure, checksums and links were checked: they show accidents,
  /// and prove nothing against somebody who writes to the file on purpose.
  public internal(set) var usedKey = false
  /// Generation of the file, from 1.
  public internal(set) var generation: UInt64 = 0
  /// Whole frames.
  public internal(set) var frames: UInt64 = 0
  /// Whole batches.
  public internal(set) var batches: UInt64 = 0
  /// Record frames among the whole frames.
  public internal(set) var records: UInt64 = 0
  /// Bytes up to the end of the last whole batch.
  public internal(set) var bytes: UInt64 = 0
  /// Bytes of an append that was interrupted. They were never acknowledged; the next writer keeps them aside.
  public internal(set) var tornBytes: UInt64 = 0
  /// Bytes of zero behind everything: space allocated ahead.
  public internal(set) var zeroBytes: UInt64 = 0
  /// Names that are there; `nil` without a key.
  public internal(set) var liveNames: Int?
  /// Sequence of the last frame of the last whole batch.
  public internal(set) var sequence: UInt64 = 0
  /// The newest link, in hexadecimal: together with the sequence, what a pin remembers.
  public internal(set) var head = ""
  /// What to keep outside the vault to hold it against later; `nil` when not even its header could be read.
  public internal(set) var pin: Pin?

  /// How long it took.
  public internal(set) var duration: Duration = .zero
  /// Whole frames a second.
  public var framesPerSecond: Double { duration > .zero ? Double(frames) / (duration / .seconds(1)) : 0 }

  /// Whether the file is no older than the pin that it was held against. False with a finding `rollback` when it is older, or
  /// has another history; false without one when that can't be told: the pin is of an earlier generation, and there is no
  /// key, or the history does not reach back to it. `nil` without a pin, and for a damaged file.
  public internal(set) var isRollbackExcluded: Bool?

  /// Whether anything is damaged that may hide or change a record. A torn tail is not, and neither is a bad index
  /// (`index-damaged`): the vault serves everything, and compacting it makes the index anew.
  public var isDamaged: Bool { findings.contains { $0.code.isDamage && $0.code != .indexDamaged } }
}

/// How far ``Vault/verify(at:credential:pin:progress:)`` has come.
public struct VerifyProgress: Sendable {
  /// Bytes that were gone over; with a key the file is gone over twice.
  public let bytesDone: UInt64
  /// Bytes to go over in all.
  public let bytesTotal: UInt64
  /// Frames that were gone over; with a key each counts twice.
  public let frames: UInt64
}

extension Vault {
  /// Checks a vault from its first byte to its last. Changes nothing, and takes no lock but to tell a batch that is being
  /// written from damage.
  ///
  /// Without a credential: structure, checksums, links, order, trailing zeros. With one: every frame is opened besides, and
  /// every record's place in the history is checked. With a pin, the history up to it is compared last.
  ///
  /// - Parameter progress: is called on the caller's thread, behind every thousandth frame or so.
  /// - Returns: what was found; damage is a finding, and not thrown.
  /// - Throws: what kept it from looking: `no-vault`, `not-a-vault-file`, `unsafe-permissions`, `wrong-key`,
  ///   `unsupported-version`, `unsupported-feature`, `limit-exceeded`, `io`.
  public static func verify(
    at path: String, credential: consuming Credential?, pin: Pin? = nil, progress: ((VerifyProgress) -> Void)? = nil
  ) throws(VaultError) -> VerifyReport {
    let storage = FileStorage(path: path)
    return try verify(
      storage.open(writable: false), lockedBy: storage, credential: credential, pin: pin, progress: progress)
  }

  /// The same of a file that is open.
  ///
  /// - Parameter storage: whose lock its writers take; `nil` for a file that nobody writes to.
  static func verify(
    _ file: any StorageFile, lockedBy storage: (any Storage)?, credential: consuming Credential?, pin: Pin?,
    progress: ((VerifyProgress) -> Void)?
  ) throws(VaultError) -> VerifyReport {
    let start = ContinuousClock.now
    let passes: UInt64 = credential == nil ? 1 : 2
    var verification = Verification(file, passes: passes, progress)
    // A batch that is being written looks like damage for a moment; whoever holds the lock is asked before that is said.
    try verification.checkStructure()
    if verification.report.isDamaged, let storage {
      let lock = try storage.lock(.shared, wait: .seconds(1))
      defer { withExtendedLifetime(lock) {} }
      verification = Verification(file, passes: passes, progress)
      try verification.checkStructure()
    }
    if let credential { try verification.checkContent(with: credential) }
    if let pin { try verification.check(pin) }
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
  /// How often the file is gone over.
  private let passes: UInt64
  private let progress: ((VerifyProgress) -> Void)?

  init(_ file: any StorageFile, passes: UInt64, _ progress: ((VerifyProgress) -> Void)?) {
    self.file = file
    self.passes = passes
    self.progress = progress
  }

  /// Tells of the frame at `offset`, if it is one of a thousand.
  private func tell(frame sequence: UInt64, at offset: UInt64, pass: UInt64, length: UInt64) {
    guard sequence % 1024 == 0, let progress else { return }
    progress(
      VerifyProgress(
        bytesDone: (pass - 1) * length + offset, bytesTotal: passes * length,
        frames: (pass > 1 ? report.frames : 0) + sequence))
  }

  /// Everything that needs no key.
  mutating func checkStructure() throws(VaultError) {
    var window = try FileWindow(file)
    try count(&window)
    do {
      let structure = try Opening.structure(&window)
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

  /// Counts what is whole, as far as it goes.
  private mutating func count(_ window: inout FileWindow, excusing excuse: PageExcuse? = nil) throws(VaultError) {
    do {
      let generation = try window.generation()
      let start = Chain(startOf: generation)
      var committed = (frames: UInt64(0), records: UInt64(0))
      var met = committed
      let length = window.length
      let walk = try Walk(&window, from: start, in: generation, excusing: excuse) { (header) in
        met.frames += 1
        if header.type == .record { met.records += 1 }
        if header.endsBatch { committed = met }
        tell(frame: header.sequence, at: header.offset, pass: 1, length: length)
      }
      report.generation = generation.header.generation
      report.frames = committed.frames
      report.records = committed.records
      report.batches = walk.batches
      report.bytes = walk.committed.offset
      report.sequence = walk.committed.sequence
      report.head = walk.committed.link.hex
      report.pin = Pin(of: walk.committed, in: generation)
    } catch {
      // What is wrong with the header is said where the structure is checked.
      guard error.code.isDamage else { throw error }
    }
  }

  /// Opens everything, if the structure is whole but for what an opened index root may excuse: without it, no key would tell
  /// more.
  mutating func checkContent(with credential: borrowing Credential) throws(VaultError) {
    var window = try FileWindow(file)
    guard let structure = try wholeOrExcusable(&window) else { return }
    let keyring = try Opening.keyring(structure, &window, with: credential)
    report.usedKey = true
    do {
      let length = window.length
      let index = IndexComparison { [self] (record) in
        tell(frame: record.sequence, at: record.offset, pass: 2, length: length)
      }
      let view = try Opening.view(of: file, structure, &window, keyring, comparing: index)
      report.liveNames = view.index.count
      self.view = view
      if let excuse = view.excuse {
        report.findings = []
        self.structure = structure
        note(structure, length: window.length)
        try count(&window, excusing: excuse)
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

  /// Whether this is the history that was pinned, as far as the file and the keys tell.
  mutating func check(_ pin: Pin) throws(VaultError) {
    guard let structure, !report.isDamaged else { return }
    var window = try FileWindow(file)
    do {
      report.isRollbackExcluded = try Opening.check(pin, structure, &window, view)
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
