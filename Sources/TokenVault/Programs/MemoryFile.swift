internal import CSystemShims
internal import Glibc
internal import VaultEngine

/// A file that has no name on any disk (`memfd_create`), for its owner to read, and sealed: nobody can change it.
///
/// It is read from its beginning, and again whenever somebody opens `/proc/self/fd/N`. It goes away with its last descriptor.
/// Like all memory that is not locked it may reach swap.
struct MemoryFile: ~Copyable {
  /// A descriptor that no program inherits under this number.
  let descriptor: OwnedDescriptor

  /// - Throws: `io` when the system has no memory for it, or no such files.
  init(_ bytes: Span<UInt8>) throws(VaultError) {
    let file = OwnedDescriptor(unsafe tv_memory_file("tokenvault"))
    guard file.isOpen, Self.fill(file.number, bytes) else {
      throw VaultError(.io, "a file in memory can't be made: \(systemMessage(errno))")
    }
    descriptor = file
  }

  private static func fill(_ file: Int32, _ bytes: Span<UInt8>) -> Bool {
    let isWritten = unsafe bytes.withUnsafeBufferPointer { (buffer) in
      var written = 0
      while written < buffer.count {
        let count = unsafe write(file, buffer.baseAddress?.advanced(by: written), buffer.count - written)
        guard count > 0 || errno == EINTR else { return false }
        written += max(count, 0)
      }
      return true
    }
    return isWritten && fchmod(file, 0o400) == 0 && tv_seal(file) == 0 && lseek(file, 0, SEEK_SET) == 0
  }
}
