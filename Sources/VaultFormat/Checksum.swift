internal import ZlibSpans

/// CRC-32 as zlib computes it (ISO 3309, polynomial 0xEDB88320): it finds accidents, and nothing is believed because of it.
package struct CRC32: Equatable, Sendable {
  /// The checksum of all that was added.
  package private(set) var value: UInt32 = 0

  package init() {}

  package init(of bytes: Span<UInt8>) { add(bytes) }

  package mutating func add(_ bytes: Span<UInt8>) { value = ZlibSpans.crc32(value, bytes) }
}
