package import JSONText
internal import VaultCrypto
package import VaultEngine

/// Something that happened to an account or to the vault, kept in the batch of what it tells of (FORMAT.md, "Events").
///
/// It never holds a token or a key. Of an access token that was replaced it keeps the SHA-256, so that the token is known when
/// it turns up where it should not.
public struct AuditEvent: Sendable {
  /// What happened.
  public enum Kind: String, CaseIterable, Sendable {
    /// An account was linked, or linked again.
    case linked
    /// A refresh began: what should be followed by one of the next two.
    case refreshing
    /// A new token was stored in an account.
    case refreshed
    /// A refresh failed; the token that was there is there still.
    case failedRefresh = "failed_refresh"
    /// An account's secrets were taken out.
    case revoked
    /// An account was removed.
    case unlinked
    /// A token was read.
    case read
    /// The data key was changed.
    case rotated
    /// The root key was changed.
    case rekeyed
    /// What no longer counts was left out.
    case compacted
    /// Tokens were taken over from elsewhere.
    case imported
    /// Tokens were given out to elsewhere.
    case exported
    /// The state of a backup was brought back.
    case restored
    /// It was settled which reads are audited.
    case configured
  }

  /// What happened.
  public let kind: Kind
  /// Whom it happened to; `nil`, if to the vault as a whole.
  public let id: TokenID?
  /// Version of the write that recorded it.
  public let seq: UInt64
  /// When it happened, in microseconds since 1970: that may be before it was recorded.
  public let time: Int64
  /// Who, why, and from where.
  public let context: AuditContext
  /// Members that only some kinds have, such as the reason of a failure.
  package let details: [(String, JSONValue)]

  /// What an event of the vault as a whole is recorded under: reserved, so that no user's name is the same.
  package static let vaultName: [UInt8] = [0] + Array("vault".utf8)

  /// The value of an event's record.
  package static func value(
    _ kind: Kind, _ context: AuditContext, _ details: [(String, JSONValue)] = []
  ) -> [UInt8] {
    var members: [(String, JSONValue)] = [("event", .string(kind.rawValue))]
    for (name, text) in [
      ("actor", context.actor), ("reason", context.reason), ("ip", context.ipAddress),
      ("user_agent", context.userAgent),
    ] {
      if let text { members.append((name, .string(text))) }
    }
    return Array(JSONValue.object(members + details).text.utf8)
  }

  /// Name and value of the record of an event of the vault as a whole.
  public static func ofVault(_ kind: Kind, by context: AuditContext) -> (name: [UInt8], value: [UInt8]) {
    (vaultName, value(kind, context))
  }

  /// The same with members that only this kind has.
  package static func ofVault(
    _ kind: Kind, by context: AuditContext, _ details: [(String, JSONValue)]
  ) -> (name: [UInt8], value: [UInt8]) {
    (vaultName, value(kind, context, details))
  }

  /// The same of a new generation, with what it took over and left out.
  public static func ofVault(
    _ kind: Kind, by context: AuditContext, making report: MaintenanceReport
  ) -> (name: [UInt8], value: [UInt8]) {
    let counts = [
      ("records", report.kept), ("dropped_records", report.superseded), ("dropped_events", report.events),
      ("expired", report.over), ("damaged", report.damaged.count),
    ]
    let members: [(String, JSONValue)] = [("generation", .unsigned(report.generation))]
    return (vaultName, value(kind, context, members + counts.map { ($0.0, .integer(Int64($0.1))) }))
  }

  /// The members of a read that is recorded later.
  static func read(at time: Int64, oneIn period: Int, by context: AuditContext) -> [UInt8] {
    let members: [(String, JSONValue)] = [("at", .integer(time))]
    return value(.read, context, members + (period > 1 ? [("one_in", .integer(Int64(period)))] : []))
  }

  /// The event of a record; `nil` for an event of a kind that this version does not know.
  ///
  /// - Throws: `frame-damaged` for a record that opens and is no event.
  package init?(_ entry: borrowing VaultEntry) throws(VaultError) {
    guard case .object(let members)? = try? JSONValue(parsing: entry.value),
      case .string(let name)? = members.first(where: { $0.0 == "event" })?.1
    else {
      throw VaultError(.frameDamaged, "an event opens, but tells nothing: another program wrote it wrongly")
    }
    guard let kind = Kind(rawValue: name) else { return nil }
    func text(_ name: String) -> String? {
      guard case .string(let text)? = members.first(where: { $0.0 == name })?.1 else { return nil }
      return text
    }
    self.kind = kind
    id = TokenID(recordName: entry.name)
    seq = entry.version
    time = members.first { $0.0 == "at" }?.1.wholeNumber ?? entry.time
    context = AuditContext(
      kept: text("actor"), text("reason"), ipAddress: text("ip"), userAgent: text("user_agent"))
    let common: Set<String> = ["event", "actor", "reason", "ip", "user_agent", "at"]
    details = members.filter { !common.contains($0.0) }
  }

  /// What only some kinds say, as a JSON object: counts, or the SHA-256 of a token that is out of use.
  public var detailsJSON: String { JSONValue.object(details).text }

  /// The access token that this event's change put out of use.
  package var superseded: TokenDigest? { TokenDigest(details) }
}

extension VaultBatch {
  /// Adds an event to what it tells of.
  mutating func audit(
    _ kind: AuditEvent.Kind, of id: TokenID, by context: AuditContext, superseding digest: TokenDigest? = nil,
    _ details: [(String, JSONValue)] = []
  ) throws(VaultError) {
    let value = AuditEvent.value(kind, context, details + (digest?.members ?? []))
    try event(id.recordName.span, value: value.span)
  }
}
