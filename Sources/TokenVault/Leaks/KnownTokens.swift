internal import VaultCrypto
internal import VaultEngine

/// The tokens of a vault, as a leak is looked for: SHA-256 digests and lengths, and whose they are. No token is in it.
///
/// A digest is found in constant time, by way of a table of where each prefix begins, and that it is not there most often from
/// bits that stay in the processor's cache. About 50 bytes for each token, and its owner's name once.
public struct KnownTokens: Sendable {
  /// Bytes that a token must have to be looked for: shorter ones are words of any text.
  public static let shortest = 8
  /// Bytes that a token may have.
  static let lengths = shortest...VaultLimits.value
  /// Lengths that are tried where only a token's digest is known.
  static let guessedLengths = 16...4096

  /// A token, or several that are the same.
  struct Entry: Sendable {
    let digest: SHA256.Digest
    /// Index in ``owners``.
    let owner: UInt32
    let kind: LeakFinding.Kind
    let isCurrent: Bool
  }

  /// Tokens that are looked for.
  public var count: Int { entries.count }
  /// Tokens that are not looked for, because they are shorter than ``shortest``.
  public let tooShort: Int
  /// Entries whose token is not known, because it is sealed with a key of an older system.
  public let sealed: Int

  /// Lengths of what is hashed.
  let lengths: LengthSet
  /// Lengths of whole lines that are hashed: of tokens with bytes that others don't have, and of unknown ones.
  let lineLengths: LengthSet
  /// Names of records, which are those of entries.
  private let owners: [[UInt8]]
  /// Sorted by digest.
  private let entries: [Entry]
  /// Index of the first entry for each prefix of digests, and the end.
  private let starts: [UInt32]
  /// By how many bits a digest's first eight bytes are shifted to be its prefix.
  private let shift: UInt64
  /// One bit for each longer prefix, by ``marksPerPrefix`` bits: whether any digest has it.
  private let marks: [UInt64]
  private static let marksPerPrefix: UInt64 = 4

  init(
    _ entries: [Entry], of owners: [[UInt8]], lengths: LengthSet, lineLengths: LengthSet, tooShort: Int, sealed: Int
  ) {
    self.entries = entries
    self.owners = owners
    self.lengths = lengths
    self.lineLengths = lineLengths
    self.tooShort = tooShort
    self.sealed = sealed
    // About one entry for each prefix, and at least two prefixes.
    let bits = max(1, Int.bitWidth - entries.count.leadingZeroBitCount)
    shift = UInt64(64 - bits)
    var starts = [UInt32](repeating: 0, count: (1 << bits) + 1)
    var marks = [UInt64](repeating: 0, count: max(1, 1 << (bits + Int(Self.marksPerPrefix) - 6)))
    for entry in entries {
      starts[Int(entry.prefix >> shift) + 1] += 1
      let mark = entry.prefix >> (shift - Self.marksPerPrefix)
      marks[Int(mark >> 6)] |= 1 << (mark & 63)
    }
    for index in 1..<starts.count { starts[index] += starts[index - 1] }
    self.starts = starts
    self.marks = marks
  }

  /// Indices of the entries with this digest; most often none.
  func indices(of digest: SHA256.Digest) -> Range<Int> {
    let prefix = digest.span.bigEndian(at: 0, as: UInt64.self)
    let mark = prefix >> (shift - Self.marksPerPrefix)
    guard marks[Int(mark >> 6)] >> (mark & 63) & 1 == 1 else { return 0..<0 }
    let bucket = Int(prefix >> shift)
    var start = Int(starts[bucket])
    let end = Int(starts[bucket + 1])
    while start < end, entries[start].digest != digest { start += 1 }
    var last = start
    while last < end, entries[last].digest == digest { last += 1 }
    return start..<last
  }

  /// What is told of the entry at `index`, which was found at `offset`.
  ///
  /// - Returns: `nil` for one of an owner whose name is no entry's.
  func finding(_ index: Int, isHash: Bool, offset: UInt64, line: UInt64) -> LeakFinding? {
    let entry = entries[index]
    let name = owners[Int(entry.owner)]
    guard let owner = TokenID(recordName: name.span) else { return nil }
    return LeakFinding(
      owner: owner, kind: entry.kind, isCurrent: entry.isCurrent, isHash: isHash, offset: offset,
      line: line)
  }
}

extension KnownTokens.Entry {
  /// The digest's first eight bytes.
  var prefix: UInt64 { digest.span.bigEndian(at: 0) }

  /// The order of the table: by digest, then by owner; of one owner's the current one is first.
  func precedes(_ other: Self) -> Bool {
    if prefix != other.prefix { return prefix < other.prefix }
    for place in stride(from: 8, to: 32, by: 8) {
      let own = digest.span.bigEndian(at: place, as: UInt64.self)
      let others = other.digest.span.bigEndian(at: place, as: UInt64.self)
      if own != others { return own < others }
    }
    if owner != other.owner { return owner < other.owner }
    if kind != other.kind { return kind == .accessToken }
    return isCurrent && !other.isCurrent
  }

  /// Whether both are the same secret of the same owner.
  func isSame(as other: Self) -> Bool { owner == other.owner && kind == other.kind && digest == other.digest }
}
