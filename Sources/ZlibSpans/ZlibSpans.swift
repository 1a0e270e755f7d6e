internal import CChecksum
internal import CZlib

/// zlib's services over spans. `VaultFormat` alone uses them; they are a module of their own so that it has nothing unsafe.
package enum ZlibSpans {
  /// CRC-32 (ISO 3309, polynomial 0xEDB88320) of `bytes`, continuing from `crc`, 0 to begin.
  package static func crc32(_ crc: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { (bytes) in
      // Given no address, which an empty span may have, zlib begins anew instead of going on.
      guard let start = bytes.baseAddress else { return crc }
      var folded = crc
      let taken = unsafe tv_crc32_fold(&folded, start, bytes.count)
      return taken == bytes.count ? folded : unsafe tv_crc32(folded, start + taken, bytes.count - taken)
    }
  }

  /// Raw DEFLATE (RFC 1951) of `input`.
  ///
  /// - Returns: bytes written to `output`; `nil` when they do not fit.
  package static func deflate(_ input: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
    let written = unsafe input.withUnsafeBufferPointer { (input) in
      unsafe output.withUnsafeMutableBufferPointer { (output) in
        unsafe tv_deflate(input.baseAddress, input.count, output.baseAddress, output.count)
      }
    }
    return written < 0 ? nil : Int(written)
  }

  /// The reverse.
  ///
  /// - Returns: bytes written to `output`.
  package static func inflate(_ input: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Inflated {
    // An empty span may have no address; no stream is empty.
    guard input.count > 0 else { return .damaged }
    let written = unsafe input.withUnsafeBufferPointer { (input) in
      unsafe output.withUnsafeMutableBufferPointer { (output) in
        unsafe tv_inflate(input.baseAddress, input.count, output.baseAddress, output.count)
      }
    }
    return switch written {
    case -2: .tooLong
    case ..<0: .damaged
    default: .whole(Int(written))
    }
  }

  /// What became of a stream.
  package enum Inflated {
    /// Exactly one stream, and this many bytes came out.
    case whole(Int)
    /// More bytes would come out than fit.
    case tooLong
    /// Not exactly one stream.
    case damaged
  }
}
