internal import Glibc

// What the standard library does not offer for spans yet, and a loop over single bytes does ten times slower. It stands here,
// below everything that handles bytes, so that the codec has nothing unsafe.

extension OutputSpan<UInt8> {
  /// Appends a copy of `bytes`, for which there must be room.
  package mutating func append(contentsOf bytes: Span<UInt8>) {
    precondition(freeCapacity >= bytes.count)
    unsafe withUnsafeMutableBufferPointer { (buffer, count) in
      unsafe bytes.withUnsafeBufferPointer { (bytes) in
        guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
        unsafe memcpy(target + count, source, bytes.count)
        count += bytes.count
      }
    }
  }
}

extension Span<UInt8> {
  /// Whether both hold the same bytes. Not for secrets: see ``constantTimeEqual(_:_:)``.
  package func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBufferPointer { (left) in
      unsafe other.withUnsafeBufferPointer { (right) in
        guard let left = left.baseAddress, let right = right.baseAddress else { return true }
        return unsafe memcmp(left, right, count) == 0
      }
    }
  }
}
