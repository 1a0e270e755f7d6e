public import VaultFormat

/// What ``Vault/verify(at:credential:pin:head:progress:)`` found.
public struct VerifyReport: Sendable {
  /// One thing that is not as it was written.
  public struct Finding: Sendable {
    /// What kind of damage.
    public let code: VaultError.Code
    /// Byte offset in the file, where it is known.
    public let offset: UInt64?
    /// Sequence of the frame, where it is known.
    public let sequence: UInt64?
    /// One sentence for a person.
    public let sentence: String

    init(_ error: VaultError) {
      code = error.code
      offset = error.offset
      sequence = error.sequence
      sentence = error.sentence
    }
  }

  /// What is wrong, in the order of the file. Empty in a whole vault.
  public internal(set) var findings: [Finding] = []
  /// Whether every frame was opened. Without a key, only structure, checksums and links were checked: they show accidents,
  /// and prove nothing against somebody who writes to the file on purpose.
  public internal(set) var usedKey = false
  /// Generation of the file, from 1.
  public internal(set) var generation: UInt64 = 0
  /// Whole frames.
  public internal(set) var frames: UInt64 = 0
  /// Whole batches.
  public internal(set) var batches: UInt64 = 0
  /// Record frames among the whole frames.
  public internal(set) var records: UInt64 = 0
  /// Bytes up to the end of the last whole batch.
  public internal(set) var bytes: UInt64 = 0
  /// Bytes of an append that was interrupted. They were never acknowledged; the next writer keeps them aside.
  public internal(set) var tornBytes: UInt64 = 0
  /// Bytes of zero behind everything: space allocated ahead.
  public internal(set) var zeroBytes: UInt64 = 0
  /// Names that are there; `nil` without a key.
  public internal(set) var liveNames: Int?
  /// The events that are there, each in its place; `nil` without a key.
  public internal(set) var events: EventTally?
  /// Sequence of the last frame of the last whole batch.
  public internal(set) var sequence: UInt64 = 0
  /// The newest link, in hexadecimal: together with the sequence, what a pin remembers.
  public internal(set) var head = ""
  /// What to keep outside the vault to hold it against later; `nil` when not even its header could be read.
  public internal(set) var pin: Pin?
  /// The same on one short line; `nil` when not even its header could be read.
  public var newestHead: Head? { pin.map { Head($0) } }

  /// How long it took.
  public internal(set) var duration: Duration = .zero
  /// Whole frames a second.
  public var framesPerSecond: Double { duration > .zero ? Double(frames) / (duration / .seconds(1)) : 0 }

  /// Whether the file is no older than the pin or head that it was held against. False with a finding `rollback` when it is older, or
  /// has another history; false without one when that can't be told: the pin is of an earlier generation, and there is no
  /// key, or the history does not reach back to it. `nil` without a pin, and for a damaged file.
  public internal(set) var isRollbackExcluded: Bool?

  /// Whether anything is damaged that may hide or change a record. A torn tail is not, and neither is a bad index
  /// (`index-damaged`): the vault serves everything, and compacting it makes the index anew.
  public var isDamaged: Bool { findings.contains { $0.code.isDamage && $0.code != .indexDamaged } }
}

/// How many events there are, and of what times.
public struct EventTally: Equatable, Sendable {
  /// Events.
  public private(set) var count = 0
  /// When the first of them was written, in microseconds since 1970; `nil`, if there is none.
  public private(set) var oldest: Int64?
  /// When the last was written.
  public private(set) var newest: Int64?

  mutating func take(_ time: Int64) {
    count += 1
    oldest = oldest ?? time
    newest = time
  }
}

/// How far ``Vault/verify(at:credential:pin:head:progress:)`` has come.
public struct VerifyProgress: Sendable {
  /// Bytes that were gone over; with a key the file is gone over twice.
  public let bytesDone: UInt64
  /// Bytes to go over in all.
  public let bytesTotal: UInt64
}
