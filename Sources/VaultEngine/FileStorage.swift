internal import Glibc

/// A vault in a file system.
package struct FileStorage: Storage {
  package let path: String
  private let lockFiles = KeptLockFiles()

  package init(path: String) { self.path = path }

  var directory: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  var temporaryPrefix: String { "\(path).tmp-" }

  package func open(writable: Bool) throws(VaultError) -> any StorageFile {
    let descriptor: Int32
    do {
      descriptor = try SystemCall.open(path, writable ? O_RDWR : O_RDONLY)
    } catch {
      throw explain(error)
    }
    SystemCall.keepReadingTime(of: descriptor)
    let file = try OpenFile.adopt(descriptor, path)
    try file.checkIsPrivate()
    return file
  }

  private func explain(_ error: VaultError) -> VaultError {
    switch error.systemError {
    case ENOENT, ENOTDIR:
      VaultError(
        .noVault, "there is no vault at \(path)",
        remedy: "make one with 'tokenvault init', or name another with --vault",
        systemError: error.systemError)
    case EISDIR: VaultError(.notAVaultFile, "\(path) is a directory", systemError: EISDIR)
    case ENXIO: VaultError(.notAVaultFile, "\(path) is a FIFO, a socket or a device", systemError: ENXIO)
    case EACCES, EPERM:
      VaultError(.io, "\(path) may not be opened by this user", systemError: error.systemError)
    default: error
    }
  }

  package func identity() throws(VaultError) -> FileIdentity? {
    try SystemCall.identity(at: path)
  }

  package func createTemporary() throws(VaultError) -> any StorageFile {
    while true {
      do {
        if let file = try Self.createHeld(temporaryPrefix + Self.randomSuffix()) { return file }
      } catch {
        guard error.code != .diskFull else { throw error }
        throw VaultError(
          .cannotCreate, "no file can be made in \(directory): \(error.sentence)",
          remedy: "make the directory, or see that this user may write to it", systemError: error.systemError)
      }
    }
  }

  /// Makes a file and locks it until it is closed: that tells a file in the making from one that a crash left.
  ///
  /// - Returns: `nil` when somebody who swept came between the two, and took it for one that a crash left.
  private static func createHeld(_ name: String) throws(VaultError) -> OpenFile? {
    let file = try OpenFile.adopt(SystemCall.create(name), name)
    do {
      if try SystemCall.tryLock(file.descriptor, .exclusive, name),
        try SystemCall.identity(at: name) == file.identity
      {
        return file
      }
    } catch {
      SystemCall.unlink(name)
      throw error
    }
    SystemCall.unlink(name)
    return nil
  }

  /// 16 hexadecimal digits.
  private static func randomSuffix() -> String {
    var generator = SystemRandomNumberGenerator()
    let digits = String(generator.next() as UInt64, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Whether a file of that name is a temporary of this vault, and not another vault with a similar name.
  static func isTemporary(_ name: String, prefix: Substring) -> Bool {
    guard name.utf8.starts(with: prefix.utf8) else { return false }
    let suffix = name.utf8.dropFirst(prefix.utf8.count)
    return suffix.count == 16 && suffix.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
  }

  package func publish(_ temporary: any StorageFile) throws(VaultError) {
    guard let file = temporary as? OpenFile else { preconditionFailure("a file of another storage") }
    try SystemCall.renameWithoutReplacing(file.path, path)
    // Under its new name it is locked by writers, for a commit each.
    SystemCall.unlock(file.descriptor)
    try syncNewName()
  }

  package func replace(with temporary: any StorageFile) throws(VaultError) {
    guard let file = temporary as? OpenFile else { preconditionFailure("a file of another storage") }
    try SystemCall.rename(file.path, path)
    SystemCall.unlock(file.descriptor)
    try syncNewName()
  }

  /// The file has its name, whatever becomes of the sync: that nothing was changed must not be said.
  private func syncNewName() throws(VaultError) {
    do {
      try syncName()
    } catch {
      throw VaultError(
        .io, "the new file is in place, but may not outlast a power cut: \(error.sentence)",
        remedy: "see that the disk is well, and verify \(path)", systemError: error.systemError)
    }
  }

  package func syncName() throws(VaultError) { try SystemCall.syncDirectory(directory) }

  package func discard(_ temporary: any StorageFile) {
    guard let file = temporary as? OpenFile else { return }
    SystemCall.unlink(file.path)
  }

  package func sweep() -> Bool {
    // All of them, and not only up to the first that is held.
    temporaries.map { removeIfAbandoned($0) }.contains(false)
  }

  /// - Returns: false when somebody holds the file.
  private func removeIfAbandoned(_ name: String) -> Bool {
    guard let status = try? SystemCall.status(at: name), status.st_mode & S_IFMT == S_IFREG,
      let descriptor = try? SystemCall.open(name, O_RDWR)
    else { return true }
    defer { _ = close(descriptor) }
    guard let isFree = try? SystemCall.tryLock(descriptor, .exclusive, name) else { return true }
    if isFree { SystemCall.unlink(name) }
    return isFree
  }

  package func keepTorn(_ bytes: Span<UInt8>, from sequence: UInt64) throws(VaultError) {
    for number in 1...Int.max {
      let name = "\(path).torn-\(sequence)" + (number == 1 ? "" : "-\(number)")
      if let status = try SystemCall.status(at: name) {
        if status.st_mode & S_IFMT == S_IFREG, try holds(name, bytes) { return }
        continue
      }
      try writeNew(name, bytes)
      return try syncName()
    }
  }

  /// Makes a file that holds `bytes`, or none.
  private func writeNew(_ name: String, _ bytes: Span<UInt8>) throws(VaultError) {
    let descriptor = try SystemCall.create(name)
    defer { _ = close(descriptor) }
    do {
      try SystemCall.write(descriptor, bytes, at: 0, name)
      try SystemCall.sync(descriptor, name)
    } catch {
      // Else every attempt on a full disk would leave another incomplete copy.
      SystemCall.unlink(name)
      throw error
    }
  }

  private func holds(_ name: String, _ bytes: Span<UInt8>) throws(VaultError) -> Bool {
    let descriptor = try SystemCall.open(name, O_RDONLY)
    defer { _ = close(descriptor) }
    let found = try [UInt8](capacity: bytes.count + 1) { (output) throws(VaultError) in
      try SystemCall.read(descriptor, at: 0, into: &output, name)
    }
    guard found.count == bytes.count else { return false }
    for index in bytes.indices where bytes[index] != found[index] { return false }
    return true
  }

  package func lock(_ mode: LockMode, wait: Duration) throws(VaultError) -> (any StorageLock)? {
    try FileLock.take("\(path).lock", of: path, mode, wait: wait, lockFiles)
  }
}

/// An open file, closed when nobody holds it any more.
final class OpenFile: StorageFile {
  let descriptor: Int32
  let path: String
  let identity: FileIdentity
  private let mode: mode_t

  /// Takes over a descriptor, which is closed even when this fails.
  static func adopt(_ descriptor: Int32, _ path: String) throws(VaultError) -> OpenFile {
    do {
      return OpenFile(descriptor: descriptor, path: path, status: try SystemCall.status(of: descriptor, path))
    } catch {
      _ = close(descriptor)
      throw error
    }
  }

  private init(descriptor: Int32, path: String, status: stat) {
    self.descriptor = descriptor
    self.path = path
    identity = FileIdentity(status)
    mode = status.st_mode
  }

  deinit { _ = close(descriptor) }

  /// Refuses what is not a regular file, or may be read or written by others than its owner.
  func checkIsPrivate() throws(VaultError) {
    guard mode & S_IFMT == S_IFREG else {
      throw VaultError(.notAVaultFile, "\(path) is not a regular file: a vault is")
    }
    guard mode & 0o077 == 0 else {
      throw VaultError(
        .unsafePermissions, "\(path) can be opened by others than its owner (mode \(String(mode & 0o777, radix: 8)))",
        remedy: "chmod 600 '\(path)'")
    }
  }

  func length() throws(VaultError) -> UInt64 { try SystemCall.length(of: descriptor, path) }

  func stamp() throws(VaultError) -> FileStamp? {
    let status = try SystemCall.status(of: descriptor, path)
    let change = status.st_ctim.nanoseconds
    let now = SystemCall.fileTime()
    guard status.st_nlink > 0, now - change > Self.doubt else { return nil }
    return FileStamp(change: change, length: UInt64(status.st_size), period: now / 100_000_000)
  }

  /// For how long after a change another one may get the same time: some kernel ticks, in nanoseconds.
  private static let doubt: Int64 = 20_000_000

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    try SystemCall.read(descriptor, at: offset, into: &output, path)
  }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) {
    try SystemCall.write(descriptor, bytes, at: offset, path)
  }

  func resize(to length: UInt64) throws(VaultError) { try SystemCall.resize(descriptor, to: length, path) }

  func sync() throws(VaultError) { try SystemCall.sync(descriptor, path) }
}

extension timespec {
  /// Nanoseconds since 1970.
  var nanoseconds: Int64 { Int64(tv_sec) * 1_000_000_000 + Int64(tv_nsec) }
}

extension FileIdentity {
  init(_ status: stat) { self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) }
}
