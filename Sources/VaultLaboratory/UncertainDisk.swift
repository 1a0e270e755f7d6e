/// What a disk may hold when the power goes: its files, and which of them have what names.
package struct UncertainDisk: Sendable {
  /// The names that are on the disk, whatever happens.
  private var names: [String: Int]
  /// What became of names since the directory was synced.
  private var changes: [DiskOperation] = []
  package private(set) var files: [Int: UncertainFile]
  /// The worst case is that it is on the disk at once.
  package private(set) var note: [UInt8]

  /// - Parameter image: all of it durable.
  package init(_ image: DiskImage) {
    names = image.names
    files = image.files.mapValues { UncertainFile($0) }
    note = image.note
  }

  package mutating func apply(_ operation: DiskOperation) {
    switch operation {
    case .create(let file, _):
      if files[file] == nil { files[file] = UncertainFile() }
      changes.append(operation)
    case .write(let file, let offset, let bytes): files[file, default: UncertainFile()].write(bytes, at: offset)
    case .resize(let file, let length): files[file, default: UncertainFile()].resize(to: length)
    case .sync(let file): files[file]?.sync()
    case .failedSync(let file): files[file]?.failSync()
    case .rename, .remove: changes.append(operation)
    case .syncDirectory:
      for change in changes { Self.apply(change, to: &names) }
      changes = []
    case .note(let bytes): note = bytes
    }
  }

  private static func apply(_ change: DiskOperation, to names: inout [String: Int]) {
    var image = DiskImage(names: names)
    image.apply(change)
    names = image.names
  }

  /// The directories that may be found, each once: every change of a name since the last sync is there or not by itself.
  ///
  /// The directory in which nothing arrived comes first, the one in which everything did last.
  package func directories() -> [[String: Int]] {
    // More changes of names than that, which no part of the engine makes, arrive in their order.
    let free = min(changes.count, 8)
    var found: [[String: Int]] = []
    for subset in 0..<1 << free {
      var directory = names
      for (number, change) in changes.enumerated() where number >= free || subset >> number & 1 == 1 {
        Self.apply(change, to: &directory)
      }
      if !found.contains(directory) { found.append(directory) }
    }
    return found
  }

  /// Whether a file may be in more than one state.
  package func isOpen(_ file: Int) -> Bool { files[file].map { $0.states().breadth > 0 } ?? false }

  /// Whether a file is on the disk under this name, whatever happens, and holds just these bytes.
  ///
  /// - Parameters:
  ///   - mayBeMissing: or there is no such file.
  ///   - other: but there is one wherever this name is.
  package func surelyHolds(
    _ bytes: [UInt8], under name: String, orNothing mayBeMissing: Bool = false, butBeside other: String? = nil
  ) -> Bool {
    directories().allSatisfy { (directory) in
      guard let file = directory[name].flatMap({ files[$0] }) else {
        return mayBeMissing && other.flatMap { directory[$0] } == nil
      }
      return file.isCertain && file.states().bytes(of: file.states().newest) == bytes
    }
  }
}
