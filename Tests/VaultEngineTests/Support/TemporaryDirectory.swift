import FoundationEssentials
import Glibc
import Synchronization
import VaultLaboratory

/// A directory of its own for one test, removed with the object.
final class TemporaryDirectory: Sendable {
  private let root: String
  /// Nobody makes a directory while another test has changed the process's file mode mask.
  static let mask = Mutex<Void>(())

  init() throws {
    root = "\(FileManager.default.temporaryDirectory.path)/tokenvault-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    try Self.mask.withLock { _ in
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { "\(root)/\(name)" }

  /// Everything in it, sorted.
  func names(in name: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }

  func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path(name)))) }

  /// Makes a file anew, which only its owner may open.
  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(filePath: path(name)))
    try setMode(0o600, of: name)
  }

  /// Changes the bytes of a file in place.
  func overwrite(_ name: String, with bytes: [UInt8]) throws {
    let descriptor = try open(name)
    defer { _ = close(descriptor) }
    let written = unsafe bytes.withUnsafeBufferPointer { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == bytes.count, ftruncate(descriptor, off_t(bytes.count)) == 0 else {
      throw HelperError.system(errno)
    }
  }

  func open(_ name: String) throws -> Int32 {
    let descriptor = unsafe Glibc.open(path(name), O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw HelperError.system(errno) }
    return descriptor
  }

  func rename(_ from: String, to: String) throws {
    guard unsafe Glibc.rename(path(from), path(to)) == 0 else { throw HelperError.system(errno) }
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  func setMode(_ mode: mode_t, of name: String) throws {
    guard unsafe chmod(path(name), mode) == 0 else { throw HelperError.system(errno) }
  }

  func mode(of name: String) throws -> mode_t {
    var status = stat()
    guard unsafe lstat(path(name), &status) == 0 else { throw HelperError.system(errno) }
    return status.st_mode & 0o7777
  }
}
