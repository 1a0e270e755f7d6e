import JSONText
import TokenVault

/// Findings on standard output as they come, and how many there were. The tokens themselves are never shown.
struct LeakList {
  /// Rows of a table whose columns are aligned with each other; more are not held.
  private static let group = 1000

  private let settings: Settings
  private var rows: [[String]] = []
  private var hasHeadings = false
  private var count = 0
  private var current = 0
  private var owners: Set<TokenID> = []

  init(_ settings: Settings) { self.settings = settings }

  /// Adds a finding.
  ///
  /// - Parameter path: of the file that it is in; `nil` for the one text that there is.
  /// - Throws: ``ExitCode/io``.
  mutating func add(_ finding: LeakFinding, in path: [UInt8]? = nil) throws(CommandFailure) {
    count += 1
    if finding.isCurrent { current += 1 }
    owners.insert(finding.owner)
    guard !settings.quiet else { return }
    if settings.json { return try Output.line(Self.json(finding, path).text) }
    rows.append(Self.row(finding, path))
    if rows.count == Self.group { try flush() }
  }

  /// Writes what was not written yet.
  ///
  /// - Throws: ``ExitCode/io``; ``ExitCode/finding`` when there was one.
  mutating func end() throws(CommandFailure) {
    try flush()
    guard count > 0 else { return }
    guard !settings.quiet else { throw .silent(.finding) }
    let tokens = counted(count, "token", "tokens")
    let accounts = counted(owners.count, "account", "accounts")
    let state = current == 0 ? "none is what the vault holds now" : "\(current) of what the vault holds now"
    throw CommandFailure(
      .finding, "found \(tokens) of \(accounts), \(state)",
      remedy: """
        revoke each at its provider, superseded ones too where they may still be good; then link the account again with \
        'tokenvault link', or get a new token with 'tokenvault refresh'
        """)
  }

  private mutating func flush() throws(CommandFailure) {
    guard !rows.isEmpty else { return }
    var table = hasHeadings ? Table() : Table(["WHERE", "USER", "PROVIDER", "WHAT"])
    for row in rows { table.add(row) }
    try Output.write(table.text)
    hasHeadings = true
    rows = []
  }

  private static func row(_ finding: LeakFinding, _ path: [UInt8]?) -> [String] {
    let start = path.map { TerminalText.safe($0) + ":" } ?? "line "
    return [
      "\(start)\(finding.line), byte \(finding.offset)", TerminalText.safe(finding.owner.user),
      finding.owner.provider.isEmpty ? "-" : TerminalText.safe(finding.owner.provider),
      "\(finding.kind.words), \(finding.isCurrent ? "current" : "superseded")\(finding.isHash ? ", its hash" : "")",
    ]
  }

  private static func json(_ finding: LeakFinding, _ path: [UInt8]?) -> JSONValue {
    var members: [(String, JSONValue)] = []
    if let path {
      members.append(("path", .string(String(decoding: path, as: UTF8.self))))
      // Nothing may be lost of a name that is no text.
      if String(validating: path, as: UTF8.self) == nil { members.append(("path_hex", .string(path.span.hex))) }
    }
    members.append(("line", .unsigned(finding.line)))
    members.append(("offset", .unsigned(finding.offset)))
    members += finding.owner.members
    members.append(("token", .string(finding.kind.rawValue)))
    members.append(("current", .bool(finding.isCurrent)))
    members.append(("hash", .bool(finding.isHash)))
    return .object(members)
  }
}

extension LeakFinding.Kind {
  /// For people.
  fileprivate var words: String {
    switch self {
    case .accessToken: "access token"
    case .refreshToken: "refresh token"
    }
  }
}

extension Settings {
  /// What the vault knows of; what can't be looked for is noted.
  func knownTokens() throws -> KnownTokens {
    let known = try read { (store) in try store.knownTokens() }
    if known.sealed > 0 {
      note(
        """
        \(known.sealed) entries are sealed as an older system sealed them, and their tokens are not looked for; \
        'tokenvault upgrade' seals them anew
        """)
    }
    if known.tooShort > 0 {
      note("tokens of less than \(KnownTokens.shortest) bytes are not looked for: \(known.tooShort)")
    }
    return known
  }
}
