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
    total = UInt32(bytes.bigEndian(at: 0, count: 4))
    distance = UInt32(bytes.bigEndian(at: 4, count: 4))
    checksum = UInt32(bytes.bigEndian(at: 8, count: 4))
    let complement = UInt32(bytes.bigEndian(at: 12, count: 4))
    guard complement == ~total, total % 16 == 0, distance % 16 == 0,
      Int(total) >= Frame.overhead, Int(total) <= Limits.frame,
      distance >= total, Int(distance) <= Limits.batchBytes
    else { return nil }
  }

  func serialize(into output: inout OutputSpan<UInt8>) {
    output.append(bigEndian: total)
    output.append(bigEndian: distance)
    output.append(bigEndian: checksum)
    output.append(bigEndian: ~total)
  }
}
