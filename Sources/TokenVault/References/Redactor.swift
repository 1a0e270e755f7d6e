internal import JSONText
internal import VaultCrypto
public import VaultEngine

/// Takes the secrets of a vault out of a text that passes by, of any size and in pieces of any size.
///
/// A secret is found wherever the text was cut. What may be the beginning of one is held back until it can be told; where two
/// overlap, all of both goes. Text is compared as bytes: a secret that was encoded in another way is not found.
public struct Redactor: ~Copyable {
  /// Bytes of a secret's beginning that may be seen: more is held back however long nothing follows, since the rest may.
  static let harmless = 4

  /// Secrets that are not looked for: those of less than eight bytes, and records that another program sealed.
  public let leftOut: Int
  private let secrets: SecretIndex
  private let mark: (TokenID) -> [UInt8]
  /// What can't be told yet, and what belongs to it.
  private var held: SecretBytes
  /// Bytes of ``held`` that lie in a secret which began before them or with them.
  private var covered = 0
  /// Bytes of ``held`` that were given out.
  private var shown = 0

  /// - Parameter mark: what stands in the place of a secret of this token.
  /// - Throws: `crypto-failure` when there is no memory.
  init(_ secrets: SecretIndex, leftOut: Int = 0, mark: @escaping (TokenID) -> [UInt8]) throws(VaultError) {
    self.secrets = secrets
    self.leftOut = leftOut
    self.mark = mark
    held = try SecretBytes(Span())
  }

  /// Takes more of the text.
  ///
  /// - Returns: what can be told by now, without secrets.
  /// - Throws: `crypto-failure` when there is no memory.
  public mutating func redact(_ text: Span<UInt8>) throws(VaultError) -> [UInt8] {
    var all = try crypto { () throws(CryptoError) in try SecretBytes(capacity: held.count + text.count) }
    all.append(held.span)
    all.append(text)
    held = all
    return try advance(isEnd: false)
  }

  /// Whether something is held back that ``pause()`` would give out.
  public var isWaiting: Bool { held.count > shown && held.count <= Self.harmless && covered == 0 }

  /// Gives out what is held back, when it is four bytes or less: for a text that pauses, as a prompt does. Should they be the
  /// beginning of a secret, the rest of it is taken out all the same.
  public mutating func pause() -> [UInt8] {
    guard isWaiting else { return [] }
    var bytes: [UInt8] = []
    for index in shown..<held.count { bytes.append(held.span[index]) }
    shown = held.count
    return bytes
  }

  /// Ends the text, and gives out what is left of it. The beginning of a secret, of eight bytes and more, goes as a whole secret
  /// does: the text may have been cut off.
  public mutating func finish() throws(VaultError) -> [UInt8] { try advance(isEnd: true) }

  private mutating func advance(isEnd: Bool) throws(VaultError) -> [UInt8] {
    var output: [UInt8] = []
    var place = 0
    let count = held.count
    while place < count {
      let answer = secrets.answer(held.span.extracting(place..<count))
      if answer.begun != nil, !isEnd { break }
      let length = answer.found.map { secrets.length(of: $0) } ?? 0
      let cutOff = length < count - place && count - place >= SecretIndex.shortest ? answer.begun : nil
      if let secret = cutOff ?? answer.found {
        if place >= covered { output += mark(secrets.id(of: secret)) }
        covered = max(covered, cutOff == nil ? place + length : count)
      }
      if place >= covered, place >= shown { output.append(held.span[place]) }
      place += 1
    }
    try forget(place)
    return output
  }

  /// Wipes the first `count` bytes of what is held.
  private mutating func forget(_ count: Int) throws(VaultError) {
    let rest = try SecretBytes(held.span.extracting(count..<held.count))
    held = rest
    covered = max(0, covered - count)
    shown = max(0, shown - count)
  }
}

extension TokenStore {
  /// What takes the secrets of all tokens out of a text: members whose names end with `token`, `secret` or `password`, wherever
  /// they stand in a token, of eight bytes and more.
  ///
  /// - Parameters:
  ///   - mark: what stands in the place of a secret of this token; `[redacted]` unless told.
  /// - Throws: as ``VaultSnapshot/forEachEntry(_:)``.
  public func redactor(
    mark: @escaping (TokenID) -> [UInt8] = { _ in Array("[redacted]".utf8) }
  ) throws(VaultError) -> Redactor {
    var collected = try CollectedSecrets()
    try vault.snapshot().forEachEntry { (entry) throws(VaultError) in
      guard let id = TokenID(recordName: entry.name) else { return }
      guard !entry.isLegacy else { return collected.leftOut += 1 }
      let start = try EntryValue.decode(entry.value).jsonStart
      let token = try OAuthToken(json: entry.value.extracting(start..<entry.value.count))
      for name in token.memberNames {
        guard let value = token.value(of: name) else { continue }
        try collected.add(name, value, id)
      }
    }
    let leftOut = collected.leftOut
    return try Redactor(collected.index(), leftOut: leftOut, mark: mark)
  }
}

/// The secrets of tokens, as they are gone over.
private struct CollectedSecrets: ~Copyable {
  private var bytes: SecretBytes
  private var places: [(range: Range<Int>, id: TokenID)] = []
  var leftOut = 0

  init() throws(VaultError) { bytes = try SecretBytes(Span()) }

  mutating func add(_ name: String, _ value: JSONValue, _ id: TokenID) throws(VaultError) {
    switch value {
    case .string(let text) where Self.isSecret(name): try add(text, id)
    case .object(let members): for (name, value) in members { try add(name, value, id) }
    case .array(let values): for value in values { try add(name, value, id) }
    default: return
    }
  }

  private static func isSecret(_ name: String) -> Bool {
    ["token", "secret", "password"].contains { name.utf8.suffix($0.utf8.count).elementsEqual($0.utf8) }
  }

  private mutating func add(_ text: String, _ id: TokenID) throws(VaultError) {
    let count = text.utf8.count
    guard count >= SecretIndex.shortest else {
      leftOut += count > 0 ? 1 : 0
      return
    }
    do throws(CryptoError) {
      try bytes.reserve(bytes.count + count)
    } catch {
      throw VaultError(error)
    }
    places.append((bytes.count..<bytes.count + count, id))
    bytes.append { (output) in for byte in text.utf8 { output.append(byte) } }
  }

  consuming func index() -> SecretIndex { SecretIndex(bytes, places) }
}
