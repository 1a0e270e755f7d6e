internal import VaultCrypto
internal import VaultFormat

/// What a writer leaves in the lock file after a sync: the end of the vault that is on the disk. The next writer, who finds
/// exactly that end, need not write the last batch again before it appends (spec/DESIGN.md, "The note in the lock file").
///
/// It is never wrong, and believed only where every byte of it equals what its reader would write: the head is a hash over
/// all of the file up to that end.
enum SyncNote {
  private static let magic: [UInt8] = Array("TVsynced".utf8)
  /// Bytes of a note.
  static let length = 64

  /// The note that says that everything in `view` is on the disk.
  static func saying(_ view: View) -> [UInt8] {
    let identity = view.file.identity
    return [UInt8](capacity: length) { (output) in
      output.append(contentsOf: magic.span)
      for number in [identity.device, identity.inode, view.chain.offset] {
        for shift in stride(from: 56, through: 0, by: -8) { output.append(UInt8(truncatingIfNeeded: number >> shift)) }
      }
      output.append(contentsOf: view.chain.link.span)
    }
  }

  /// Whether somebody may believe these bytes.
  static func isNote(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  /// What takes the place of a note when a sync has failed, and while something is cut off.
  static let none = [UInt8](repeating: 0, count: length)
}
