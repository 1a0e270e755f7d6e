/// A set of lengths in bytes: one bit for each up to the longest.
struct LengthSet: Sendable {
  private var words: [UInt64] = []
  /// The smallest; `nil` when there is none.
  private(set) var shortest: Int?

  /// Whether there is none.
  var isEmpty: Bool { shortest == nil }

  mutating func insert(_ length: Int) {
    let word = length >> 6
    if word >= words.count { words += repeatElement(0, count: word + 1 - words.count) }
    words[word] |= 1 << UInt64(length & 63)
    shortest = min(shortest ?? length, length)
  }

  @inline(__always)
  func contains(_ length: Int) -> Bool {
    let word = length >> 6
    return word < words.count && words[word] >> UInt64(length & 63) & 1 == 1
  }
}
