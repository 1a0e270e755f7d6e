/// The attributes that this version knows (FORMAT.md, "Entries"). Times are in microseconds since 1970.
extension EntryValue {
  private enum ID {
    static let expiry: UInt8 = 1
    static let providerAccount: UInt8 = 2
    static let providerName: UInt8 = 3
    static let scopes: UInt8 = 4
    static let linked: UInt8 = 5
    static let rotated: UInt8 = 6
    static let used: UInt8 = 7
    static let revoked: UInt8 = 8
    static let digest: UInt8 = 9
    static let keepsAccessToken: UInt8 = 10
    static let refreshing: UInt8 = 11
    static let refreshFailed: UInt8 = 12
    static let updated: UInt8 = 13
  }

  /// When the entry is over; `nil`, if never.
  var expiry: Int64? {
    get { time(ID.expiry) }
    set { setTime(ID.expiry, newValue) }
  }

  /// The provider's id of the account; `nil` in an entry that is no account.
  var providerAccount: [UInt8]? {
    get { self[ID.providerAccount] }
    set { self[ID.providerAccount] = newValue }
  }

  /// What the provider calls the account's user.
  var providerName: [UInt8]? {
    get { self[ID.providerName] }
    set { self[ID.providerName] = newValue }
  }

  /// What was granted: each scope's bytes behind their length, u16.
  var scopes: [[UInt8]] {
    get { Self.list(self[ID.scopes] ?? []) }
    set {
      self[ID.scopes] =
        newValue.isEmpty ? nil : newValue.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
    }
  }

  /// When the account was linked, or an imported token first stored.
  var linked: Int64? {
    get { time(ID.linked) }
    set { setTime(ID.linked, newValue) }
  }

  /// When the token was last replaced by its successor.
  var rotated: Int64? {
    get { time(ID.rotated) }
    set { setTime(ID.rotated, newValue) }
  }

  /// When the account was last used, as far as that was recorded.
  var used: Int64? {
    get { time(ID.used) }
    set { setTime(ID.used, newValue) }
  }

  /// When the account was revoked; `nil` while it is active.
  var revoked: Int64? {
    get { time(ID.revoked) }
    set { setTime(ID.revoked, newValue) }
  }

  /// What is known of an access token that is not kept itself.
  var digest: TokenDigest? {
    get { TokenDigest(attribute: self[ID.digest]) }
    set { self[ID.digest] = newValue?.attribute }
  }

  /// Whether a refresh or a link leaves the access token in the entry. Without an identity it always does.
  var keepsAccessToken: Bool {
    get { providerAccount == nil || self[ID.keepsAccessToken] != nil }
    set { self[ID.keepsAccessToken] = newValue ? [] : nil }
  }

  /// Since when a refresh is at work, or, if none is, when one began that never ended.
  var refreshing: Int64? {
    get { time(ID.refreshing) }
    set { setTime(ID.refreshing, newValue) }
  }

  /// When a refresh failed last; `nil` once one succeeded.
  var refreshFailed: Int64? {
    get { time(ID.refreshFailed) }
    set { setTime(ID.refreshFailed, newValue) }
  }

  /// When the token was stored, where its record was written later, or elsewhere earlier; `nil`, if its record tells.
  var updated: Int64? {
    get { time(ID.updated) }
    set { setTime(ID.updated, newValue) }
  }

  /// What stays when another token takes the place of this one: who the account is, not in what state the token was.
  var identity: EntryValue {
    var kept = self
    (kept.expiry, kept.revoked, kept.digest, kept.updated) = (nil, nil, nil, nil)
    (kept.refreshing, kept.refreshFailed) = (nil, nil)
    return kept
  }

  /// What a stored value says beside its token, as far as most entries are told apart by it: nothing is copied.
  ///
  /// - Throws: as ``decode(_:)``.
  static func outline(of value: Span<UInt8>) throws(VaultError) -> EntryOutline {
    var outline = EntryOutline()
    outline.jsonStart = try forEachAttribute(of: value) { (id, place) in
      switch id {
      case ID.expiry: outline.expiry = time(value.extracting(place))
      case ID.revoked: outline.revoked = time(value.extracting(place))
      case ID.updated: outline.updated = time(value.extracting(place))
      default: break
      }
    }
    return outline
  }

  // MARK: Forms

  private func time(_ id: UInt8) -> Int64? { self[id].flatMap { Self.time($0.span) } }

  private static func time(_ bytes: Span<UInt8>) -> Int64? {
    guard bytes.count == 8 else { return nil }
    var time: Int64 = 0
    for index in bytes.indices { time = time << 8 | Int64(bytes[index]) }
    return time
  }

  private mutating func setTime(_ id: UInt8, _ time: Int64?) {
    self[id] = time.map { (time) in (0..<8).map { UInt8(truncatingIfNeeded: time >> Int64(56 - 8 * $0)) } }
  }

  private static func list(_ bytes: [UInt8]) -> [[UInt8]] {
    var items: [[UInt8]] = []
    var place = 0
    while place + 2 <= bytes.count {
      let end = place + 2 + (Int(bytes[place]) << 8 | Int(bytes[place + 1]))
      guard end <= bytes.count else { return items }
      items.append(Array(bytes[place + 2..<end]))
      place = end
    }
    return items
  }
}

/// A few attributes of a stored value. Times are in microseconds since 1970.
struct EntryOutline {
  /// See ``EntryValue/expiry``.
  var expiry: Int64?
  /// See ``EntryValue/revoked``.
  var revoked: Int64?
  /// See ``EntryValue/updated``.
  var updated: Int64?
  /// Where the token's JSON begins.
  var jsonStart = 0
}
