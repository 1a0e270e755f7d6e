internal import JSONText

/// When a token was first stored and last changed elsewhere, as members of the event of a record that stays sealed.
struct LegacyTimes: Sendable {
  let created: Int64?
  let updated: Int64?

  init(_ times: (created: Int64?, updated: Int64?)?) { (created, updated) = times ?? (nil, nil) }

  init?(_ event: AuditEvent) {
    guard event.kind == .imported else { return nil }
    func time(_ name: String) -> Int64? { event.details.first { $0.0 == name }?.1.wholeNumber }
    (created, updated) = (time("created_at"), time("updated_at"))
    guard created != nil || updated != nil else { return nil }
  }

  /// In microseconds since 1970.
  var members: [(String, JSONValue)] {
    [("created_at", created), ("updated_at", updated)].compactMap { (name, time) in
      time.map { (name, .integer($0)) }
    }
  }
}
