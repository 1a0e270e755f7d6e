internal import VaultCrypto
internal import VaultFormat

extension FuzzTarget {
  /// The file header: what is read is written the same again. Each input is read as it is, and once more with magic number and
  /// checksum made right, because no chance finds those.
  static let header = FuzzTarget("header", longest: 256) { (input) throws(Violation) in
    try read(input)
    guard input.count >= FileHeader.length else { return }
    var bytes = FileHeader.magic + input.extracting(8..<input.count).array
    var target = bytes.mutableSpan
    target.replace(at: 124, bigEndian: CRC32(of: target.span.extracting(first: 124)).value)
    try read(bytes.span)
  }

  private static func read(_ bytes: Span<UInt8>) throws(Violation) {
    guard let header = try? FileHeader(parsing: bytes) else { return }
    try demand(
      header.serialized() == bytes.extracting(first: FileHeader.length).array, "a header is written in another way")
    try demand(
      header.generation > 0 && header.padding.nonzeroBitCount == 1, "a header is read with fields out of range")
  }
}
