import JSONText
import TokenVault
import VaultEngine

/// Events as lines on standard output, written as they come.
struct EventLines {
  /// Bytes that are gathered before they are written.
  private static let room = 1 << 16
  /// Columns, and how wide each is at least: a row is written before the next is known.
  private static let columns = [
    ("TIME", 20), ("EVENT", 14), ("USER", 12), ("PROVIDER", 10), ("ACTOR", 10), ("REASON", 10), ("FROM", 0),
  ]

  private let asJSON: Bool
  private var hasHeading = false
  private var waiting: [UInt8] = []
  /// The vault's newest version when the last events were asked for.
  private(set) var version: UInt64 = 0

  /// - Parameter asJSON: an object a line instead of a table.
  init(asJSON: Bool) { self.asJSON = asJSON }

  /// Writes the events that `query` asks for.
  ///
  /// - Throws: ``CommandFailure``; damage, when all that can be reached was written.
  mutating func write(_ query: AuditQuery, of store: TokenStore) throws {
    var failure: CommandFailure?
    do {
      version = try store.events(query) { (event) in
        do throws(CommandFailure) {
          try add(event)
          return true
        } catch {
          failure = error
          return false
        }
      }
    } catch {
      if failure == nil { try flush() }
      throw error
    }
    if let failure { throw failure }
    try flush()
  }

  private mutating func add(_ event: AuditEvent) throws(CommandFailure) {
    if !asJSON, !hasHeading { waiting += Array(Self.row(Self.columns.map(\.0)).utf8) }
    hasHeading = true
    waiting += Array((asJSON ? Self.json(event) + "\n" : Self.row(Self.cells(event))).utf8)
    if waiting.count >= Self.room { try flush() }
  }

  private mutating func flush() throws(CommandFailure) {
    guard !waiting.isEmpty else { return }
    try Output.write(waiting.span)
    waiting.removeAll(keepingCapacity: true)
  }

  // MARK: Forms

  private static func row(_ cells: [String]) -> String {
    var line = ""
    for (number, cell) in cells.enumerated() {
      let rest = number == cells.count - 1 ? 0 : max(columns[number].1 - TerminalText.width(cell), 0)
      line += cell + String(repeating: " ", count: rest) + (number == cells.count - 1 ? "" : "  ")
    }
    return line + "\n"
  }

  private static func cells(_ event: AuditEvent) -> [String] {
    let context = event.context
    let provider = event.id?.provider ?? []
    return [
      Timestamp.seconds(event.time), event.kind.rawValue, event.id.map { TerminalText.safe($0.user) } ?? "-",
      provider.isEmpty ? "-" : TerminalText.safe(provider), text(context.actor), text(context.reason),
      text(context.ipAddress),
    ]
  }

  private static func text(_ text: String?) -> String {
    guard let text, !text.isEmpty else { return "-" }
    return TerminalText.safe(text)
  }

  private static func json(_ event: AuditEvent) -> String {
    var members: [(String, JSONValue)] = [
      ("seq", .unsigned(event.seq)), ("time", .string(Timestamp.full(event.time))),
      ("event", .string(event.kind.rawValue)),
    ]
    if let id = event.id { members += id.members }
    let context = event.context
    for (name, text) in [
      ("actor", context.actor), ("reason", context.reason), ("ip", context.ipAddress),
      ("user_agent", context.userAgent),
    ] {
      if let text { members.append((name, .string(text))) }
    }
    // What another version adds must not make a member stand twice.
    let names = Set(members.map(\.0))
    members += event.details.filter { !names.contains($0.0) }
    return JSONValue.object(members).text
  }
}
