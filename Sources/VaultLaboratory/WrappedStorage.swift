package import VaultEngine

/// A storage whose files are put into others, which may lie or fail.
package struct WrappedStorage: Storage {
  private let sound: any Storage
  private let wrap: @Sendable (_ file: any StorageFile, _ isTemporary: Bool) -> any StorageFile
  /// Runs before a file takes the place of another.
  package var beforeReplacing: (@Sendable () -> Void)?

  package init(
    _ sound: any Storage,
    wrap: @escaping @Sendable (_ file: any StorageFile, _ isTemporary: Bool) -> any StorageFile = { (file, _) in file }
  ) {
    self.sound = sound
    self.wrap = wrap
  }

  package var path: String { sound.path }

  package func open(writable: Bool) throws(VaultError) -> any StorageFile {
    wrap(try sound.open(writable: writable), false)
  }

  package func createTemporary() throws(VaultError) -> any StorageFile { wrap(try sound.createTemporary(), true) }

  package func identity() throws(VaultError) -> FileIdentity? { try sound.identity() }
  package func publish(_ temporary: any StorageFile) throws(VaultError) { try sound.publish(temporary) }

  package func replace(with temporary: any StorageFile) throws(VaultError) {
    beforeReplacing?()
    try sound.replace(with: temporary)
  }

  package func syncName() throws(VaultError) { try sound.syncName() }
  package func discard(_ temporary: any StorageFile) { sound.discard(temporary) }
  package func sweep() -> Bool { sound.sweep() }

  package func keepTorn(_ bytes: Span<UInt8>, from sequence: UInt64) throws(VaultError) {
    try sound.keepTorn(bytes, from: sequence)
  }

  package func lock(_ mode: LockMode, wait: Duration) throws(VaultError) -> (any StorageLock)? {
    try sound.lock(mode, wait: wait)
  }
}
