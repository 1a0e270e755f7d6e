public import VaultFormat

/// How a backup is restored.
public struct RestoreOptions: Sendable {
  /// What the backup is held against: one that is older is refused.
  public var pin: Pin?
  /// Restores a state that is older than the pin, or than a vault that is whole, all the same.
  public var acceptsRollback = false
  /// Name and value of the event that tells of it in the restored vault, if it takes the place of another or is an accepted
  /// rollback.
  public var event: (name: [UInt8], value: [UInt8])?
  /// How long to wait for writers.
  public var lockTimeout: Duration = .seconds(10)
  /// Checks all, and changes nothing.
  public var isTrial = false

  /// Refuses a rollback, and waits ten seconds.
  public init() {}
}

/// What a restore did.
public struct RestoreReport: Sendable {
  /// Of the restored vault.
  public internal(set) var generation: UInt64
  /// Names that are there.
  public internal(set) var names: Int
  /// The greatest version of the backup.
  public internal(set) var version: UInt64
  /// Whether the vault is the backup's own bytes, because there was none at the path; else it is a new generation.
  public internal(set) var isCopy: Bool
  /// Whether it goes back behind the pin or behind a vault that was whole.
  public internal(set) var isRollback: Bool
}

extension Vault {
  /// Brings back the state of a backup.
  ///
  /// Where there is no vault, the backup's bytes are put in place. Where there is one, damaged or not, a new generation with
  /// the backup's records takes its place: processes that have the vault open follow, and versions are not given twice. The
  /// vault then opens with the keys and passphrases that open the backup, also with those that were removed since. The file
  /// that was there is gone: copy it first, if it may be needed.
  ///
  /// Either way the backup is opened frame by frame before, and the new file read back; until then nothing is changed, and
  /// a crash leaves the one or the other.
  ///
  /// - Parameter progress: is told now and then how far the copying of records has come, on the caller's thread.
  /// - Throws: what is damaged in the backup; `wrong-key`; `rollback` when it is older than the pin or than the vault, and
  ///   that was not accepted; `conflict` when the vault at the path is another one; `locked`, `disk-full`, `io`.
  public static func restore(
    from backup: String, credential: borrowing Credential, to path: String,
    options: RestoreOptions = RestoreOptions(), progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> RestoreReport {
    try restore(
      FileStorage(path: backup), credential: credential, to: .system(path: path), options: options, progress: progress)
  }

  package static func restore(
    _ backup: any Storage, credential: borrowing Credential, to environment: Environment,
    options: RestoreOptions = RestoreOptions(), progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> RestoreReport {
    let source = try backup.open(writable: false)
    guard try environment.storage.identity() != source.identity else {
      throw VaultError(.conflict, "the backup is the vault itself; nothing was changed")
    }
    var isRollback = false
    let view: View
    do throws(VaultError) {
      view = try Opening.view(of: source, with: credential, pin: options.pin, readsWhole: true)
    } catch {
      guard error.code == .rollback else { throw error }
      guard options.acceptsRollback else { throw Restore.refusal(error.sentence) }
      isRollback = true
      view = try Opening.view(of: source, with: credential, readsWhole: true)
    }
    let lock = options.isTrial ? nil : try environment.storage.lock(.exclusive, wait: options.lockTimeout)
    defer { withExtendedLifetime(lock) {} }
    var restore = Restore(environment, view, options, progress, isRollback: isRollback)
    return try restore.run(with: credential)
  }
}

/// The steps of a restore, under the vault's lock.
private struct Restore {
  private let environment: Environment
  /// The backup.
  private let view: View
  private let options: RestoreOptions
  private let progress: ((MaintenanceProgress) -> Void)?
  private var report: RestoreReport

  private var storage: any Storage { environment.storage }

  init(
    _ environment: Environment, _ view: View, _ options: RestoreOptions,
    _ progress: ((MaintenanceProgress) -> Void)?, isRollback: Bool
  ) {
    (self.environment, self.view, self.options, self.progress) = (environment, view, options, progress)
    report = RestoreReport(
      generation: view.generation.header.generation, names: view.index.count, version: view.greatestVersion,
      isCopy: true, isRollback: isRollback)
  }

  mutating func run(with credential: borrowing Credential) throws(VaultError) -> RestoreReport {
    if try storage.identity() == nil, !report.isRollback {
      if !options.isTrial { try putCopy() }
      return report
    }
    let target = try target(with: credential)
    if let target, target.isNewer {
      guard options.acceptsRollback else {
        throw Self.refusal("the vault is whole, and may hold writes that the backup lacks")
      }
      report.isRollback = true
    }
    report.isCopy = false
    report.generation = (target?.generation ?? report.generation) + 1
    if !options.isTrial { try putGeneration(behind: target) }
    return report
  }

  static func refusal(_ sentence: String) -> VaultError {
    VaultError(
      .rollback, "restoring this backup would be a step back: \(sentence)",
      remedy: "if that is meant, say so with --accept-rollback and --reason; nothing was changed")
  }

  /// What is at the path; `nil` when there is nothing.
  private func target(with credential: borrowing Credential) throws(VaultError) -> RestoreTarget? {
    guard try storage.identity() != nil else { return nil }
    return try RestoreTarget(storage.open(writable: false), with: credential, backup: view)
  }

  /// Puts the backup's bytes where no vault is.
  private func putCopy() throws(VaultError) {
    storage.sweep()
    let copy = try storage.createTemporary()
    do throws(VaultError) {
      try FileCopy.copy([0..<view.chain.offset], of: view.file, to: copy)
      let found = try Opening.view(of: copy, succeeding: view.keyring, readsWhole: true)
      guard found.chain == view.chain else { throw GenerationCheck.mismatch(at: found.chain.offset) }
      try storage.publish(copy)
    } catch {
      storage.discard(copy)
      throw error
    }
  }

  /// Puts a generation with the backup's records in the place of what is there.
  private func putGeneration(behind target: RestoreTarget?) throws(VaultError) {
    guard !storage.sweep() else {
      throw VaultError(.locked, "a new generation of the vault is being made", remedy: "try again when it is done")
    }
    var random = try crypto(environment.makeRandom)
    let replaced = target?.generation ?? view.generation.header.generation
    let keys = try GenerationKeys.restored(from: view, replacing: replaced, random: &random)
    var writer = try GenerationWriter.begin(environment, keys, random: random)
    var source = RecordSource(for: keys.keyring, isOver: nil, skipsDamaged: false)
    while source.offset < view.chain.offset {
      try writer.append(source.next(of: view))
      progress?(MaintenanceProgress(done: source.sequence, total: view.chain.sequence))
    }
    guard writer.view.index.count == view.index.count else { throw GenerationCheck.mismatch(at: 0) }
    if let event = options.event {
      let greatest = max(target?.greatestVersion ?? 0, view.greatestVersion)
      try writer.append(event: event, version: greatest + 1, at: environment.now())
    }
    try writer.checkpoint(history: target?.history ?? view.successorHistory)
    if target == nil { try writer.publish() } else { try writer.replaceVault() }
  }
}
