import Glibc
import Testing

/// A file system in memory, mounted in a bench's folder as long as the value lives.
final class MemoryDisk {
  let folder: String

  /// Whether this process may mount one; only root may, and not in every container.
  static let isPermitted: Bool = {
    guard geteuid() == 0, let bench = try? Bench(withVault: false) else { return false }
    return (try? MemoryDisk(on: bench, size: "64k")) != nil
  }()

  init(on bench: Bench, size: String) throws {
    folder = bench.folder + "/disk"
    try #require(unsafe mkdir(folder, 0o700) == 0)
    guard unsafe mount("tmpfs", folder, "tmpfs", 0, "size=\(size)") == 0 else { throw Refused() }
  }

  deinit { _ = unsafe umount2(folder, 0) }

  func resize(to size: String) throws {
    try #require(unsafe mount("tmpfs", folder, "tmpfs", UInt(MS_REMOUNT), "size=\(size)") == 0)
  }

  /// Fills it but for `room` bytes, in a file whose name begins with a dot.
  func fill(leaving room: Int) throws {
    empty()
    let descriptor = unsafe open(filler, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600 as mode_t)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var status = statvfs()
    try #require(unsafe fstatvfs(descriptor, &status) == 0)
    try #require(posix_fallocate(descriptor, 0, off_t(status.f_bavail * status.f_frsize) - off_t(room)) == 0)
  }

  /// Takes away what ``fill(leaving:)`` put there; cut off before, as a child just being started may hold it for a moment.
  func empty() { _ = unsafe (truncate(filler, 0), unlink(filler)) }

  private var filler: String { folder + "/.filler" }

  /// Makes it a file system that nobody can write to, or one that can be written again.
  func makeReadOnly(_ isReadOnly: Bool) throws {
    let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
    try #require(unsafe mount("tmpfs", folder, "tmpfs", flags, nil) == 0)
  }

  private struct Refused: Error {}
}
