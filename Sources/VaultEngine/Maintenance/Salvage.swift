internal import VaultCrypto
public import VaultFormat

/// Where a salvage puts what it finds.
public struct SalvageTargets: Sendable {
  /// Path of the new vault.
  public let vault: String
  /// Path of a file for the bytes that don't open, one gap behind the other. It is not made when there are none.
  public let rest: String

  /// Nothing may be at either path.
  public init(vault: String, rest: String) {
    self.vault = vault
    self.rest = rest
  }
}

extension Vault {
  /// Takes everything that opens out of a damaged vault, which is not changed, into a new vault.
  ///
  /// The new vault is another one: it has an id of its own, new keys, and one key slot for `credential`. Records keep their
  /// versions, times and order. Which of them were followed by a newer one that is lost, nobody knows: see
  /// ``SalvageReport/staleThrough``. That writes at the very end are missing shows only if something is left of them.
  ///
  /// - Parameters:
  ///   - path: of the damaged vault. Nobody should be writing to it.
  ///   - credential: opens one of the key slots that are left.
  ///   - targets: where the new vault and the rest go; `nil` to look only.
  ///   - progress: is told now and then how far it has come, on the caller's thread.
  /// - Throws: `header-damaged`, `slot-damaged`, `frame-damaged` when nothing is left that the rest hangs on; `wrong-key`;
  ///   `conflict` when there is something at a target; `no-vault`, `unsupported-version`, `cannot-create`, `disk-full`, `io`.
  public static func salvage(
    at path: String, credential: borrowing Credential, to targets: SalvageTargets?,
    progress: ((SalvageProgress) -> Void)? = nil
  ) throws(VaultError) -> SalvageReport {
    let places = targets.map { (Environment.system(path: $0.vault), FileStorage(path: $0.rest) as any Storage) }
    return try salvage(FileStorage(path: path), credential: credential, to: places, progress: progress)
  }

  package static func salvage(
    _ storage: any Storage, credential: borrowing Credential, to targets: (vault: Environment, rest: any Storage)?,
    passphraseCost: KeySlot.Kind = .defaultScrypt, progress: ((SalvageProgress) -> Void)? = nil
  ) throws(VaultError) -> SalvageReport {
    if let targets { try checkIsFree([targets.vault.storage, targets.rest]) }
    var salvage = try Salvage(of: storage.open(writable: false), with: credential, progress)
    guard let (environment, rest) = targets else {
      try salvage.forEachBlock(for: nil) { (_) in }
      return salvage.report
    }
    let lock = try environment.storage.lock(.exclusive, wait: .seconds(10))
    defer { withExtendedLifetime(lock) {} }
    try checkIsFree([environment.storage])
    environment.storage.sweep()
    var random = try crypto(environment.makeRandom)
    let keys = try GenerationKeys.first(
      for: credential, cost: passphraseCost, madeBy: .salvage, like: salvage.generation.header, at: environment.now(),
      random: &random)
    var writer = try GenerationWriter.begin(environment, keys, random: random)
    try salvage.forEachBlock(for: keys.keyring) { (block) throws(VaultError) in try writer.append([block]) }
    salvage.report.names = writer.view.index.count
    try writer.checkpoint(history: [])
    try salvage.keepRest(in: rest)
    try writer.publish()
    return salvage.report
  }

  private static func checkIsFree(_ storages: [any Storage]) throws(VaultError) {
    for storage in storages where try storage.identity() != nil {
      throw VaultError(.conflict, "there is something at \(storage.path) already; it was left alone")
    }
  }
}

/// The steps of a salvage.
private struct Salvage: ~Copyable {
  /// Records and bytes that are in memory at a time.
  private static let portion = (records: 8192, bytes: 8 << 20)

  private let file: any StorageFile
  private let keyring: Keyring
  private let progress: ((SalvageProgress) -> Void)?
  /// What the file's frames are bound to.
  let generation: Generation
  var report = SalvageReport()

  /// Finds the file's keys.
  init(
    of file: any StorageFile, with credential: borrowing Credential, _ progress: ((SalvageProgress) -> Void)?
  ) throws(VaultError) {
    var window = try FileWindow(file)
    let (generation, isLost) = try SalvageHeader.generation(&window)
    var keys = SalvageKeys()
    var scan = try SalvageScan(of: file, in: generation)
    while let header = try scan.next() {
      do {
        try keys.take(Frame(header, in: scan.bytes(of: header)))
      } catch {
        guard error.code != .cryptoFailure else { throw VaultError(error) }
      }
    }
    keyring = try keys.keyring(with: credential, &window, in: generation)
    report.isHeaderLost = isLost
    report.bytes = window.length
    self.file = file
    self.generation = generation
    self.progress = progress
  }

  /// Gives all records that open to `body`, in the order of the file, a portion at a time, and notes what lies between them.
  ///
  /// - Parameter target: the keys of the file that the records are for; `nil` when they are for none.
  mutating func forEachBlock(
    for target: Keyring?, _ body: (RecordBlock) throws(VaultError) -> Void
  ) throws(VaultError) {
    var gaps = SalvageGaps(isHeaderLost: report.isHeaderLost)
    var scan = try SalvageScan(of: file, in: generation)
    var portion = try Self.emptyPortion()
    var size = (records: 0, bytes: 0)
    while let header = try scan.next() {
      let version: UInt64?
      do throws(FormatError) {
        let frame = try Frame(header, in: scan.bytes(of: header))
        version = try take(frame, above: gaps.lastVersion, for: target, &portion)
      } catch {
        guard error.code != .cryptoFailure else { throw VaultError(error) }
        continue
      }
      scan.pass(header)
      gaps.take(header, version: version)
      guard version != nil else { continue }
      report.records += 1
      size = (size.records + 1, size.bytes + header.frameLength)
      guard size.records >= Self.portion.records || size.bytes >= Self.portion.bytes else { continue }
      try body(portion.block())
      portion = try Self.emptyPortion()
      size = (0, 0)
      progress?(SalvageProgress(records: report.records, done: scan.offset, total: scan.length))
    }
    if size.records > 0 { try body(portion.block()) }
    gaps.finish(at: try scan.endOfNonzero(behind: gaps.end, in: file))
    report.gaps = gaps.gaps
    report.staleThrough = gaps.staleThrough
  }

  private static func emptyPortion() throws(VaultError) -> RecordBlock.Builder {
    try crypto { () throws(CryptoError) in try RecordBlock.Builder(capacity: 1 << 16) }
  }

  /// Opens a frame, and adds the record that it holds, if it is one.
  ///
  /// - Returns: the record's version.
  /// - Throws: `frame-damaged` when it does not open, `chain-broken` when its record is not newer than all before: such frames
  ///   are left in a gap.
  private func take(
    _ frame: borrowing Frame, above last: UInt64, for target: Keyring?, _ portion: inout RecordBlock.Builder
  ) throws(FormatError) -> UInt64? {
    let header = frame.header
    guard header.type != .keySlot else {
      _ = try frame.checkedTrailer()
      return nil
    }
    let plaintext = try keyring.open(frame, in: generation)
    guard header.type == .record else { return nil }
    let record = try Record(parsing: plaintext.span, at: header.offset, in: generation.header)
    if record.isDeflated {
      _ = try Deflate.inflate(plaintext.span.extracting(record.valueRange), limit: Limits.hardValue)
    }
    guard record.version > last else {
      throw FormatError(.chainBroken, "the record's version \(record.version) is not above \(last)")
    }
    guard let target else { return record.version }
    do {
      let tag = try target.tag(of: plaintext.span.extracting(record.nameRange))
      try portion.append(record, plaintext.span, tag: tag, offset: header.offset)
    } catch {
      throw FormatError(.cryptoFailure, "there is no memory for a record")
    }
    return record.version
  }

  /// Keeps the bytes of all gaps.
  func keepRest(in storage: any Storage) throws(VaultError) {
    let ranges = report.gaps.map(\.bytes).filter { !$0.isEmpty }
    guard !ranges.isEmpty else { return }
    storage.sweep()
    let rest = try storage.createTemporary()
    do {
      try FileCopy.copy(ranges, of: file, to: rest)
      try storage.publish(rest)
    } catch {
      storage.discard(rest)
      throw error
    }
  }
}
