internal import VaultCrypto
internal import VaultEngine

/// Secrets, to be found in text: which of them begins at a place, and which may yet.
///
/// They stand sorted as bytes, so all that begin alike stand side by side. Asking costs a look at a table of the first eight bytes
/// of all, which nearly always says no; then a binary search.
final class SecretIndex: Sendable {
  /// Shorter ones are not looked for: they would be found in text that has nothing to do with them.
  static let shortest = 8

  /// What begins at a place.
  struct Answer: Equatable {
    /// The longest secret that stands there; `nil`, if none does.
    var found: Int?
    /// A longer secret that begins with all of the text that is there, so that more of it may come; `nil`, if there is none.
    var begun: Int?
  }

  private let block: SecretBlock
  private let ranges: [Range<Int>]
  private let ids: [TokenID]
  /// Of each secret the longest other one that it begins with.
  private let shorter: [Int?]
  private let table: [Bool]

  /// - Parameters:
  ///   - bytes: all secrets.
  ///   - places: where each stands, and whose it is. Those of two tokens may be alike: the one given first counts.
  init(_ bytes: consuming SecretBytes, _ places: [(range: Range<Int>, id: TokenID)]) {
    let block = SecretBlock(bytes)
    let sorted = block.sorted(places.map(\.range))
    let ranges = sorted.map { places[$0].range }
    self.block = block
    self.ranges = ranges
    ids = sorted.map { places[$0].id }
    shorter = Self.chains(block, ranges)
    table = Self.table(block, ranges)
  }

  /// Number of secrets, each counted once.
  var count: Int { ranges.count }

  /// Whose secret it is.
  func id(of secret: Int) -> TokenID { ids[secret] }

  /// Bytes of a secret.
  func length(of secret: Int) -> Int { ranges[secret].count }

  /// What begins where `text` does.
  func answer(_ text: Span<UInt8>) -> Answer {
    guard !ranges.isEmpty, text.count > 0 else { return Answer() }
    guard text.count < Self.shortest || table[text.slot(among: table.count)] else { return Answer() }
    let next = firstBehind(text)
    var answer = Answer()
    if next < ranges.count {
      let order = block.order(of: ranges[next], to: text)
      if order == .same {
        // What begins with it stands right behind it.
        let isBegun = next + 1 < ranges.count && block.order(of: ranges[next + 1], to: text) == .longer
        return Answer(found: next, begun: isBegun ? next + 1 : nil)
      }
      answer.begun = order == .longer ? next : nil
    }
    // Whatever sorts between a secret and a text that begins with it begins with it as well.
    var candidate: Int? = next > 0 ? next - 1 : nil
    while let secret = candidate, block.order(of: ranges[secret], to: text) != .shorter { candidate = shorter[secret] }
    answer.found = candidate
    return answer
  }

  /// The first secret that does not sort before `text`.
  private func firstBehind(_ text: Span<UInt8>) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = low + (high - low) / 2
      if block.order(of: ranges[middle], to: text).isBefore { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func chains(_ block: SecretBlock, _ ranges: [Range<Int>]) -> [Int?] {
    var chains: [Int?] = []
    var open: [Int] = []
    for (index, range) in ranges.enumerated() {
      while let last = open.last, block.order(of: ranges[last], to: range) != .shorter { open.removeLast() }
      chains.append(open.last)
      open.append(index)
    }
    return chains
  }

  /// At least sixteen times as many entries as there are secrets: one text in sixteen is searched for in vain at most.
  private static func table(_ block: SecretBlock, _ ranges: [Range<Int>]) -> [Bool] {
    var size = 1 << 12
    while size < ranges.count * 16 { size *= 2 }
    var table = [Bool](repeating: false, count: size)
    for range in ranges { table[block.slot(of: range, among: size)] = true }
    return table
  }
}

/// How a secret compares to a text, as bytes.
private enum ByteOrder {
  /// It sorts before the text.
  case before
  /// The text begins with it, and goes on.
  case shorter
  /// It is the text.
  case same
  /// It begins with the text, and goes on.
  case longer
  /// It sorts behind the text.
  case behind

  var isBefore: Bool { self == .before || self == .shorter }
}

/// The bytes of all secrets, in one piece that is wiped.
private final class SecretBlock: Sendable {
  private let bytes: SecretBytes

  init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

  func order(of range: Range<Int>, to text: Span<UInt8>) -> ByteOrder {
    bytes.withSpan { (bytes) in bytes.extracting(range).order(to: text) }
  }

  func order(of range: Range<Int>, to other: Range<Int>) -> ByteOrder {
    bytes.withSpan { (bytes) in bytes.extracting(range).order(to: bytes.extracting(other)) }
  }

  func slot(of range: Range<Int>, among count: Int) -> Int {
    bytes.withSpan { (bytes) in bytes.extracting(range).slot(among: count) }
  }

  /// The places of `ranges` that differ in their bytes, sorted by them; of those that are alike, the first.
  func sorted(_ ranges: [Range<Int>]) -> [Int] {
    let sorted = ranges.indices.sorted {
      let order = order(of: ranges[$0], to: ranges[$1])
      return order.isBefore || (order == .same && $0 < $1)
    }
    var distinct: [Int] = []
    for place in sorted {
      if let last = distinct.last, order(of: ranges[last], to: ranges[place]) == .same { continue }
      distinct.append(place)
    }
    return distinct
  }
}

extension Span<UInt8> {
  fileprivate func order(to text: Span<UInt8>) -> ByteOrder {
    let common = Swift.min(count, text.count)
    var index = 0
    while index < common {
      if self[index] != text[index] { return self[index] < text[index] ? .before : .behind }
      index += 1
    }
    return count == text.count ? .same : count < text.count ? .shorter : .longer
  }

  /// The place of the first eight bytes in a table of `size` entries, a power of two.
  fileprivate func slot(among size: Int) -> Int {
    var word: UInt64 = 0
    for index in 0..<SecretIndex.shortest { word = word << 8 | UInt64(self[index]) }
    // Fibonacci hashing: the top bits depend on all others.
    return Int((word &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - size.trailingZeroBitCount))
  }
}
