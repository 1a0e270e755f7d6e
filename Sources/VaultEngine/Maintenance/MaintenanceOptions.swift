package import VaultFormat

/// How a new generation is made, whatever it is made for.
public struct MaintenanceOptions: Sendable {
  /// How long to wait for other writers, each time that the lock is needed, before it fails with `locked`.
  public var lockTimeout: Duration = .seconds(10)
  /// Overwrites the old file when the new one has its place. Snapshots of it can't be read any more then. On a disk or a file
  /// system that writes to another place than it read from (SSDs, copy-on-write), and in backups, the old bytes stay.
  public var shreds = false
  /// Leaves out records that are damaged, and says which. Only live records and events are taken over then: what is damaged
  /// may be the deletion of a name, or a newer version, without which older ones would come back to life.
  public var skipsDamaged = false
  /// Makes of what was taken over and left out the name and the value of an event that tells of it. It is the last record of the
  /// new file, so that neither is there without the other. Called under the lock; sizes and times are not known then.
  public var event: (@Sendable (MaintenanceReport) -> (name: [UInt8], value: [UInt8]))?
  /// What a new passphrase costs.
  package var passphraseCost = KeySlot.Kind.defaultScrypt
  /// Runs while copying goes on without the lock; for tests, which write to the vault meanwhile.
  package var meanwhile: (@Sendable () -> Void)?

  /// Waits ten seconds; damage is refused; the old file is left to the file system.
  public init() {}
}

/// What a compaction keeps.
public struct Retention: Sendable {
  /// Newest values of every name that is there; 1 is the value that counts.
  public var versions = 1
  /// Events that are older, in microseconds since 1970, are dropped.
  public var eventsSince = Int64.min
  /// Says of a value that its time is over: then the name is dropped. Called on several threads.
  public var isOver: (@Sendable (Span<UInt8>) -> Bool)?

  /// The newest value of every name, and all events.
  public init() {}
}

/// How far the making of a new generation has come.
public struct MaintenanceProgress: Sendable {
  /// Frames of the old file that were taken over, or need not be, and checked.
  public let done: UInt64
  /// Frames of the old file, as far as it is known to go.
  public let total: UInt64
}

/// What a new generation was made of, and what was left out; or, of a compaction that was only tried, would be.
public struct MaintenanceReport: Sendable {
  /// Of the new file.
  public internal(set) var generation: UInt64 = 0
  /// Names that are there.
  public internal(set) var names = 0
  /// Records that were taken over.
  public internal(set) var kept = 0
  /// Puts and deletions that no longer count, and were left out.
  public internal(set) var superseded = 0
  /// Events that were left out.
  public internal(set) var events = 0
  /// Names that were left out because their time is over.
  public internal(set) var over = 0
  /// Bytes of the old file.
  public internal(set) var bytesBefore: UInt64 = 0
  /// Bytes of the new file; of one that was not made, a close estimate.
  public internal(set) var bytesAfter: UInt64 = 0
  /// Damaged frames that were left out.
  public internal(set) var damaged: [VaultError] = []
  /// Key slots that open the vault no more, by number.
  public internal(set) var droppedSlots: [UInt32] = []
  /// How long the lock was held at the end, while other writers waited.
  public internal(set) var lockedFor: Duration = .zero
}
