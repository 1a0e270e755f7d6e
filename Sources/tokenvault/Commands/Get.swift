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
  @Option(help: ArgumentHelp("Have it refreshed then: a program and its arguments.", valueName: "cmd"))
  var refreshWith: String?
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if refreshWith != nil, validFor == nil { throw ValidationError("--refresh-with goes with --valid-for") }
    if field != nil, format == .json { throw ValidationError("--field goes with the formats plain, header and env") }
  }

  func run(_ settings: Settings) throws {
    let token = try refreshWith.map { try refreshed(settings, with: $0) } ?? stored(settings)
    try Output.write(text(of: token, as: format ?? (settings.json ? .json : .plain)))
  }

  private func stored(_ settings: Settings) throws -> OAuthToken {
    let id = try entry.tokenID()
    let stored = try settings.read { (store) in try store.token(for: id, by: settings.context) }
    guard let stored else { throw CommandFailure.noSuchName }
    guard stored.revoked == nil else { throw CommandFailure.revoked }
    try stored.token.check(validFor: validFor)
    return stored.token
  }

  private func refreshed(_ settings: Settings, with text: String) throws -> OAuthToken {
    guard let words = CommandLineText.words(text), let validFor else {
      throw CommandFailure(.usage, "--refresh-with names no program, or leaves a quote open")
    }
    var call = RefreshRequest(id: try entry.tokenID(), validFor: validFor, command: words)
    call.needsAccessToken = (field ?? "access_token") == "access_token"
    return try call.run(settings).stored.token
  }

  private func text(of token: OAuthToken, as format: Format) throws -> String {
    let name = field ?? "access_token"
    switch format {
    case .json where field != nil:
      guard let value = token.value(of: name) else { throw CommandFailure.noSuchMember }
      return value.text + "\n"
    case .plain: return try member(name, of: token) + "\n"
    case .json: return token.json + "\n"
    case .header:
      let value = try member(name, of: token)
      guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
        throw CommandFailure(.failure, "the member holds characters that can't stand in a header")
      }
      return "Authorization: Bearer " + value + "\n"
    case .env: return try ShellVariables(token, only: field).text
    }
  }

  private func member(_ name: String, of token: OAuthToken) throws -> String {
    guard let value = token.member(name) else { throw CommandFailure.noSuchMember }
    return value
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
  init(_ token: OAuthToken, only field: String?) throws {
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
    guard field == nil || !seen.isEmpty else { throw CommandFailure.noSuchMember }
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
