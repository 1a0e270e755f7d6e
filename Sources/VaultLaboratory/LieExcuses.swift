extension Lie {
  /// Why it can't matter to anybody after a power cut; `nil` if it can.
  func excuse(in trace: Trace) -> String? {
    if changesNothing(in: trace) { return "all that it is about is on the disk already" }
    if isTwoSyncs(in: trace) { return "two syncs stand side by side, and what comes next waits for both" }
    if isCutOfAFailedCommit(in: trace) {
      return "the commit had failed, and without a note the next writer syncs before it writes anything new"
    }
    if isBeforeTheLastSyncOfATemporary(in: trace) {
      return "the temporary file is synced once more before it gets its name"
    }
    if isIndexOfASalvagedVault(in: trace) { return "the new vault holds the same without its index" }
    if isBesideATemporaryName(in: trace) { return "the name of a temporary file is nobody's concern" }
    if isAppendingBehindANewName(in: trace) { return "what is appended counts for nothing before it is synced itself" }
    if isAboutAFileThatCameToNothing(in: trace) { return "the file never gets a name, and the next writer removes it" }
    if isNameThatTheNextWriterSyncs(in: trace) {
      return "both files hold the same, and without a note the next writer syncs the directory before it writes"
    }
    return nil
  }

  /// The operations that it is about.
  private var places: [Int] {
    switch self {
    case .leavesOut(let place): [place]
    case .swaps(let place): [place, place + 1]
    }
  }

  /// A sync that has nothing to bring to the disk: the last batch was written once more, and its writer had synced it. The
  /// writer can't know that where it finds no note.
  private func changesNothing(in trace: Trace) -> Bool {
    if trace.disks[place].directories().count == 1, places.contains(where: { trace.journal[$0].isDirectorySync }),
      !places.contains(where: { trace.journal[$0].changesNames })
    {
      return true
    }
    switch self {
    case .leavesOut(let place):
      return trace.journal[place].file.map { !trace.disks[place].isOpen($0) } ?? false
    case .swaps(let place):
      let (first, second) = (trace.journal[place], trace.journal[place + 1])
      guard let file = first.file, file == second.file else { return false }
      guard second.isSync else { return !trace.disks[place].isOpen(file) }
      // The write that comes behind the sync changes nothing any more.
      var disk = trace.disks[place]
      disk.apply(second)
      disk.apply(first)
      return !disk.isOpen(file)
    }
  }

  private func isTwoSyncs(in trace: Trace) -> Bool {
    if case .swaps(let place) = self { trace.journal[place].isSync && trace.journal[place + 1].isSync } else { false }
  }

  /// After a sync that failed, its handle cuts the batch off if the disk lets it, so that it is not found by surprise; that it
  /// is not there was promised to nobody. The next writer finds no note, writes the last batch once more and syncs that, and the
  /// cut with it.
  private func isCutOfAFailedCommit(in trace: Trace) -> Bool {
    let journal = trace.journal
    guard let file = journal[place].file, places.allSatisfy({ journal[$0].file == file }) else { return false }
    let isCut = places.allSatisfy { (place) in
      if case .resize = journal[place] { true } else { journal[place].isSync }
    }
    let before = journal[..<place].last { operation in
      if case .resize = operation { return false }
      return operation.file == file
    }
    guard isCut, before?.isFailure ?? false else { return false }
    var image = trace.disk.start
    for operation in journal[...places[places.count - 1]] { image.apply(operation) }
    for operation in journal[(places[places.count - 1] + 1)...] where operation.file == file {
      if case .resize = operation { continue }
      guard case .write(_, let offset, let bytes) = operation else { return operation.isSync }
      let known = image.files[file] ?? []
      guard offset + bytes.count <= known.count, known[offset..<offset + bytes.count] == bytes[...] else {
        return false
      }
    }
    return true
  }

  /// A file in the making is synced batch by batch, so that each can be read back from the disk. Nobody looks at it after a
  /// crash unless it has its name, and the last sync before that brings everything to the disk.
  private func isBeforeTheLastSyncOfATemporary(in trace: Trace) -> Bool {
    guard let file = trace.journal[place].file, places.allSatisfy({ trace.journal[$0].file == file }) else {
      return false
    }
    let rest = trace.journal[(places[places.count - 1] + 1)...]
    let named = rest.firstIndex { if case .rename(file, _, _) = $0 { true } else { false } }
    guard let named else { return false }
    return rest[..<named].contains { if case .sync(file) = $0 { true } else { false } }
  }

  /// A salvage writes a vault's first generation, which is whole without a checkpoint.
  private func isIndexOfASalvagedVault(in trace: Trace) -> Bool {
    let (journal, end) = (trace.journal, places[places.count - 1])
    guard let file = journal[place].file, places.allSatisfy({ journal[$0].file == file }), journal[end].isSync,
      trace.disk.start.names[SimulatedStorage.name] == nil,
      let named = journal.firstIndex(where: { $0.gives(file, theName: SimulatedStorage.name) }), named > end,
      !journal[..<named].contains(where: { $0.changesTheVaultsName })
    else { return false }
    let synced = journal[..<end].lastIndex { $0.isSync && $0.file == file } ?? 0
    var (with, without) = (trace.disk.start, trace.disk.start)
    for (number, operation) in journal[...named].enumerated() {
      with.apply(operation)
      if operation.file != file || !(synced..<end ~= number) { without.apply(operation) }
    }
    guard let whole = try? SimulatedDisk(with).held() else { return false }
    return whole == (try? SimulatedDisk(without).held())
  }

  private func isBesideATemporaryName(in trace: Trace) -> Bool {
    guard case .swaps(let place) = self else { return false }
    return trace.journal[place...place + 1].contains { (operation) in
      switch operation {
      case .create(_, let name), .remove(let name): name.contains(".tmp-")
      default: false
      }
    }
  }

  /// The new generation was given its name by one who failed then. Who goes on syncs that before his own batch.
  private func isAppendingBehindANewName(in trace: Trace) -> Bool {
    guard case .swaps(let place) = self, trace.journal[place].isDirectorySync,
      case .write(let file, let offset, _) = trace.journal[place + 1]
    else { return false }
    var image = trace.disk.start
    for operation in trace.journal[..<place] { image.apply(operation) }
    return image.names[SimulatedStorage.name] == file && offset >= image.files[file]?.count ?? 0
  }

  /// A temporary file whose maker was killed.
  private func isAboutAFileThatCameToNothing(in trace: Trace) -> Bool {
    guard let file = trace.journal[place].file, places.allSatisfy({ trace.journal[$0].file == file }) else {
      return false
    }
    var isTemporary = false
    for operation in trace.journal {
      switch operation {
      case .create(file, let name): isTemporary = name.contains(".tmp-")
      case .rename(file, _, _): return false
      default: break
      }
    }
    return isTemporary
  }

  /// A new generation may hold what the old one did. Whoever writes to it first finds no note and syncs the directory, unless the
  /// one that made the generation left a note, which he does behind the sync that is left out here.
  private func isNameThatTheNextWriterSyncs(in trace: Trace) -> Bool {
    let journal = trace.journal
    let end = places[places.count - 1]
    guard journal[end].isDirectorySync, places.dropLast().allSatisfy({ journal[$0].changesNames }),
      case .rename(let file, _, let name)? = journal[...end].last(where: { $0.changesNames }),
      journal[..<end].contains(where: { if case .rename(let other, _, name) = $0 { other != file } else { false } })
    else { return false }
    var image = trace.disk.start
    for operation in journal[..<places[0]] where !operation.gives(file, theName: name) { image.apply(operation) }
    let before = try? SimulatedDisk(image).contents()
    image = trace.disk.start
    for operation in journal[...end] { image.apply(operation) }
    guard let before, before == (try? SimulatedDisk(image).contents()) else { return false }
    let former = journal[..<end].compactMap { (operation) -> Int? in
      if case .rename(let other, _, name) = operation, other != file { other } else { nil }
    }
    for operation in journal[(end + 1)...] {
      switch operation {
      case .syncDirectory: return true
      // The old one is shredded.
      case .write(let other, _, _) where former.contains(other): return false
      case .write(file, let offset, let bytes):
        let known = image.files[file] ?? []
        guard offset + bytes.count <= known.count, known[offset..<offset + bytes.count] == bytes[...] else {
          return false
        }
      case .resize(file, _): return false
      default: break
      }
    }
    return false
  }

  /// For people.
  func words(in trace: Trace) -> String {
    switch self {
    case .leavesOut(let place): "\(trace.journal[place].words) at \(place) left out"
    case .swaps(let place): "\(trace.journal[place + 1].words) before \(trace.journal[place].words) at \(place)"
    }
  }
}

extension DiskOperation {
  fileprivate var isDirectorySync: Bool { if case .syncDirectory = self { true } else { false } }

  fileprivate func gives(_ file: Int, theName name: String) -> Bool {
    if case .rename(file, _, name) = self { true } else { false }
  }

  fileprivate var changesTheVaultsName: Bool {
    if case .rename(_, _, SimulatedStorage.name) = self { true } else { false }
  }

  fileprivate var changesNames: Bool {
    switch self {
    case .create, .rename, .remove: true
    case .write, .resize, .sync, .failedSync, .syncDirectory, .note: false
    }
  }

  /// For people.
  var words: String {
    switch self {
    case .create(let file, let name): "create \(name) (\(file))"
    case .write(let file, let offset, let bytes): "write \(bytes.count) bytes at \(offset) of \(file)"
    case .resize(let file, let length): "resize \(file) to \(length)"
    case .sync(let file): "sync \(file)"
    case .failedSync(let file): "failed sync \(file)"
    case .rename(let file, let from, let to): "rename \(from) to \(to) (\(file))"
    case .remove(let name): "remove \(name)"
    case .syncDirectory: "directory sync"
    case .note: "note"
    }
  }
}
