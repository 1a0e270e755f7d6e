/// Which line each name stood in first. Of a name only a hash of 128 bits is kept, some 50 bytes in all.
struct SeenNames {
  private struct Hash: Hashable {
    let first, second: Int
  }

  private var lines: [Hash: Int] = [:]

  /// The line that the name stood in before; `nil` if it is new.
  mutating func note(_ name: [UInt8], _ line: Int) -> Int? {
    let hash = Hash(first: Self.hash(name, 1), second: Self.hash(name, 2))
    if let first = lines[hash] { return first }
    lines[hash] = line
    return nil
  }

  private static func hash(_ name: [UInt8], _ seed: UInt8) -> Int {
    var hasher = Hasher()
    hasher.combine(seed)
    hasher.combine(name)
    return hasher.finalize()
  }
}
