internal import VaultFormat

/// What a restored generation takes the place of.
struct RestoreTarget {
  /// Number of the generation before the restored one.
  let generation: UInt64
  /// Earlier generations, newest first: the one that is replaced, as far as its end is known, and those before it.
  let history: [Anchor.Ancestor]
  /// The greatest version that the vault is known to have given; no version is given twice.
  let greatestVersion: UInt64
  /// Whether it is whole and may hold writes that the backup lacks.
  let isNewer: Bool

  /// - Parameters:
  ///   - file: what has the vault's name; it may be damaged in any way.
  ///   - backup: the state that takes its place.
  /// - Throws: `conflict` when it is another vault; `unsupported-version`, `unsupported-feature`; `io`.
  init(_ file: any StorageFile, with credential: borrowing Credential, backup: View) throws(VaultError) {
    var window = try FileWindow(file)
    let found: Generation
    do throws(VaultError) {
      found = try window.generation()
    } catch {
      guard error.code == .headerDamaged else { throw error }
      self.init(succeeding: backup)
      return
    }
    guard found.header.vaultID == backup.generation.header.vaultID else {
      throw VaultError(
        .conflict, "the backup is of another vault; nothing was changed",
        remedy: "name another path with --vault, or move away what is there")
    }
    do throws(VaultError) {
      self.init(whole: try Opening.view(of: file, with: credential), backup)
    } catch {
      guard error.code.isDamage || error.code == .wrongKey || error.code == .limitExceeded else { throw error }
      let walk = try Walk(&window, from: Chain(startOf: found), in: found)
      guard found.header.generation >= backup.generation.header.generation else {
        self.init(succeeding: backup)
        return
      }
      self.init(unopened: found.header, endingWith: walk.committed, isWhole: error.code == .wrongKey, backup)
    }
  }

  /// Of a vault of which nothing is known but the backup.
  private init(succeeding backup: View) {
    generation = backup.generation.header.generation
    history = backup.successorHistory
    greatestVersion = backup.greatestVersion
    isNewer = false
  }

  private init(whole view: View, _ backup: View) {
    generation = view.generation.header.generation
    history = view.successorHistory
    greatestVersion = max(view.greatestVersion, backup.greatestVersion)
    // Keys may have been changed since without a write.
    isNewer =
      view.greatestVersion > backup.greatestVersion || generation > backup.generation.header.generation
      || view.chain.sequence > backup.chain.sequence
  }

  /// Of a file whose records can't be opened: because it is damaged, or because its keys were changed since the backup.
  private init(unopened header: FileHeader, endingWith end: Chain, isWhole: Bool, _ backup: View) {
    generation = header.generation
    // What only its records would tell is taken from the backup.
    let last = Anchor.Ancestor(
      generation: generation, fileID: header.fileID, lastSequence: end.sequence,
      lastVersion: backup.greatestVersion, head: end.link, time: backup.genesis?.created ?? 0,
      madeBy: backup.genesis?.madeBy ?? .initialization)
    let earlier = backup.successorHistory.filter { $0.generation < header.generation }
    history = Array(([last] + earlier).prefix(Limits.history))
    greatestVersion = backup.greatestVersion
    isNewer = isWhole
  }
}

extension View {
  /// What the anchor of the next generation lists: this one as it ends here, and those before it.
  var successorHistory: [Anchor.Ancestor] {
    guard let genesis else { return [] }
    let header = generation.header
    let last = Anchor.Ancestor(
      generation: header.generation, fileID: header.fileID, lastSequence: chain.sequence,
      lastVersion: greatestVersion, head: chain.link, time: genesis.created, madeBy: genesis.madeBy)
    return Array(([last] + history).prefix(Limits.history))
  }
}
