internal import VaultCrypto
internal import VaultEngine

/// A write of an entry, or an event of it, as far as it tells of tokens.
struct KnownWrite: Sendable {
  /// A token that it tells of.
  struct Token: Sendable {
    let digest: SHA256.Digest
    /// Bytes of the token; 0, if that is not known.
    let length: Int
    let kind: LeakFinding.Kind
    /// Whether it has no other bytes than those of ``TokenBytes``.
    let isPlain: Bool
  }

  /// What the write makes of the tokens of those before it.
  enum Effect: Sendable {
    /// They are superseded, and its own are current.
    case replaces
    /// The same, but its own are not known, because an older system sealed them.
    case seals
    /// They are superseded, as are its own: the entry is gone.
    case removes
    /// None; its own are superseded.
    case tells
  }

  let name: [UInt8]
  let version: UInt64
  let effect: Effect
  private(set) var tokens: [Token] = []

  /// - Parameter name: of the entry's record.
  init(of name: [UInt8], version: UInt64, _ effect: Effect) {
    self.name = name
    self.version = version
    self.effect = effect
  }

  /// Adds a token; none, if it is empty.
  ///
  /// - Throws: `crypto-failure`.
  mutating func add(_ token: Span<UInt8>, _ kind: LeakFinding.Kind) throws(VaultError) {
    guard token.count > 0 else { return }
    let digest = try crypto { () throws(CryptoError) in try SHA256.digest(of: token) }
    tokens.append(Token(digest: digest, length: token.count, kind: kind, isPlain: TokenBytes.isToken(token)))
  }

  /// Adds an access token of which the digest alone is known.
  mutating func add(_ digest: TokenDigest) {
    let length = digest.length.flatMap { (1...VaultLimits.value).contains($0) ? $0 : nil } ?? 0
    tokens.append(
      Token(digest: FixedBytes(digest.sha256.span), length: length, kind: .accessToken, isPlain: false))
  }
}

/// Collects the tokens that are looked for, write by write in the order of a vault's file.
struct KnownTokensBuilder {
  private struct Owner {
    let name: [UInt8]
    /// Version of its newest write; 0 when the entry is gone.
    var newest: UInt64 = 0
    var isSealed = false
  }

  /// A name, hashed as a whole. An array's own hash goes through it byte by byte.
  private struct Name: Hashable {
    let bytes: [UInt8]

    func hash(into hasher: inout Hasher) {
      unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
  }

  private struct Token {
    let digest: SHA256.Digest
    let owner: UInt32
    let kind: LeakFinding.Kind
    /// Of the write that it is in; 0 for one that is superseded whatever comes.
    let version: UInt64
  }

  private var tokens: [Token] = []
  private var owners: [Owner] = []
  private var numbers: [Name: UInt32] = [:]
  private var lengths = LengthSet()
  private var lineLengths = LengthSet()
  private var guessesLengths = false
  private var tooShort = 0

  /// - Parameter names: about how many entries there are.
  init(names: Int = 0) {
    owners.reserveCapacity(names)
    numbers.reserveCapacity(names)
  }

  /// Adds what comes next in the file.
  mutating func add(_ write: KnownWrite) {
    let owner = number(of: write.name)
    switch write.effect {
    case .replaces, .seals:
      owners[Int(owner)].newest = write.version
      owners[Int(owner)].isSealed = write.effect == .seals
    case .removes: owners[Int(owner)].newest = 0
    case .tells: break
    }
    for token in write.tokens {
      guard add(lengthOf: token) else {
        tooShort += 1
        continue
      }
      tokens.append(
        Token(
          digest: token.digest, owner: owner, kind: token.kind, version: write.effect == .replaces ? write.version : 0))
    }
  }

  private mutating func number(of name: [UInt8]) -> UInt32 {
    if let number = numbers[Name(bytes: name)] { return number }
    let number = UInt32(owners.count)
    owners.append(Owner(name: name))
    numbers[Name(bytes: name)] = number
    return number
  }

  /// - Returns: false for a token that is too short.
  private mutating func add(lengthOf token: KnownWrite.Token) -> Bool {
    if token.length == 0 {
      guessesLengths = true
      return true
    }
    guard token.length >= KnownTokens.shortest else { return false }
    lengths.insert(token.length)
    if !token.isPlain { lineLengths.insert(token.length) }
    return true
  }

  /// The table of all that was added. Time is that of sorting it.
  consuming func build() -> KnownTokens {
    if guessesLengths {
      for length in KnownTokens.guessedLengths {
        lengths.insert(length)
        lineLengths.insert(length)
      }
    }
    var entries = tokens.map { (token) in
      KnownTokens.Entry(
        digest: token.digest, owner: token.owner, kind: token.kind,
        isCurrent: token.version != 0 && token.version == owners[Int(token.owner)].newest)
    }
    tokens = []
    entries.sort { $0.precedes($1) }
    // A refresh token most often stays the same from write to write.
    var kept = 0
    for entry in entries where kept == 0 || !entry.isSame(as: entries[kept - 1]) {
      entries[kept] = entry
      kept += 1
    }
    entries.removeLast(entries.count - kept)
    return KnownTokens(
      entries, of: owners.map(\.name), lengths: lengths, lineLengths: lineLengths, tooShort: tooShort,
      sealed: owners.count { $0.newest != 0 && $0.isSealed })
  }
}
