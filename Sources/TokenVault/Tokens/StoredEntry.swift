internal import VaultCrypto
internal import VaultEngine
internal import VaultFormat

/// A put of a token's name, taken apart.
struct StoredEntry: Sendable {
  private final class JSON: Sendable {
    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
  }

  /// Version of the write.
  let version: UInt64
  /// When it was written, in microseconds since 1970.
  let time: Int64
  /// What stands beside the token.
  let value: EntryValue
  private let json: JSON

  /// - Throws: `unsupported-feature` for a legacy record, and for a form that this version does not know; `frame-damaged` for
  ///   attributes that don't add up; `crypto-failure` when there is no memory.
  init(_ entry: borrowing VaultEntry) throws(VaultError) {
    guard !entry.isLegacy else { throw Self.sealed }
    let start: Int
    (value, start) = try EntryValue.decode(entry.value)
    json = JSON(try SecretBytes(entry.value.extracting(start..<entry.value.count)))
    (version, time) = (entry.version, entry.time)
  }

  /// The error of a token that is not TokenVault's own to open.
  static var sealed: VaultError {
    VaultError(
      .unsupportedFeature, "the token is sealed as the program that it came from sealed it",
      remedy: "'tokenvault upgrade --legacy-key ...' seals it anew")
  }

  /// The token.
  ///
  /// - Throws: `invalid-token` when something else was stored under the name.
  func token() throws(VaultError) -> OAuthToken {
    let json = json
    return try json.bytes.withSpan { (bytes) throws(VaultError) in try OAuthToken(json: bytes) }
  }

  /// Bytes of the token's JSON.
  var jsonLength: Int { json.bytes.count }

  /// Whether the JSON is the same, byte by byte.
  func hasSameToken(as other: StoredEntry) -> Bool {
    let (json, other) = (json, other.json)
    return json.bytes.withSpan { (left) in other.bytes.withSpan { (right) in left.equals(right) } }
  }

  /// What is known of the access token: its digest, be the token kept or not; `nil` where there is none.
  func digest() throws(VaultError) -> TokenDigest? {
    try TokenDigest(accessTokenOf: token()) ?? value.digest
  }
}

/// What is under a name when it is about to be written.
enum EntryState: Sendable {
  /// Nothing.
  case absent
  /// An entry whose time is over: absent for everybody, though its record of this version is there.
  case over(UInt64)
  /// A record of this version that another program sealed.
  case sealed(UInt64)
  /// A record that is damaged, or of a form that is not understood. Another may take its place.
  case unreadable(VaultError)
  /// An entry.
  case there(StoredEntry)

  /// The entry, if there is one that counts.
  var entry: StoredEntry? {
    if case .there(let entry) = self { return entry }
    return nil
  }

  /// Whether there is nothing that counts.
  var isVacant: Bool {
    switch self {
    case .absent, .over: true
    case .sealed, .unreadable, .there: false
    }
  }

  /// What makes sure that nobody has changed the name since it was looked at.
  var condition: WriteCondition {
    switch self {
    case .absent: .absent
    case .over(let version), .sealed(let version): .version(version)
    case .unreadable: .any
    case .there(let entry): .version(entry.version)
    }
  }

  /// The same, if `condition` is what the caller asks for.
  ///
  /// - Throws: `conflict` when it can't hold.
  func condition(_ asked: WriteCondition) throws(VaultError) -> WriteCondition {
    switch (asked, self) {
    case (.any, _): return condition
    case (.absent, .over(let version)): return .version(version)
    case (.version, .over): throw VaultError(.conflict, "there is nothing of that name: its entry is over")
    default: return asked
    }
  }
}

extension TokenStore {
  /// What is under the name of `id` now.
  ///
  /// - Throws: what keeps the vault from being read; damage of this one record is a state.
  func state(of id: TokenID) throws(VaultError) -> EntryState {
    try state { () throws(VaultError) in try vault.entry(named: id.recordName.span) }
  }

  /// What was under the name of `id` in a snapshot.
  func state(of id: TokenID, in snapshot: VaultSnapshot) throws(VaultError) -> EntryState {
    try state { () throws(VaultError) in try snapshot.entry(named: id.recordName.span) }
  }

  private func state(_ read: () throws(VaultError) -> VaultEntry?) throws(VaultError) -> EntryState {
    do {
      guard let entry = try read() else { return .absent }
      if entry.isLegacy { return .sealed(entry.version) }
      let stored = try StoredEntry(entry)
      if let expiry = stored.value.expiry, expiry <= now() { return .over(entry.version) }
      return .there(stored)
    } catch {
      guard error.code == .frameDamaged || error.code == .unsupportedFeature else { throw error }
      return .unreadable(error)
    }
  }

  /// Writes what `body` makes of the state that the name of `id` is in. Where somebody else was quicker, `body` is asked
  /// again.
  ///
  /// - Parameters:
  ///   - tries: 1 for a caller whose own condition would not hold the next time either.
  ///   - body: adds the writes, all with conditions that follow from the state; nothing, if there is nothing to do.
  /// - Returns: what `body` gave, and the versions of its writes.
  /// - Throws: `conflict` when others keep changing the name; otherwise as `Vault.commit(_:)`.
  @discardableResult
  func change<Result>(
    _ id: TokenID, tries: Int = 100,
    _ body: (EntryState, inout VaultBatch) throws(VaultError) -> Result
  ) throws(VaultError) -> (result: Result, versions: [UInt64]) {
    var left = tries
    while true {
      left -= 1
      var batch = try VaultBatch()
      let result = try body(state(of: id), &batch)
      do throws(VaultError) {
        return (result, try commit(batch))
      } catch {
        // A name that was to be deleted may be gone.
        guard left > 0, error.code == .conflict || error.code == .notFound else { throw error }
      }
    }
  }
}
