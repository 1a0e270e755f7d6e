import Glibc

/// Takes a small file system's room away, and gives it back.
package struct DiskFiller {
  /// The name of the file that takes it; sorted before all others.
  package static let name = ".filler"
  private let path: String

  /// - Parameter folder: where the file system is mounted.
  package init(in folder: String) { path = folder + "/" + Self.name }

  /// Fills the file system but for about `room` bytes.
  package func fill(leaving room: Int) throws {
    empty()
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600 as mode_t)
    guard descriptor >= 0 else { throw HelperError.system(errno) }
    defer { _ = close(descriptor) }
    var status = statvfs()
    guard unsafe fstatvfs(descriptor, &status) == 0 else { throw HelperError.system(errno) }
    var size = Int(status.f_bavail) * Int(status.f_frsize) - room
    // A file system on a disk needs some of it for the list of the file's blocks.
    while posix_fallocate(descriptor, 0, off_t(size)) != 0 {
      size -= 4096
      guard size > 0 else { throw HelperError.system(ENOSPC) }
    }
  }

  /// Gives back what was taken; nothing where nothing was.
  package func empty() {
    // Cut off first: a child that another test was just starting may hold the file open for a moment.
    unsafe truncate(path, 0)
    unsafe unlink(path)
  }
}
