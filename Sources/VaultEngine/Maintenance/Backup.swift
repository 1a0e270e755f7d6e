public import VaultFormat

extension Vault {
  /// Copies the vault as it is now to a new file: the bytes up to the end of its last whole batch. Others go on reading and
  /// writing meanwhile.
  ///
  /// The copy is made under a temporary name beside its own, for its owner alone, synced, read back and verified: with a
  /// credential every frame of it is opened, without one only its structure is checked. It has its name when all that is done,
  /// and not before.
  ///
  /// - Parameters:
  ///   - path: of the vault.
  ///   - destination: where nothing may be yet, unless `replaces` says so.
  ///   - replaces: whether the copy may take the place of a file that is there.
  ///   - progress: is told now and then how far the verification has come, on the caller's thread.
  /// - Returns: what the verification found of the copy.
  /// - Throws: what is damaged in the vault, of which no backup is made then; `wrong-key`; `conflict` when there is something at
  ///   the destination, or it is the vault; `cannot-create`, `disk-full`, `io`.
  public static func backup(
    at path: String, credential: consuming Credential?, to destination: String, replacing replaces: Bool = false,
    progress: ((VerifyProgress) -> Void)? = nil
  ) throws(VaultError) -> VerifyReport {
    try backup(
      FileStorage(path: path), credential: credential, to: FileStorage(path: destination), replacing: replaces,
      progress: progress)
  }

  package static func backup(
    _ storage: any Storage, credential: consuming Credential?, to destination: any Storage, replacing replaces: Bool,
    progress: ((VerifyProgress) -> Void)? = nil
  ) throws(VaultError) -> VerifyReport {
    let file = try storage.open(writable: false)
    try checkDestination(destination, isNot: file, replaces)
    let end: UInt64
    do {
      end = try ReadingAgain.reading(storage) { () throws(VaultError) in try committedEnd(of: file, credential) }
    } catch {
      throw refusal(error)
    }
    destination.sweep()
    let copy = try destination.createTemporary()
    do throws(VaultError) {
      try FileCopy.copy([0..<end], of: file, to: copy)
      let report = try verified(copy, credential: credential, progress)
      // Somebody may have put a file there meanwhile.
      try checkDestination(destination, isNot: file, replaces)
      if replaces { try destination.replace(with: copy) } else { try destination.publish(copy) }
      return report
    } catch {
      destination.discard(copy)
      throw error
    }
  }

  private static func checkDestination(
    _ destination: any Storage, isNot file: any StorageFile, _ replaces: Bool
  ) throws(VaultError) {
    guard let found = try destination.identity() else { return }
    guard found != file.identity else {
      throw VaultError(.conflict, "\(destination.path) is the vault itself", remedy: "name another file for the copy")
    }
    guard replaces else {
      throw VaultError(.conflict, "there is something at \(destination.path) already; it was left alone")
    }
  }

  /// The end of the last whole batch. What stands behind it must be an append that was interrupted: with the keys, more of what
  /// is not is told from one, and the copy will not have it.
  private static func committedEnd(
    of file: any StorageFile, _ credential: borrowing Credential?
  ) throws(VaultError) -> UInt64 {
    var window = try FileWindow(file)
    let structure: Opening.Structure
    if let found = try Opening.structureFromRoot(&window) {
      structure = found
    } else {
      structure = try Opening.structure(&window)
    }
    switch credential {
    case .some(let credential) where structure.torn != nil: _ = try Opening.view(of: file, with: credential)
    default: break
    }
    return structure.walk.committed.offset
  }

  /// - Throws: what was found, if the copy is damaged: it has the vault's own bytes.
  private static func verified(
    _ copy: any StorageFile, credential: consuming Credential?, _ progress: ((VerifyProgress) -> Void)?
  ) throws(VaultError) -> VerifyReport {
    let report = try verify(copy, lockedBy: nil, credential: credential, pin: nil, progress: progress)
    guard let finding = report.findings.first(where: { $0.code.isDamage && $0.code != .indexDamaged }) else {
      return report
    }
    throw refusal(
      VaultError(finding.code, finding.sentence, offset: finding.offset, sequence: finding.sequence))
  }

  /// What is told of damage: a copy of it would pass for a backup. Other errors are told as they are.
  private static func refusal(_ error: VaultError) -> VaultError {
    guard error.code.isDamage else { return error }
    return VaultError(
      error.code, "the vault is damaged, and so no copy was made of it: \(error.sentence)",
      remedy: "look at it with 'tokenvault verify'; 'tokenvault salvage' takes out what is whole",
      offset: error.offset, sequence: error.sequence)
  }
}
