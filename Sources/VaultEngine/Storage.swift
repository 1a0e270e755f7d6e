/// Where a vault lives: one path of a file system, or a simulated disk in tests.
///
/// Everything that the engine does to a disk goes through these two protocols, so that tests can fail any call and replay
/// any crash.
package protocol Storage: Sendable {
  /// For error messages.
  var path: String { get }

  /// Opens what is at the path.
  ///
  /// - Throws: `no-vault`, `not-a-vault-file`, `unsafe-permissions`, `read-only`, `io`.
  func open(writable: Bool) throws(VaultError) -> any StorageFile

  /// What the path names now; `nil` when there is nothing.
  func identity() throws(VaultError) -> FileIdentity?

  /// Makes an empty file beside the vault that only its owner may read.
  ///
  /// - Throws: `cannot-create`, `disk-full`, `io`.
  func createTemporary() throws(VaultError) -> any StorageFile

  /// Gives a temporary file the vault's name and syncs the directory.
  ///
  /// - Throws: `conflict` when there is a file of that name; `io`.
  func publish(_ temporary: any StorageFile) throws(VaultError)

  /// Gives a temporary file the vault's name in the place of the file that has it, and syncs the directory. Whoever has that
  /// file open keeps it.
  ///
  /// - Throws: `io`: then the one or the other has the name, and which is not known to be durable.
  func replace(with temporary: any StorageFile) throws(VaultError)

  /// Makes the name by which the vault is found durable.
  ///
  /// - Throws: `io`.
  func syncName() throws(VaultError)

  /// Removes a temporary file. That it can't be removed is not an error.
  func discard(_ temporary: any StorageFile)

  /// Removes temporary files that a crash left and nobody holds.
  ///
  /// - Returns: whether somebody holds one: a new generation is being made.
  @discardableResult
  func sweep() -> Bool

  /// Keeps a torn tail beside the vault before it is cut off, and syncs it.
  ///
  /// - Parameter sequence: that of the first frame in it, `<vault>.torn-<sequence>` being the name of the copy.
  func keepTorn(_ bytes: Span<UInt8>, from sequence: UInt64) throws(VaultError)

  /// Takes the lock that all writers take.
  ///
  /// - Parameters:
  ///   - mode: exclusive to write, shared to look at a tail that nobody is writing.
  ///   - wait: how long to wait for it; zero to try once.
  /// - Returns: the lock, which is held as long as the object lives; `nil` for a shared lock where there is no lock file,
  ///   and so no writer. It is not made for a reader.
  /// - Throws: `locked` when the time is over; `io`.
  func lock(_ mode: LockMode, wait: Duration) throws(VaultError) -> (any StorageLock)?
}

/// One open file. Offsets and lengths are in bytes.
package protocol StorageFile: AnyObject, Sendable {
  var identity: FileIdentity { get }

  func length() throws(VaultError) -> UInt64

  /// Equal to an earlier stamp only if the file was neither written nor cut, renamed or removed between the two.
  ///
  /// - Returns: `nil` when that can't be said: the file was changed a moment ago, or has no name any more.
  func stamp() throws(VaultError) -> FileStamp?

  /// Reads from `offset` until `output` is full or the file ends; a file that ends early is not an error here.
  func read(at offset: UInt64, into output: inout OutputSpan<UInt8>) throws(VaultError)

  /// Writes all of `bytes`.
  ///
  /// - Throws: `disk-full` when there is no room, a quota is reached or a file may not grow; `io`.
  func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(VaultError)

  /// Cuts or extends the file.
  func resize(to length: UInt64) throws(VaultError)

  /// Brings written data and the length to the disk. Must not be repeated after it failed: the system then takes pages for
  /// clean that never were written.
  func sync() throws(VaultError)
}

/// What tells one file from another, whatever its name.
package struct FileIdentity: Hashable, Sendable {
  package let device: UInt64
  package let inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// What changes whenever a file does; see ``StorageFile/stamp()``.
package struct FileStamp: Equatable, Sendable {
  /// The time of the last change, in nanoseconds, or another number that no later change repeats.
  package let change: Int64
  package let length: UInt64
  /// The time, in units of a tenth of a second: a stamp is not trusted longer. A directory above the vault may be replaced,
  /// which leaves no trace on the file.
  package let period: Int64

  package init(change: Int64, length: UInt64, period: Int64) {
    self.change = change
    self.length = length
    self.period = period
  }
}

/// How a lock excludes others.
package enum LockMode: Sendable {
  /// With other shared locks.
  case shared
  /// Alone.
  case exclusive
}

/// A lock that is held as long as this object lives. It has room for a note to the next who takes it.
package protocol StorageLock: AnyObject, Sendable {
  /// The file that was found at the vault's path when the lock was taken, and that no writer replaces while it is held; `nil`
  /// where that was not asked.
  var vault: FileIdentity? { get }

  /// What was noted last, at most `count` bytes; empty when there is none or it can't be read.
  func note(count: Int) -> [UInt8]

  /// Leaves a note. That it can't be written is not an error. It need not outlive a crash.
  func leave(_ note: [UInt8])
}

extension StorageLock {
  package var vault: FileIdentity? { nil }
}

extension StorageFile {
  /// Reads exactly `count` bytes, or as many as there are.
  func read(at offset: UInt64, count: Int) throws(VaultError) -> [UInt8] {
    try [UInt8](capacity: count) { (output) throws(VaultError) in try read(at: offset, into: &output) }
  }
}
