import ArgumentParser
import TokenVault
import VaultEngine

/// Lists events.
struct AuditLog: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", _superCommandName: "tokenvault audit",
    abstract: "List what happened, oldest first.",
    discussion: """
      --actor lists only what that one did. Times are RFC 3339 (2026-11-21T08:00:00Z), a date, which is its midnight in UTC, or a span like 7d, which is so long \
      ago. With --tail only the newest are read, however large the vault is. --follow goes on until it is interrupted, which \
      is its ordinary end.

      kinds: \(AuditEvent.Kind.allCases.map(\.rawValue).joined(separator: ", "))
      """)

  @Option(help: ArgumentHelp("Only this user's.", valueName: "id"))
  var user: String?
  @Option(help: ArgumentHelp("Only this provider's.", valueName: "name"))
  var provider: String?
  @Option(help: ArgumentHelp("Only events of this kind; may be repeated.", valueName: "kind"))
  var event: [String] = []
  @Option(help: ArgumentHelp("Only from this time on.", valueName: "time"))
  var since: String?
  @Option(help: ArgumentHelp("Only before this time.", valueName: "time"))
  var until: String?
  @Option(help: ArgumentHelp("Only the newest so many.", valueName: "n"))
  var tail: Int?
  @Flag(help: "Go on with what comes.")
  var follow = false
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if let tail, tail < 1 { throw ValidationError("--tail takes a number from 1 on") }
    if follow, until != nil { throw ValidationError("--follow and --until exclude each other") }
  }

  func run(_ settings: Settings) throws {
    var query = try query()
    var lines = EventLines(asJSON: settings.json)
    try settings.use(readOnly: true) { (vault) in
      let store = TokenStore(vault)
      try lines.write(query, of: store)
      guard follow else { return }
      query.newest = nil
      let wait = FollowWait()
      while try wait.goesOn() {
        query.after = lines.version
        try lines.write(query, of: store)
      }
    }
  }

  private func query() throws -> AuditQuery {
    var query = AuditQuery()
    query.user = user.map { Array($0.utf8) }
    query.provider = provider.map { Array($0.utf8) }
    query.kinds = Set(try event.map { (name) in try Self.kind(name) })
    // Here it is no one who acts, but whose acts are asked for; a variable that names who acts does not count.
    query.actor = globals.actor
    query.since = try since.map { (text) in try TimePoint(text, of: "--since").microseconds }
    query.until = try until.map { (text) in try TimePoint(text, of: "--until").microseconds }
    query.newest = tail
    if let since = query.since, let until = query.until, since >= until {
      throw CommandFailure(.usage, "--since is not before --until: no event can be between them")
    }
    return query
  }

  private static func kind(_ name: String) throws(CommandFailure) -> AuditEvent.Kind {
    if let kind = AuditEvent.Kind(rawValue: name) { return kind }
    let all = AuditEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
    throw CommandFailure(.usage, "there are no events of that kind", remedy: "the kinds are: \(all)")
  }
}
