internal import Glibc

// What the standard library does not offer for spans yet, and a loop over single bytes does ten times slower. It stands here,
// below everything that handles bytes, so that the codec has nothing unsafe.

extension OutputSpan<UInt8> {
  /// Appends a copy of `bytes`, for which there must be room.
  @inlinable
  @inline(__always)
  package mutating func append(contentsOf bytes: Span<UInt8>) {
    precondition(freeCapacity >= bytes.count)
    unsafe withUnsafeMutableBufferPointer { (buffer, count) in
      unsafe bytes.withUnsafeBufferPointer { (bytes) in
        guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
        unsafe (target + count).initialize(from: source, count: bytes.count)
        count += bytes.count
      }
    }
  }

  /// Appends a number in big-endian order, for which there must be room.
  @inlinable
  @inline(__always)
  package mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
    let count = MemoryLayout<Number>.size
    precondition(freeCapacity >= count)
    unsafe withUnsafeMutableBufferPointer { (buffer, filled) in
      unsafe UnsafeMutableRawBufferPointer(buffer).storeBytes(
        of: number.bigEndian, toByteOffset: filled, as: Number.self)
      filled += count
    }
  }
}

extension MutableSpan<UInt8> {
  /// Puts a copy of `bytes` in the place of what stands at `offset`, where there must be room for it.
  @inlinable
  @inline(__always)
  package mutating func replace(at offset: Int, with bytes: Span<UInt8>) {
    precondition(offset >= 0 && offset <= count && bytes.count <= count - offset)
    unsafe withUnsafeMutableBufferPointer { (buffer) in
      unsafe bytes.withUnsafeBufferPointer { (bytes) in
        guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
        unsafe (target + offset).update(from: source, count: bytes.count)
      }
    }
  }

  /// Puts a number in big-endian order in the place of the bytes at `offset`, which are there.
  @inlinable
  @inline(__always)
  package mutating func replace<Number: FixedWidthInteger>(at offset: Int, bigEndian number: Number) {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Number>.size)
    unsafe withUnsafeMutableBufferPointer { (buffer) in
      unsafe UnsafeMutableRawBufferPointer(buffer).storeBytes(
        of: number.bigEndian, toByteOffset: offset, as: Number.self)
    }
  }
}

extension Span<UInt8> {
  /// The number whose bytes stand from `offset` on in big-endian order, where there must be enough of them.
  @inlinable
  @inline(__always)
  package func bigEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type = Number.self) -> Number {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Number>.size)
    return unsafe withUnsafeBufferPointer { (bytes) in
      unsafe Number(bigEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
  }

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
