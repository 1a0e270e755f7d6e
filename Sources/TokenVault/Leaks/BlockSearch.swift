internal import VaultCrypto

/// Looks for known tokens in one block.
///
/// Most of a text is passed over without a look: where a token has 40 bytes at least, one byte in about 40 tells that none
/// can be around it. What may be a token by its bytes and its length is hashed and looked up.
struct BlockSearch: ~Copyable {
  /// What was found, with its place in the block.
  struct Found: Equatable {
    /// Bytes of the block before it.
    let place: Int
    /// Index among the known tokens.
    let index: Int
    /// It is a hash in hexadecimal digits.
    let isHash: Bool
    /// Line ends of the block before it.
    fileprivate(set) var lines = 0
  }

  /// What one block gives.
  struct Outcome {
    /// In the order of the block.
    var found: [Found]
    /// Line ends in the block.
    var lines: Int
  }

  /// Where a text stood before its form was undone.
  private enum Origin {
    case block(Int)
    case run(at: Int, places: [Int])

    func place(of index: Int) -> Int {
      switch self {
      case .block(let start): start + index
      case .run(let start, let places): start + places[index]
      }
    }
  }

  /// Digits of a SHA-256.
  private static let digits = 64

  private let known: KnownTokens
  /// Bytes of the shortest run that is looked at.
  private let shortest: Int
  private var hash: SHA256
  private var found: [Found] = []

  private init(_ known: KnownTokens) throws(VaultError) {
    self.known = known
    shortest = min(known.lengths.shortest ?? Self.digits, Self.digits)
    hash = try crypto { () throws(CryptoError) in try SHA256() }
  }

  /// Everything in `block`.
  ///
  /// - Throws: `crypto-failure`.
  static func outcome(of block: LeakBlock, _ known: KnownTokens) throws(VaultError) -> Outcome {
    try block.withBytes { (bytes) throws(VaultError) in
      var search = try BlockSearch(known)
      do throws(CryptoError) {
        try search.runs(of: bytes)
        try search.lines(of: bytes, first: block.startsInLine ? 1 : 0, endsInLine: block.endsInLine)
      } catch {
        throw VaultError(error)
      }
      return search.outcome(in: bytes)
    }
  }

  /// The findings in order, none of them twice: a token may be seen in a text as it stands, and in the same text decoded.
  private consuming func outcome(in bytes: Span<UInt8>) -> Outcome {
    var outcome = Outcome(found: [], lines: 0)
    var counted = 0
    found.sort { ($0.place, $0.index, $0.isHash ? 1 : 0) < ($1.place, $1.index, $1.isHash ? 1 : 0) }
    for var next in found {
      outcome.lines += bytes.extracting(counted..<next.place).lineEnds
      counted = next.place
      next.lines = outcome.lines
      if next != outcome.found.last { outcome.found.append(next) }
    }
    outcome.lines += bytes.extracting(counted..<bytes.count).lineEnds
    return outcome
  }

  // MARK: Runs

  /// Finds the runs of tokens' bytes that are long enough, and looks no byte at twice.
  private mutating func runs(of bytes: Span<UInt8>) throws(CryptoError) {
    var start = 0
    // From `start` up to here all bytes are known to be parts of a run.
    var seen = 0
    while true {
      let probe = start + shortest - 1
      guard probe < bytes.count else { return }
      var place = probe
      while place >= seen, TokenBytes.isPart(bytes[place]) { place -= 1 }
      if place >= seen {
        start = place + 1
        seen = probe + 1
        continue
      }
      var end = probe + 1
      while end < bytes.count, TokenBytes.isPart(bytes[end]) { end += 1 }
      try run(bytes.extracting(start..<end), at: start)
      start = end + 1
      seen = start
    }
  }

  private mutating func run(_ run: Span<UInt8>, at start: Int) throws(CryptoError) {
    try pieces(of: run, .block(start))
    let (hasEscapes, hasPercents) = run.encodings
    guard hasEscapes || hasPercents else { return }
    var decoded = DecodedRun(unescaping: run)
    if hasEscapes { try pieces(of: decoded.bytes.span, .run(at: start, places: decoded.places)) }
    guard decoded.bytes.contains(UInt8(ascii: "%")) else { return }
    decoded = DecodedRun(percentDecoding: decoded)
    try pieces(of: decoded.bytes.span, .run(at: start, places: decoded.places))
  }

  /// Looks at what stands in `text` between bytes that no token has.
  private mutating func pieces(of text: Span<UInt8>, _ origin: Origin) throws(CryptoError) {
    var start = 0
    while start < text.count {
      var end = start
      var hasSlash = false
      while end < text.count, TokenBytes.isToken(text[end]) {
        if text[end] == UInt8(ascii: "/") { hasSlash = true }
        end += 1
      }
      if end - start >= shortest {
        try piece(start..<end, of: text, origin)
        if hasSlash { try segments(of: start..<end, of: text, origin) }
      }
      start = end + 1
    }
  }

  /// Looks at what stands between the slashes of a path.
  private mutating func segments(
    of range: Range<Int>, of text: Span<UInt8>, _ origin: Origin
  ) throws(CryptoError) {
    var start = range.lowerBound
    while start < range.upperBound {
      var end = start
      while end < range.upperBound, text[end] != UInt8(ascii: "/") { end += 1 }
      if end - start >= shortest { try piece(start..<end, of: text, origin) }
      start = end + 1
    }
  }

  /// Looks at a piece as a whole, behind its first sign of equality, and behind its last. What stands at its end alone is
  /// padding.
  private mutating func piece(_ range: Range<Int>, of text: Span<UInt8>, _ origin: Origin) throws(CryptoError) {
    try ends(of: range, of: text, origin)
    var first: Int?
    var last: Int?
    for index in range.lowerBound + 1..<range.upperBound where text[index - 1] == UInt8(ascii: "=") {
      guard text[index] != UInt8(ascii: "=") else { continue }
      if first == nil { first = index }
      last = index
    }
    guard let first, let last else { return }
    try ends(of: first..<range.upperBound, of: text, origin)
    if last != first { try ends(of: last..<range.upperBound, of: text, origin) }
  }

  /// Looks at a piece with the full stops at its end, without the last, and without all.
  private mutating func ends(of range: Range<Int>, of text: Span<UInt8>, _ origin: Origin) throws(CryptoError) {
    try candidate(range, of: text, origin)
    var end = range.upperBound
    while end > range.lowerBound, text[end - 1] == UInt8(ascii: ".") { end -= 1 }
    guard end < range.upperBound else { return }
    try candidate(range.lowerBound..<end, of: text, origin)
    guard end < range.upperBound - 1 else { return }
    try candidate(range.lowerBound..<range.upperBound - 1, of: text, origin)
  }

  // MARK: Lines

  /// Looks at whole lines, for tokens with bytes that runs don't have.
  ///
  /// - Parameters:
  ///   - first: 1 when the first line began before the block, and is none of its own.
  ///   - endsInLine: the same of the last line.
  private mutating func lines(of bytes: Span<UInt8>, first: Int, endsInLine: Bool) throws(CryptoError) {
    guard let shortest = known.lineLengths.shortest else { return }
    var start = 0
    var number = 0
    while start < bytes.count {
      let end = bytes.endOfLine(from: start)
      if number >= first, end - start >= shortest, end < bytes.count || !endsInLine {
        try line(start..<end, of: bytes)
      }
      number += 1
      start = end + 1
    }
  }

  private mutating func line(_ range: Range<Int>, of bytes: Span<UInt8>) throws(CryptoError) {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, TokenBytes.isSpace(bytes[start]) { start += 1 }
    while end > start, TokenBytes.isSpace(bytes[end - 1]) { end -= 1 }
    // A line that is one run was looked at already.
    guard known.lineLengths.contains(end - start), !TokenBytes.isToken(bytes.extracting(start..<end)) else { return }
    try candidate(start..<end, of: bytes, .block(0))
  }

  // MARK: Candidates

  /// Looks up what stands in `range`, if it has a token's length; and what it says as a hash, if it has that form.
  private mutating func candidate(_ range: Range<Int>, of text: Span<UInt8>, _ origin: Origin) throws(CryptoError) {
    if range.count == Self.digits, let digest = SHA256.Digest(hexadecimal: text.extracting(range)) {
      note(digest, isHash: true, at: range.lowerBound, origin)
    }
    guard known.lengths.contains(range.count) else { return }
    try hash.update(text.extracting(range))
    note(try hash.finish(), isHash: false, at: range.lowerBound, origin)
  }

  private mutating func note(_ digest: SHA256.Digest, isHash: Bool, at index: Int, _ origin: Origin) {
    for known in known.indices(of: digest) {
      found.append(Found(place: origin.place(of: index), index: known, isHash: isHash))
    }
  }
}

extension FixedBytes<32> {
  /// The bytes that 64 hexadecimal digits stand for; `nil` for anything else.
  init?(hexadecimal digits: Span<UInt8>) {
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      guard let high = TokenBytes.hexadecimal(digits[index]), let low = TokenBytes.hexadecimal(digits[index + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    self.init(bytes.span)
  }
}
