internal import VaultCrypto

/// The last 16 bytes of a frame (FORMAT.md, "Frame").
///
/// Its last byte is the complement of the low byte of a multiple of 16 and so never zero: the end of the last frame is found
/// behind space allocated ahead.
package struct FrameTrailer: Equatable, Sendable {
  /// Size in bytes.
  package static let length = 16

  /// Bytes of the whole frame.
  package let total: UInt32
  /// Bytes from the start of the batch to the end of this frame.
  package let distance: UInt32
  /// CRC-32 of all bytes of the frame before the trailer.
  package let checksum: UInt32

  package init(total: Int, distance: Int, checksum: UInt32) {
    self.total = UInt32(total)
    self.distance = UInt32(distance)
    self.checksum = checksum
  }

  /// Reads a *valid trailer*: the complement fits and both lengths are possible. Its checksum is not asked.
  ///
  /// - Parameter bytes: at least 16; what follows them is not looked at.
  package init?(parsing bytes: Span<UInt8>) {
    guard bytes.count >= Self.length else { return nil }
    total = bytes.bigEndian(at: 0)
    distance = bytes.bigEndian(at: 4)
    checksum = bytes.bigEndian(at: 8)
    let complement: UInt32 = bytes.bigEndian(at: 12)
    guard complement == ~total, total % 16 == 0, distance % 16 == 0,
      Int(total) >= Frame.overhead, Int(total) <= Limits.frame,
      distance >= total, Int(distance) <= Limits.batchBytes
    else { return nil }
  }

  /// Puts the 16 bytes in the place of those at `offset`.
  func write(to bytes: inout MutableSpan<UInt8>, at offset: Int) {
    bytes.replace(at: offset, bigEndian: total)
    bytes.replace(at: offset + 4, bigEndian: distance)
    bytes.replace(at: offset + 8, bigEndian: checksum)
    bytes.replace(at: offset + 12, bigEndian: ~total)
  }
}
