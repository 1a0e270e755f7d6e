internal import JSONText

/// The members of a token's object, found by name in logarithmic time.
///
/// Names are compared byte by byte: two that look alike but are composed differently are two.
struct TokenMembers: Sendable {
  private let sorted: [(name: String, value: JSONValue)]

  init(_ members: [(String, JSONValue)]) {
    sorted = members.map { (name: $0.0, value: $0.1) }.sorted { Self.precedes($0.name, $1.name) }
  }

  /// All names, sorted.
  var names: [String] { sorted.map(\.name) }

  subscript(name: String) -> JSONValue? {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = low + (high - low) / 2
      if Self.precedes(sorted[middle].name, name) { low = middle + 1 } else { high = middle }
    }
    guard low < sorted.count, !Self.precedes(name, sorted[low].name) else { return nil }
    return sorted[low].value
  }

  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}
