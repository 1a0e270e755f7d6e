internal import VaultCrypto
public import VaultFormat

/// New generations. Each call may be made while others read and write the vault, in this process or another: readers go on,
/// writers wait only for its last moment, and all move to the new file by themselves. Killed at any moment, or without room,
/// it leaves the old vault or the new one, whole.
///
/// None of them revokes anything for somebody who has a copy of the old file and a key to it.
extension Vault {
  /// Makes the vault small again: leaves out what no longer counts. Keys stay.
  ///
  /// - Parameters:
  ///   - retention: what is kept.
  ///   - progress: is told now and then how far it has come, on the caller's thread.
  /// - Throws: what is damaged, by its code and place; `wrong-key`; `locked` when another new generation is being made;
  ///   `conflict` when the vault was replaced meanwhile; `disk-full`, `io`. Nothing was changed then, unless the error is
  ///   `io` of the last step.
  public static func compact(
    at path: String, credential: borrowing Credential, keeping retention: Retention = Retention(),
    options: MaintenanceOptions = MaintenanceOptions(), progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> MaintenanceReport {
    try compact(.system(path: path), credential: credential, keeping: retention, options: options, progress: progress)
  }

  package static func compact(
    _ environment: Environment, credential: borrowing Credential, keeping retention: Retention = Retention(),
    options: MaintenanceOptions = MaintenanceOptions(), progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> MaintenanceReport {
    let old = try openToReplace(environment, with: credential, options)
    let copy = try GenerationCopy.begin(
      environment, options, progress, from: old, selecting: RecordSelection(of: old, keeping: retention)
    ) { (random) throws(VaultError) in
      try .next(after: old, changesDataKey: false, madeBy: .compaction, at: environment.now(), random: &random)
    }
    return try copy.run()
  }

  /// What a compaction would do; changes nothing.
  ///
  /// - Throws: as ``compact(at:credential:keeping:options:progress:)``.
  public static func tryCompaction(
    at path: String, credential: borrowing Credential, keeping retention: Retention = Retention(),
    options: MaintenanceOptions = MaintenanceOptions(), progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> MaintenanceReport {
    let environment = Environment.system(path: path)
    let old = try openToReplace(environment, with: credential, options)
    return try CompactionTrial.run(on: old, keeping: retention, options, progress)
  }

  /// Seals every record anew, under a new data key. The root key and all credentials stay.
  ///
  /// - Throws: as ``compact(at:credential:keeping:options:progress:)``.
  public static func rotate(
    at path: String, credential: borrowing Credential, options: MaintenanceOptions = MaintenanceOptions(),
    progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> MaintenanceReport {
    try rotate(.system(path: path), credential: credential, options: options, progress: progress)
  }

  package static func rotate(
    _ environment: Environment, credential: borrowing Credential, options: MaintenanceOptions = MaintenanceOptions(),
    progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> MaintenanceReport {
    let old = try openToReplace(environment, with: credential, options)
    let copy = try GenerationCopy.begin(
      environment, options, progress, from: old, selecting: selection(of: old, options)
    ) { (random) throws(VaultError) in
      try .next(after: old, changesDataKey: true, madeBy: .rotation, at: environment.now(), random: &random)
    }
    return try copy.run()
  }

  /// Changes the root key and the data key, and seals every record anew. The vault then opens with the new credentials, and
  /// with no others. Refreshes that are under way are waited for, and others begin only when it is done.
  ///
  /// - Parameters:
  ///   - key: a key that will open it; may be the one that does now.
  ///   - passphrase: a passphrase that will open it.
  /// - Throws: as ``compact(at:credential:keeping:options:progress:)``; `usage` without a new credential.
  public static func rekey(
    at path: String, credential: borrowing Credential, newKey key: borrowing Credential?,
    newPassphrase passphrase: borrowing Credential?, options: MaintenanceOptions = MaintenanceOptions(),
    progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> MaintenanceReport {
    // A refresh under way could not store its answer, which is nowhere else.
    let refreshes = try ByteLock.takeAll(ByteLock.refreshes(of: path), wait: options.lockTimeout)
    defer { refreshes?.release() }
    return try rekey(
      .system(path: path), credential: credential, newKey: key, newPassphrase: passphrase, options: options,
      progress: progress)
  }

  package static func rekey(
    _ environment: Environment, credential: borrowing Credential, newKey key: borrowing Credential?,
    newPassphrase passphrase: borrowing Credential?, options: MaintenanceOptions = MaintenanceOptions(),
    progress: ((MaintenanceProgress) -> Void)? = nil
  ) throws(VaultError) -> MaintenanceReport {
    guard key != nil || passphrase != nil else {
      throw VaultError(.usage, "a vault that no credential opens is lost: name a new one")
    }
    let old = try openToReplace(environment, with: credential, options)
    let dropped = try slots(of: old, openedByNeither: key, nor: passphrase)
    var random = try crypto(environment.makeRandom)
    // Passphrases take their time: nobody waits for it.
    let keys = try GenerationKeys.rekeyed(
      after: old, key: key, passphrase: passphrase, cost: options.passphraseCost, at: environment.now(),
      random: &random)
    let copy = try GenerationCopy.begin(
      environment, options, progress, from: old, selecting: selection(of: old, options)
    ) { _ in keys }
    var report = try copy.run()
    report.droppedSlots = dropped
    return report
  }

  /// Numbers of the slots of `view` that neither credential opens.
  private static func slots(
    of view: View, openedByNeither key: borrowing Credential?, nor passphrase: borrowing Credential?
  ) throws(VaultError) -> [UInt32] {
    let vault = view.generation.header.vaultID
    var numbers: [UInt32] = []
    for slot in try view.sealedSlots().map(\.slot) {
      do throws(FormatError) {
        if try slot.isOpened(by: key, in: vault) { continue }
        if try slot.isOpened(by: passphrase, in: vault) { continue }
      } catch {
        throw VaultError(error)
      }
      numbers.append(slot.number)
    }
    return numbers
  }

  /// Every record; where some are damaged, only what is not put in doubt by that.
  private static func selection(
    of view: View, _ options: MaintenanceOptions
  ) throws(VaultError) -> RecordSelection {
    options.skipsDamaged ? try RecordSelection(of: view, keeping: Retention()) : .everything
  }

  /// Opens a vault whose place a new file will take, with its index in memory.
  private static func openToReplace(
    _ environment: Environment, with credential: borrowing Credential, _ options: MaintenanceOptions
  ) throws(VaultError) -> View {
    let file = try environment.storage.open(writable: options.shreds)
    var view = try ReadingAgain.reading(environment.storage) { () throws(VaultError) in
      try Opening.view(of: file, with: credential)
    }
    guard !view.generation.header.mustStayReadOnly else {
      throw VaultError(
        .unsupportedFeature, "the file uses a feature that this program does not know and may only read",
        remedy: "use a newer release of tokenvault")
    }
    guard !view.index.isComplete, let root = view.index.root else { return view }
    do {
      view.completeIndex(with: try view.entriesInRuns(of: root))
    } catch {
      guard error.code == .indexDamaged else { throw error }
      view = try Opening.view(of: file, succeeding: view.keyring, readsWhole: true)
    }
    return view
  }
}
