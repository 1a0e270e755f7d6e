internal import Glibc

/// What earlier writers left beside a vault.
extension FileStorage {
  /// Paths of temporary files of this vault, of writers at work too.
  package var temporaries: [String] {
    let prefix = temporaryPrefix.split(separator: "/", omittingEmptySubsequences: true).last ?? ""
    return neighbours.filter { Self.isTemporary($0, prefix: prefix) }.map { directory + "/" + $0 }
  }

  /// Paths of the copies of torn tails that were kept before they were cut off.
  package var tornCopies: [String] {
    let prefix = "\(path).torn-".split(separator: "/", omittingEmptySubsequences: true).last ?? ""
    return neighbours.filter { $0.utf8.starts(with: prefix.utf8) }.sorted().map { directory + "/" + $0 }
  }

  /// Names in the vault's directory; none where it can't be read.
  private var neighbours: [String] {
    guard let entries = unsafe opendir(directory) else { return [] }
    defer { unsafe _ = closedir(entries) }
    var names: [String] = []
    while let entry = unsafe readdir(entries) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { (name) in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }
}
