import Glibc

/// A folder of its own among the temporary files, removed with the value unless it is to be kept.
package final class WorkFolder: Sendable {
  package let path: String
  /// The process that made it; a child that was started from it removes nothing.
  private let owner = getpid()

  package init() throws {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    path = "\(parent)/vaultlab-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    guard unsafe mkdir(path, 0o700) == 0 else { throw HelperError.system(errno) }
  }

  package static func / (folder: WorkFolder, name: String) -> String { folder.path + "/" + name }

  /// Removes it with all that is in it.
  package func remove() { Self.remove(path) }

  private static func remove(_ path: String) {
    for name in names(in: path) {
      if unsafe unlink(path + "/" + name) != 0 { remove(path + "/" + name) }
    }
    unsafe _ = rmdir(path)
  }

  /// Everything in a folder, sorted; nothing where it can't be read.
  package static func names(in path: String) -> [String] {
    guard let entries = unsafe opendir(path) else { return [] }
    defer { unsafe _ = closedir(entries) }
    var names: [String] = []
    while let entry = unsafe readdir(entries) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { (name) in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

/// Whole files, read and written at once.
package enum SmallFile {
  /// The bytes of a file; `nil` where there is none.
  package static func read(_ path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
  }

  /// Makes a file of mode 600, or makes it anew.
  package static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600 as mode_t)
    guard descriptor >= 0 else { throw HelperError.system(errno) }
    defer { _ = close(descriptor) }
    var done = 0
    while done < bytes.count {
      let written = unsafe bytes[done...].withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard written > 0 else { throw HelperError.system(errno) }
      done += written
    }
  }
}
