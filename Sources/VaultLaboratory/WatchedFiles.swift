import VaultEngine

/// A file that tells when it is written and synced.
final class WatchedFile: StorageFile {
  private let file: any StorageFile
  private let beforeWrite: @Sendable () -> Void
  private let beforeSync: @Sendable () -> Void

  init(
    _ file: any StorageFile, beforeWrite: @escaping @Sendable () -> Void, beforeSync: @escaping @Sendable () -> Void
  ) {
    (self.file, self.beforeWrite, self.beforeSync) = (file, beforeWrite, beforeSync)
  }

  var identity: FileIdentity { file.identity }
  func length() throws(VaultError) -> UInt64 { try file.length() }
  func stamp() throws(VaultError) -> FileStamp? { try file.stamp() }
  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    try file.read(at: offset, into: &output)
  }
  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) {
    beforeWrite()
    try file.write(bytes, at: offset)
  }
  func resize(to length: UInt64) throws(VaultError) { try file.resize(to: length) }
  func sync() throws(VaultError) {
    beforeSync()
    try file.sync()
  }
}

/// A file that is never synced, and says that it is.
final class UnsyncedFile: StorageFile {
  private let file: any StorageFile

  init(_ file: any StorageFile) { self.file = file }

  var identity: FileIdentity { file.identity }
  func length() throws(VaultError) -> UInt64 { try file.length() }
  func stamp() throws(VaultError) -> FileStamp? { try file.stamp() }
  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    try file.read(at: offset, into: &output)
  }
  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { try file.write(bytes, at: offset) }
  func resize(to length: UInt64) throws(VaultError) { try file.resize(to: length) }
  func sync() throws(VaultError) {}
}
