/// Exactly `count` bytes, stored inline: a digest, an id, a salt, an authentication tag. Not for keys.
///
/// Everything that costs anything is inlinable: without that, other modules would go through the generic code for every size.
@frozen
public struct FixedBytes<let count: Int>: Sendable {
  @usableFromInline
  var storage: InlineArray<count, UInt8>

  /// `count` bytes of zero.
  @inlinable
  public init() { storage = InlineArray(repeating: 0) }

  /// A copy of `bytes`, whose length must be `count`: anything else is a mistake of the programmer.
  @inlinable
  public init(_ bytes: Span<UInt8>) {
    precondition(bytes.count == count)
    storage = InlineArray(repeating: 0)
    var target = storage.mutableSpan
    unsafe target.withUnsafeMutableBytes { (target) in
      unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    }
  }

  /// Bytes that `body` fills in: all of them.
  init<Failure: Error>(filledBy body: (inout OutputSpan<UInt8>) throws(Failure) -> Void) throws(Failure) {
    storage = try InlineArray(initializingWith: body)
  }

  /// The bytes in place.
  @inlinable
  public var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { storage.span }
  }

  /// The bytes in place, to be changed.
  package var mutableSpan: MutableSpan<UInt8> {
    @_lifetime(&self)
    mutating get { storage.mutableSpan }
  }

  /// Lower-case hexadecimal, two digits a byte.
  public var hex: String { span.hex }
}

extension FixedBytes: Hashable {
  /// Not in constant time: see ``constantTimeEqual(_:_:)``.
  @inlinable
  public static func == (left: Self, right: Self) -> Bool {
    unsafe left.storage.span.withUnsafeBytes { (left) in
      unsafe right.storage.span.withUnsafeBytes { (right) in
        var index = 0
        while index + 8 <= count {
          let (word, other) = unsafe (
            left.loadUnaligned(fromByteOffset: index, as: UInt64.self),
            right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
          )
          guard word == other else { return false }
          index += 8
        }
        while index < count {
          guard unsafe left[index] == right[index] else { return false }
          index += 1
        }
        return true
      }
    }
  }

  /// Feeds the first 8 bytes to the hasher, or all of fewer: what is used as a key of a dictionary is random from its first
  /// byte on.
  @inlinable
  public func hash(into hasher: inout Hasher) {
    unsafe storage.span.withUnsafeBytes { (bytes) in
      if count >= 8 {
        unsafe hasher.combine(bytes.loadUnaligned(as: UInt64.self))
      } else {
        unsafe hasher.combine(bytes: bytes)
      }
    }
  }
}

extension FixedBytes: CustomStringConvertible {
  /// The same as ``hex``.
  public var description: String { hex }
}

extension Span<UInt8> {
  /// Lower-case hexadecimal, two digits a byte.
  package var hex: String {
    let digits: [UInt8] = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(count * 2)
    for index in indices {
      text.append(digits[Int(self[index] >> 4)])
      text.append(digits[Int(self[index] & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
