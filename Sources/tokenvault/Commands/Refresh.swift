import ArgumentParser
import JSONText
import TokenVault

/// Has a token refreshed.
struct Refresh: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "refresh", _superCommandName: "tokenvault",
    abstract: "Have a token refreshed by a command, once, however many ask for it.",
    discussion: """
      While the token is valid for the time that --valid-for says, nothing happens. Else the command is given the token's JSON on \
      standard input, and prints what the token endpoint answers. Of all that ask at the same moment one runs its command, and \
      the others get the same new token, which is on the disk before anybody sees it.

        tokenvault refresh ada --valid-for 5m --print -- sh -c '
          jq -j .refresh_token |
          curl -sS --fail-with-body -d grant_type=refresh_token -d client_id=me \\
            --data-urlencode refresh_token@- https://provider.example/token'

      A command that fails, or prints something else, leaves the token as it is, and is not run again within the cool-down. It \
      exits 4 when the user has to give consent anew, 69 when it may be tried again. The command runs without a shell of its own, \
      in a session of its own, and without the variable that the key is in.

      An account that does not keep its access token has one to print only when it was just refreshed: with --print, that happens \
      each time.
      """)

  @OptionGroup var entry: EntryOptions
  @Option(help: ArgumentHelp("How long the token must be valid yet: 5m.", valueName: "dur"))
  var validFor: TimeSpan
  @Option(help: ArgumentHelp("How long a failed refresh is not repeated; 30s unless told.", valueName: "dur"))
  var cooldown: TimeSpan?
  @Option(help: ArgumentHelp("How long to wait for others and the command; 60s unless told.", valueName: "dur"))
  var timeout: TimeSpan?
  @Flag(help: "Print the access token.")
  var print = false
  @Argument(parsing: .postTerminator, help: "The command and its arguments, behind --.")
  var command: [String] = []
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if command.isEmpty { throw ValidationError("name a command behind --, which asks the token endpoint") }
  }

  func run(_ settings: Settings) throws {
    var request = RefreshRequest(id: try entry.tokenID(), validFor: validFor, command: command)
    if let cooldown { request.options.coolDown = cooldown.duration }
    if let timeout { request.options.timeLimit = timeout.duration }
    request.needsAccessToken = print
    let refreshed = try request.run(settings)
    let token = refreshed.stored.token
    if settings.json {
      try Output.line(json(refreshed))
    } else if print {
      try Output.line(token.accessToken ?? "")
    }
  }

  private func json(_ refreshed: RefreshedToken) -> String {
    let stored = refreshed.stored
    var members = stored.id.members
    members.append(("seq", .unsigned(stored.seq)))
    members.append(("refreshed", .bool(refreshed.isNew)))
    if let expiresAt = stored.expiresAt { members.append(("expires_at", .integer(expiresAt))) }
    if print { members.append(("access_token", JSONValue(stored.token.accessToken))) }
    return JSONValue.object(members).text
  }
}

/// A refresh as commands ask for it.
struct RefreshRequest {
  let id: TokenID
  let validFor: TimeSpan
  let command: [String]
  var options = RefreshOptions()

  init(id: TokenID, validFor: TimeSpan, command: [String]) {
    (self.id, self.validFor, self.command) = (id, validFor, command)
  }

  /// Whether the access token is going to be used.
  var needsAccessToken: Bool {
    get { options.needsAccessToken }
    set { options.needsAccessToken = newValue }
  }

  /// Has it refreshed, if need be.
  func run(_ settings: Settings) throws -> RefreshedToken {
    try settings.write { (store) in
      try store.refresh(
        id, validFor: validFor.duration, options: options, by: settings.context, command: command)
    }
  }
}
