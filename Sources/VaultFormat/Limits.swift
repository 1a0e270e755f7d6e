/// The bounds of the format (FORMAT.md, "Limits"). Every length in a file is checked against its bound, and against what
/// remains, before anything is allocated.
package enum Limits {
  /// Bytes of a record's name, at least 1.
  package static let name = 1024
  /// Bytes of a record's value, unless the owner allows more.
  package static let defaultValue = 1 << 20
  /// Bytes of a record's value, whatever the owner allows.
  package static let hardValue = 1 << 24
  /// Bytes of a frame.
  package static let frame = 1 << 26
  /// Frames of a batch.
  package static let batchFrames = 65_536
  /// Bytes of a batch.
  package static let batchBytes = 1 << 28
  /// Frames of a checkpoint.
  package static let checkpointFrames = 128
  /// Bytes of a checkpoint.
  package static let checkpointBytes = 1 << 20
  /// Key slots of a vault.
  package static let slots = 32
  /// Slots of the passphrase kind.
  package static let passphraseSlots = 8
  /// Sum of N * p over all passphrase slots.
  package static let totalScryptCost: UInt64 = 1 << 22
  /// Data keys that are alive at once.
  package static let liveTerms = 64
  /// Earlier generations that an anchor lists.
  package static let history = 64
  /// Runs that an index root names.
  package static let runs = 64
  /// Offsets stay below this.
  package static let fileLength: UInt64 = 1 << 48
  /// Sequences, versions and generations stay below this.
  package static let counter: UInt64 = 1 << 63
  /// Bytes of zero behind the last frame.
  package static let zeroTail: UInt64 = 257 << 20

  /// Whether a frame can stand at `offset`: behind the file header, at a multiple of 16, within the longest file.
  static func isFrameOffset(_ offset: UInt64) -> Bool {
    offset % 16 == 0 && offset >= UInt64(FileHeader.length) && offset < fileLength
  }
}
