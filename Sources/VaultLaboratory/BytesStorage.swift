import VaultCrypto
package import VaultEngine

/// A vault in an array, that nobody writes to and nobody can: for laboratories that open hundreds of thousands of files.
package struct BytesStorage: Storage {
  package let path = "vault"
  private let file: BytesFile

  package init(_ bytes: [UInt8]) { file = BytesFile(bytes) }

  package func open(writable: Bool) throws(VaultError) -> any StorageFile {
    if writable { throw BytesFile.refusal }
    return file
  }

  package func identity() throws(VaultError) -> FileIdentity? { file.identity }
  package func createTemporary() throws(VaultError) -> any StorageFile { throw BytesFile.refusal }
  package func publish(_ temporary: any StorageFile) throws(VaultError) { throw BytesFile.refusal }
  package func replace(with temporary: any StorageFile) throws(VaultError) { throw BytesFile.refusal }
  package func syncName() throws(VaultError) { throw BytesFile.refusal }
  package func discard(_ temporary: any StorageFile) {}
  package func sweep() -> Bool { false }
  package func keepTorn(_ bytes: Span<UInt8>, from sequence: UInt64) throws(VaultError) { throw BytesFile.refusal }

  /// There is no lock file, and so no writer.
  package func lock(_ mode: LockMode, wait: Duration) throws(VaultError) -> (any StorageLock)? {
    if mode == .exclusive { throw BytesFile.refusal }
    return nil
  }
}

/// The open file of a ``BytesStorage``.
package final class BytesFile: StorageFile {
  /// What comes of writing: a reader that tries it is found out.
  fileprivate static let refusal = VaultError(.io, "somebody tried to write to a file that is only read")

  package let identity = FileIdentity(device: 1, inode: 1)
  private let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package func length() throws(VaultError) -> UInt64 { UInt64(bytes.count) }

  package func stamp() throws(VaultError) -> FileStamp? {
    FileStamp(change: 1, length: UInt64(bytes.count), period: 0)
  }

  package func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError) {
    let bytes = bytes
    guard offset < UInt64(bytes.count) else { return }
    let start = Int(offset)
    let end = start + min(output.freeCapacity, bytes.count - start)
    output.append(contentsOf: bytes.span.extracting(start..<end))
  }

  package func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError) { throw Self.refusal }
  package func resize(to length: UInt64) throws(VaultError) { throw Self.refusal }
  package func sync() throws(VaultError) { throw Self.refusal }
}
