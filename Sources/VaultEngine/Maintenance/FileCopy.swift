/// Copying the bytes of a file.
enum FileCopy {
  /// Bytes that are read at once.
  private static let piece: UInt64 = 1 << 20

  /// Copies ranges of `source` into an empty file, one behind the other, and syncs it.
  ///
  /// - Throws: `disk-full`, `io`, also when `source` has become shorter.
  static func copy(
    _ ranges: [Range<UInt64>], of source: any StorageFile, to target: any StorageFile
  ) throws(VaultError) {
    var place: UInt64 = 0
    for range in ranges {
      var offset = range.lowerBound
      while offset < range.upperBound {
        let bytes = try source.read(at: offset, count: Int(min(piece, range.upperBound - offset)))
        guard !bytes.isEmpty else { throw VaultError(.io, "the vault became shorter while it was copied") }
        try target.write(bytes.span, at: place)
        offset += UInt64(bytes.count)
        place += UInt64(bytes.count)
      }
    }
    try target.sync()
  }
}
