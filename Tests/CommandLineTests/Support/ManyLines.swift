import TokenVault

/// Lines for `put --jsonl`, all of one length, so large that few of them are a batch.
struct ManyLines {
  /// Lines in each batch.
  let perBatch: Int
  /// All lines; the last batch has one.
  let count: Int
  /// The lines.
  let bytes: [UInt8]

  init(batches: Int) {
    let length = Self.line(0).count
    perBatch = LineReader.limit / length
    count = perBatch * (batches - 1) + 1
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * length)
    for number in 0..<count { bytes += Self.line(number) }
    self.bytes = bytes
  }

  /// The names of the first lines, in their order.
  static func names(_ count: Int) -> Set<String> { Set((0..<count).map { name($0) }) }

  private static func name(_ number: Int) -> String { "user-\(100_000 + number)" }

  private static func line(_ number: Int) -> [UInt8] {
    let filling = String(repeating: "x", count: 16_000)
    return Array(#"{"user_id":"\#(name(number))","access_token":"\#(filling)"}"#.utf8) + [UInt8(ascii: "\n")]
  }
}
