/// How a vault is built: see ``Vault/inspect(at:credential:)``.
public struct Inspection: Sendable {
  /// One key slot.
  public struct Slot: Sendable {
    /// Number, unique in the vault.
    public let number: UInt32
    /// `key` or `passphrase`.
    public let kind: String
    /// What a guess costs: `HKDF-SHA-256`, or scrypt with its parameters.
    public let cost: String
    /// Microseconds since 1970.
    public let created: Int64
  }

  /// All frames of one type.
  public struct Kind: Sendable {
    /// What the frames are: `record`, `key slot`, ...
    public let name: String
    /// How many there are.
    public let frames: UInt64
    /// Their bytes together.
    public let bytes: UInt64
    /// Those that still count: a compaction would carry them over, or make them anew. `nil` where only a key tells.
    public let live: (frames: UInt64, bytes: UInt64)?
  }

  /// All frames that one data key seals.
  public struct Term: Sendable {
    /// From 1.
    public let number: UInt32
    /// Records, pages and roots.
    public let frames: UInt64
    /// When the data key was made, in microseconds since 1970; `nil` without a key.
    public let created: Int64?
  }

  /// The index in the file.
  public struct Index: Sendable {
    /// Sorted entries, newest run first.
    public struct Run: Sendable {
      /// 0 for a new one; merging makes one of the next level.
      public let level: Int
      /// Pages of 4096 bytes.
      public let pages: UInt64
      /// Names that it tells of, deleted ones among them.
      public let entries: UInt64
      /// Pieces in which its pages stand side by side.
      public let segments: Int
      /// The frames that it covers, by sequence.
      public let sequences: ClosedRange<UInt64>
    }

    /// Offset of the newest root's frame.
    public let rootOffset: UInt64
    /// Sequence of that frame.
    public let rootSequence: UInt64
    /// `nil` without a key.
    public let runs: [Run]?
  }

  /// Hexadecimal; the same in all generations.
  public let vaultID: String
  /// Hexadecimal; fresh in each generation.
  public let fileID: String
  /// From 1.
  public let generation: UInt64
  /// Version of the format.
  public let majorVersion: Int
  /// Informs.
  public let minorVersion: Int
  /// The file uses a feature that only a newer program knows: it is read here, and not written.
  public let isReadOnly: Bool
  /// Records' plaintexts are multiples of this many bytes.
  public let padding: Int
  /// Whether values may be deflated.
  public let allowsDeflate: Bool
  /// Bytes of the file.
  public let fileLength: UInt64
  /// Bytes up to the end of the last whole batch.
  public let committedLength: UInt64
  /// Bytes of an append that was interrupted; 0 where the end is damaged.
  public let tornBytes: UInt64
  /// Whole batches.
  public let batches: UInt64
  /// The newest link, in hexadecimal.
  public let head: String
  /// The sequence of its frame.
  public let sequence: UInt64
  /// The slots that count. Empty when they are damaged.
  public let slots: [Slot]
  /// Frames by type, in the order of the types' numbers; those of an interrupted append too.
  public let kinds: [Kind]
  /// Data keys by their frames, ascending.
  public let terms: [Term]
  /// `nil` when the file has none: opening then reads all records.
  public let index: Index?
  /// Records behind the newest root, or all if there is none.
  public let recordsSinceRoot: UInt64
  /// What only a key tells; `nil` without one, and in a damaged vault.
  public let content: InspectedContent?
  /// What is wrong; `nil` when nothing is.
  public let damage: VaultError?
}

/// What can be said of a vault by who has a key.
public struct InspectedContent: Sendable {
  /// One generation of the vault.
  public struct Generation: Sendable {
    /// From 1.
    public let number: UInt64
    /// What made it: `init`, `compact`, `rotate`, `rekey`, `restore` or `salvage`.
    public let madeBy: String
    /// When, in microseconds since 1970.
    public let created: Int64
    /// The sequence of its last frame, as the one behind it remembers it.
    public let lastSequence: UInt64
    /// The last version in it.
    public let lastVersion: UInt64
  }

  /// Name and version of the program that made the file.
  public let writer: String
  /// This file, then those before it, newest first.
  public let generations: [Generation]
  /// Names that are there.
  public let names: UInt64
  /// Puts, those that were superseded or deleted since among them.
  public let puts: UInt64
  /// Deletions.
  public let deletions: UInt64
  /// Events.
  public let events: UInt64
  /// The times of the oldest and the newest record in the file, in microseconds since 1970, by the clocks of those who wrote
  /// them; `nil` without a record.
  public let times: ClosedRange<Int64>?
  /// Pages of the index that can't be read; everything is served all the same.
  public let badPages: Int
}
