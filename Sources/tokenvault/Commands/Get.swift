import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Reads a token.
struct Get: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", _superCommandName: "tokenvault",
    abstract: "Print a token, or one member of it.",
    discussion: """
      plain    the member and a line end
      json     the token as it was put
      header   Authorization: Bearer ..., for curl -H @-
      env      ACCESS_TOKEN='...' and so on, for a shell

      With --json and no format it is json, and --field gives the JSON of one member.

      --refresh-with names a program that has the token refreshed when it expires sooner than --valid-for says, as 'tokenvault \
      refresh' does; its words are split at white space, without a shell. A token that was refreshed is printed even if it is not \
      good for so long.
      """)

  /// How the token is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case plain, json, header, env
  }

  @OptionGroup var entry: EntryOptions
  @Option(help: ArgumentHelp("The member; access_token unless told.", valueName: "name"))
  var field: String?
  @Option(help: "How it is printed; plain unless told.")
  var format: Format?
  @Option(help: ArgumentHelp("Exit 4 when the token expires sooner than in this time.", valueName: "dur"))
  var validFor: TimeSpan?
  @Flag(help: "Note in the vault that the account was used, when the token is printed.")
  var recordUse = false
  @Option(help: ArgumentHelp("Have it refreshed then: a program and its arguments.", valueName: "cmd"))
  var refreshWith: String?
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if refreshWith != nil, validFor == nil { throw ValidationError("--refresh-with goes with --valid-for") }
    if field != nil, format == .json { throw ValidationError("--field goes with the formats plain, header and env") }
  }

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    if let refreshWith {
      try print(refreshed(settings, id, with: refreshWith), settings)
      if recordUse { _ = try settings.write { (store) in try store.recordUse(of: id) } }
    } else if recordUse {
      try settings.write { (store) in
        try print(checked(store.token(for: id, by: settings.context)), settings)
        try store.recordUse(of: id)
      }
    } else {
      try print(checked(settings.read { (store) in try store.token(for: id, by: settings.context) }), settings)
    }
  }

  private func checked(_ stored: StoredToken?) throws -> StoredToken {
    guard let stored else { throw CommandFailure.noSuchName }
    try stored.check(validFor: validFor)
    return stored
  }

  private func refreshed(_ settings: Settings, _ id: TokenID, with text: String) throws -> StoredToken {
    guard let words = CommandLineText.words(text), let validFor else {
      throw CommandFailure(.usage, "--refresh-with names no program, or leaves a quote open")
    }
    var call = RefreshRequest(id: id, validFor: validFor, command: words)
    call.needsAccessToken = (field ?? "access_token") == "access_token"
    return try call.run(settings).stored
  }

  private func print(_ stored: StoredToken, _ settings: Settings) throws {
    try Output.write(text(of: stored, as: format ?? (settings.json ? .json : .plain)))
  }

  private func text(of stored: StoredToken, as format: Format) throws -> String {
    let name = field ?? "access_token"
    switch format {
    case .json where field != nil:
      _ = try stored.member(name)
      return (stored.token.value(of: name)?.text ?? "") + "\n"
    case .plain: return try stored.member(name) + "\n"
    case .json: return stored.token.json + "\n"
    case .header:
      let value = try stored.member(name)
      guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
        throw CommandFailure(.failure, "the member holds characters that can't stand in a header")
      }
      return "Authorization: Bearer " + value + "\n"
    case .env: return try ShellVariables(stored, only: field).text
    }
  }
}

/// A token's members as assignments that a POSIX shell can evaluate.
struct ShellVariables {
  /// The assignments, one a line.
  let text: String

  /// Members that OAuth and OpenID Connect define. Others get a prefix: a provider must not be able to set `PATH`.
  private static let known: Set<String> = [
    "access_token", "refresh_token", "id_token", "token_type", "scope", "expires_in", "expires_at",
  ]

  /// - Throws: ``ExitCode/notFound`` when `field` is not there; ``ExitCode/failure`` when two members give one variable.
  init(_ stored: StoredToken, only field: String?) throws {
    let token = stored.token
    if let field { _ = try stored.member(field) }
    var text = ""
    var seen: Set<String> = []
    for name in token.memberNames where field == nil || name == field {
      guard let value = token.member(name) else { continue }
      let variable = Self.variable(name)
      guard seen.insert(variable).inserted else {
        throw CommandFailure(
          .failure, "two members of the token would both be called \(variable)", remedy: "use --field, or --format json"
        )
      }
      text += variable + "=" + Self.quoted(value) + "\n"
    }
    self.text = text
  }

  private static func variable(_ name: String) -> String {
    let letters = name.utf8.map { (byte) -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
      default: UInt8(ascii: "_")
      }
    }
    return (known.contains(name) ? "" : "TOKEN_") + String(decoding: letters, as: UTF8.self)
  }

  private static func quoted(_ value: String) -> String {
    "'" + value.replacing("'", with: "'\\''") + "'"
  }
}
