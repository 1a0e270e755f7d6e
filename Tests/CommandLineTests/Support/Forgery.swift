import VaultCrypto
import VaultFormat

/// Vault files that no program writes, whole in every checksum and link, so that what is wrong with them is found for itself.
enum Forgery {
  /// The file with `change` made to its header, and the header's checksum made to fit.
  static func header(_ file: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var file = file
    change(&file)
    let covered = Array(file[..<124])
    file.replaceSubrange(124..<128, with: bigEndian(CRC32(of: covered.span).value))
    return file
  }

  /// The file with `change` made to the clear part of its first slot, and all that covers it made to fit.
  static func slot(_ file: [UInt8], _ change: (inout ArraySlice<UInt8>) -> Void) throws -> [UInt8] {
    var file = file
    change(&file[128 + FrameHeader.length..<128 + FrameHeader.length + KeySlot.clearLength])
    let header = Array(file[..<FileHeader.length])
    let generation = try Generation(header: FileHeader(parsing: header.span))
    var hasher = try LinkHasher()
    var link = generation.zeroLink
    var offset = FileHeader.length
    while offset < file.count {
      let length = length(of: file, at: offset)
      file.replaceSubrange(offset + 40..<offset + 72, with: array(link.span))
      var checksum = CRC32(of: generation.zeroLink.span)
      let covered = Array(file[offset..<offset + 84])
      checksum.add(covered.span)
      file.replaceSubrange(offset + 84..<offset + 88, with: bigEndian(checksum.value))
      let body = Array(file[offset..<offset + length - FrameTrailer.length])
      let end = offset + length - FrameTrailer.length
      file.replaceSubrange(end + 8..<end + 12, with: bigEndian(CRC32(of: body.span).value))
      let frame = Array(file[offset..<offset + length])
      link = try hasher.link(of: frame.span)
      offset += length
    }
    return file
  }

  private static func length(of file: [UInt8], at offset: Int) -> Int {
    let lengths = [32, 36].map { (place) in
      file[offset + place..<offset + place + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    return Frame.overhead + lengths[0] + lengths[1]
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func array(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }
}
