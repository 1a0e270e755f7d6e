import Glibc
import Testing
import VaultLaboratory

/// A file system in memory, mounted in a bench's folder as long as the value lives.
final class MemoryDisk {
  let folder: String
  let filler: DiskFiller

  /// Whether this process may mount one; only root may, and not in every container.
  static let isPermitted: Bool = {
    guard geteuid() == 0, let bench = try? Bench(withVault: false) else { return false }
    return (try? MemoryDisk(on: bench, size: "64k")) != nil
  }()

  init(on bench: Bench, size: String) throws {
    folder = bench.folder + "/disk"
    filler = DiskFiller(in: folder)
    try #require(unsafe mkdir(folder, 0o700) == 0)
    guard unsafe mount("tmpfs", folder, "tmpfs", 0, "size=\(size)") == 0 else { throw Refused() }
  }

  deinit { _ = unsafe umount2(folder, 0) }

  func resize(to size: String) throws {
    try #require(unsafe mount("tmpfs", folder, "tmpfs", UInt(MS_REMOUNT), "size=\(size)") == 0)
  }

  /// Makes it a file system that nobody can write to, or one that can be written again.
  func makeReadOnly(_ isReadOnly: Bool) throws {
    let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
    try #require(unsafe mount("tmpfs", folder, "tmpfs", flags, nil) == 0)
  }

  private struct Refused: Error {}
}
