import TokenVault
import VaultCrypto

/// What is found in a text, by the plainest code: every piece that may be a token is hashed and looked up in a dictionary.
///
/// For texts that are shorter than a block.
struct LeakReference {
  /// A finding, comparable.
  struct Finding: Hashable, Comparable, CustomStringConvertible {
    let offset: Int
    let line: Int
    let user: String
    let kind: String
    let isCurrent: Bool
    let isHash: Bool

    init(_ offset: Int, _ line: Int, _ user: String, _ kind: String, _ isCurrent: Bool, _ isHash: Bool) {
      (self.offset, self.line, self.user, self.kind) = (offset, line, user, kind)
      (self.isCurrent, self.isHash) = (isCurrent, isHash)
    }

    init(_ finding: LeakFinding) {
      self.init(
        Int(finding.offset), Int(finding.line), String(decoding: finding.owner.user, as: UTF8.self),
        finding.kind.rawValue, finding.isCurrent, finding.isHash)
    }

    var description: String { "\(offset) \(line) \(user) \(kind) \(isCurrent) \(isHash)" }

    static func < (left: Self, right: Self) -> Bool {
      (left.offset, left.user, left.kind, left.isHash ? 1 : 0)
        < (right.offset, right.user, right.kind, right.isHash ? 1 : 0)
    }
  }

  /// By digest in hexadecimal: whose token it is, which, and whether it is current.
  var known: [String: [(user: String, kind: String, isCurrent: Bool)]] = [:]

  private static let tokenBytes = Set(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=".utf8)

  func findings(in text: [UInt8]) throws -> [Finding] {
    var found: Set<Finding> = []
    for (offset, candidate) in Self.candidates(in: text) {
      let line = 1 + text[..<offset].count { $0 == 10 }
      func add(_ digest: String, isHash: Bool) {
        for token in known[digest] ?? [] {
          found.insert(Finding(offset, line, token.user, token.kind, token.isCurrent, isHash))
        }
      }
      add(try SHA256.digest(of: candidate.span).hex, isHash: false)
      let digits = String(decoding: candidate, as: UTF8.self).lowercased()
      if candidate.count == 64, digits.allSatisfy({ "0123456789abcdef".contains($0) }) { add(digits, isHash: true) }
    }
    return found.sorted()
  }

  /// Every piece that may be a token, and where it begins.
  private static func candidates(in text: [UInt8]) -> [(Int, [UInt8])] {
    var all: [(Int, [UInt8])] = []
    // Lines.
    for line in text.indices.split(whereSeparator: { text[$0] == 10 }) {
      let trimmed = line.drop { isSpace(text[$0]) }
      let end = trimmed.lastIndex { !isSpace(text[$0]) }
      if let end { all.append((trimmed[trimmed.startIndex], Array(text[trimmed[trimmed.startIndex]...line[end]]))) }
    }
    // Runs: as they are, without the escapes, and without percents besides.
    let runs = text.indices.split { !(tokenBytes.contains(text[$0]) || text[$0] == 0x25 || text[$0] == 0x5C) }
    for run in runs {
      let plain = run.map { ($0, text[$0]) }
      let unescaped = unescape(plain)
      for form in [plain, unescaped, percentDecode(unescaped)] {
        for piece in form.split(whereSeparator: { !tokenBytes.contains($0.1) }) {
          all += pieces(Array(piece))
          for segment in piece.split(separator: 0x2F, by: \.1) { all += pieces(Array(segment)) }
        }
      }
    }
    return all
  }

  private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 9, 10, 11, 12, 13].contains(byte) }

  private static func pieces(_ piece: [(Int, UInt8)]) -> [(Int, [UInt8])] {
    let behindSigns = piece.indices.dropFirst().filter { piece[$0 - 1].1 == 0x3D && piece[$0].1 != 0x3D }
    var all: [(Int, [UInt8])] = []
    for start in [0] + [behindSigns.first, behindSigns.last].compactMap({ $0 }) {
      let part = piece[start...]
      let dots = part.reversed().prefix { $0.1 == 0x2E }.count
      for removed in [0, min(1, dots), dots] {
        guard let first = part.first else { continue }
        all.append((first.0, part.dropLast(removed).map(\.1)))
      }
    }
    return all
  }

  private static func unescape(_ run: [(Int, UInt8)]) -> [(Int, UInt8)] {
    var rest = run[...]
    var result: [(Int, UInt8)] = []
    while let (place, byte) = rest.popFirst() {
      guard byte == 0x5C, let next = rest.first?.1 else {
        result.append((place, byte == 0x5C ? 0 : byte))
        continue
      }
      let digits = String(decoding: rest.dropFirst().prefix(4).map(\.1), as: UTF8.self)
      if next == 0x75, digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16) {
        result.append((place, value < 128 ? UInt8(value) : 0))
        rest = rest.dropFirst(5)
      } else {
        result.append((place, next == 0x2F ? next : 0))
        rest = rest.dropFirst()
      }
    }
    return result
  }

  private static func percentDecode(_ run: [(Int, UInt8)]) -> [(Int, UInt8)] {
    var rest = run[...]
    var result: [(Int, UInt8)] = []
    while let (place, byte) = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2).map(\.1), as: UTF8.self)
      if byte == 0x25, digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16) {
        result.append((place, value))
        rest = rest.dropFirst(2)
      } else {
        result.append((place, byte))
      }
    }
    return result
  }
}

extension ArraySlice {
  fileprivate func split<Key: Equatable>(separator: Key, by key: (Element) -> Key) -> [ArraySlice] {
    split { key($0) == separator }
  }
}
