public import VaultEngine

/// Which events are asked for: those for which everything that is said here holds.
public struct AuditQuery: Sendable {
  /// Of this user id; `nil` for all, and for events of the vault as a whole.
  public var user: [UInt8]?
  /// Of this provider; `nil` for all. Empty means entries that have none, and not the vault as a whole.
  public var provider: [UInt8]?
  /// Of these kinds; empty for all.
  public var kinds: Set<AuditEvent.Kind> = []
  /// Of this actor; `nil` for all.
  public var actor: String?
  /// That happened then or later, in microseconds since 1970.
  public var since: Int64?
  /// That happened before then, in microseconds since 1970.
  public var until: Int64?
  /// That were recorded by writes behind this version.
  public var after: UInt64 = 0
  /// The newest so many of them; `nil` for all. Then no more events are read than it takes to find them.
  public var newest: Int?

  /// All events.
  public init() {}

  /// Whether the event is one of those that are asked for, be they many or few.
  public func matches(_ event: AuditEvent) -> Bool {
    if let user, event.id?.user != user { return false }
    if let provider, event.id?.provider != provider { return false }
    if !kinds.isEmpty, !kinds.contains(event.kind) { return false }
    // As bytes: two texts that look the same may be two actors.
    if let actor {
      guard let other = event.context.actor, other.utf8.elementsEqual(actor.utf8) else { return false }
    }
    if let since, event.time < since { return false }
    if let until, event.time >= until { return false }
    return true
  }
}

extension TokenStore {
  /// Gives the events that `query` asks for to `body`, in the order in which they were recorded, until it returns false.
  ///
  /// It goes from the newest event back to the oldest that may be asked for, keeping 8 bytes of each that is, and then reads
  /// these once more: a pread(2) each time. Other records and the index cost nothing. Events of kinds that this version does
  /// not know are passed over.
  ///
  /// - Returns: the vault's newest version at that moment. Asked for as ``AuditQuery/after`` the next time, it gives what came
  ///   in since, through compactions and other changes of the file too.
  /// - Throws: `frame-damaged`, `chain-broken`, after `body` was given all that can be reached; otherwise as
  ///   ``Vault/entry(named:)``.
  @discardableResult
  public func events(
    _ query: AuditQuery = AuditQuery(), _ body: (AuditEvent) throws(VaultError) -> Bool
  ) throws(VaultError) -> UInt64 {
    try instruments.measure(instruments.read) { () throws(VaultError) in
      let events = try vault.events()
      let last = max(events.lastVersion, query.after)
      guard events.lastVersion > query.after else { return last }
      var (places, damage) = events.places(of: query)
      while let place = places.popLast() {
        guard let event = try AuditEvent(events.event(at: place)) else { continue }
        guard try body(event) else { return last }
      }
      if let damage { throw damage }
      return last
    }
  }
}

extension VaultEvents {
  /// Where the events stand that `query` asks for, newest first, and what kept it from finding more.
  fileprivate func places(of query: AuditQuery) -> (places: [UInt64], damage: VaultError?) {
    var places: [UInt64] = []
    var damage: VaultError?
    let wanted = query.newest ?? .max
    guard wanted > 0 else { return ([], nil) }
    do throws(VaultError) {
      try forEachEvent { (entry) throws(VaultError) in
        guard entry.version > query.after else { return false }
        do throws(VaultError) {
          if let event = try AuditEvent(entry), query.matches(event) { places.append(entry.offset) }
        } catch {
          // One that tells nothing hides none of the others.
          damage = damage ?? error
        }
        return places.count < wanted
      }
    } catch {
      damage = error
    }
    return (places, damage)
  }
}
