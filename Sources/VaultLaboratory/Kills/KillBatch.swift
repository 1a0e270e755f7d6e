import VaultEngine

/// A batch of a writer: who wrote it, in which of his lives, and its number in that life.
struct BatchID: Hashable, Sendable, CustomStringConvertible {
  let writer: Int
  let life: Int
  let number: Int

  init(writer: Int, life: Int, number: Int) { (self.writer, self.life, self.number) = (writer, life, number) }

  /// - Returns: `nil` for what is not written as ``description`` writes it.
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3, let writer = parts[0], let life = parts[1], let number = parts[2] else { return nil }
    self.init(writer: writer, life: life, number: number)
  }

  var description: String { "\(writer).\(life).\(number)" }
}

/// One write of a batch. Its value follows from the batch and its place in it, so that any other value is nobody's.
struct KillOperation: Sendable {
  let name: String
  let isDeletion: Bool
  let condition: WriteCondition

  init(_ name: String, isDeletion: Bool = false, if condition: WriteCondition = .any) {
    (self.name, self.isDeletion, self.condition) = (name, isDeletion, condition)
  }

  /// As it stands in an announcement.
  init?(_ text: some StringProtocol) {
    guard let colon = text.firstIndex(of: ":"), let kind = text.first else { return nil }
    let name = String(text[text.index(after: colon)...])
    switch kind {
    case "p": self.init(name)
    case "d": self.init(name, isDeletion: true)
    case "n": self.init(name, if: .absent)
    case "v":
      guard let version = UInt64(text[text.index(after: text.startIndex)..<colon]) else { return nil }
      self.init(name, if: .version(version))
    default: return nil
    }
  }

  var text: String {
    if isDeletion { return "d:\(name)" }
    return switch condition {
    case .any: "p:\(name)"
    case .absent: "n:\(name)"
    case .version(let version): "v\(version):\(name)"
    }
  }
}

/// The values that writers write: each says whose it is, and every byte of it follows from that.
enum KillValue {
  private static let end = UInt8(ascii: "|")

  /// - Parameter place: of the write in its batch, from 0.
  static func bytes(of batch: BatchID, at place: Int) -> [UInt8] {
    let seed = UInt64(batch.writer) << 56 ^ UInt64(batch.life) << 32 ^ UInt64(batch.number) << 8 ^ UInt64(place)
    var random = SeededRandom(seed: seed)
    let shape = random.next()
    // Now and then so many pages that a kill may fall between two of them.
    let count = shape % 64 == 0 ? 40_000 : shape % 16 == 0 ? 6_000 : 20 + Int(shape >> 8 % 300)
    return Array("\(batch).\(place)".utf8) + [end] + random.array(count)
  }

  /// Whose value it is.
  ///
  /// - Returns: `nil` for bytes that no writer writes.
  static func author(of value: [UInt8]) -> (batch: BatchID, place: Int)? {
    guard let end = value.firstIndex(of: Self.end) else { return nil }
    let text = String(decoding: value[..<end], as: UTF8.self)
    guard let dot = text.lastIndex(of: "."), let place = Int(text[text.index(after: dot)...]),
      let batch = BatchID(text[..<dot]), bytes(of: batch, at: place) == value
    else { return nil }
    return (batch, place)
  }
}
