internal import VaultCrypto
internal import VaultEngine

/// A file in memory that nobody writes to.
final class MemoryFile: StorageFile {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var identity: FileIdentity { FileIdentity(device: 1, inode: 1) }

  func length() -> UInt64 { UInt64(bytes.count) }

  func stamp() -> FileStamp? { FileStamp(change: 0, length: length(), period: 0) }

  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) {
    guard offset < length() else { return }
    let end = min(bytes.count, Int(offset) + output.freeCapacity)
    let bytes = bytes
    output.append(contentsOf: bytes.span.extracting(Int(offset)..<end))
  }

  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { throw MemoryStorage.readOnly }
  func resize(to length: UInt64) throws(VaultError) { throw MemoryStorage.readOnly }
  func sync() throws(VaultError) { throw MemoryStorage.readOnly }
}

/// Where such a file is found. Whatever would change it fails: reading must not try.
struct MemoryStorage: Storage {
  static let readOnly = VaultError(.io, "a reader tried to write")

  let file: MemoryFile
  let path = "vault"

  init(_ bytes: [UInt8]) { file = MemoryFile(bytes) }

  func open(writable: Bool) throws(VaultError) -> any StorageFile {
    if writable { throw Self.readOnly }
    return file
  }

  func identity() -> FileIdentity? { file.identity }
  func createTemporary() throws(VaultError) -> any StorageFile { throw Self.readOnly }
  func publish(_ temporary: any StorageFile) throws(VaultError) { throw Self.readOnly }
  func replace(with temporary: any StorageFile) throws(VaultError) { throw Self.readOnly }
  func syncName() throws(VaultError) { throw Self.readOnly }
  func discard(_ temporary: any StorageFile) {}
  func sweep() -> Bool { false }
  func keepTorn(_ bytes: Span<UInt8>, from sequence: UInt64) throws(VaultError) { throw Self.readOnly }

  /// There is no lock file, and so no writer.
  func lock(_ mode: LockMode, wait: Duration) throws(VaultError) -> (any StorageLock)? {
    if mode == .exclusive { throw Self.readOnly }
    return nil
  }
}
