import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Links a user to an account of a provider.
struct Link: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "link", _superCommandName: "tokenvault",
    abstract: "Link a user to a provider's account: the token's JSON comes in on standard input.",
    discussion: """
      A user has one account of each provider, and an account has one user. The JSON is what the token endpoint answered with; \
      expires_in becomes expires_at. Of the access token only a hash is kept, unless --keep-access-token asks for the token \
      itself, which is remembered. To link again replaces all of it, and takes back a revocation.

        curl ... https://provider.example/token | tokenvault link ada@example.com --provider reddit --account t2_4x7k2
      """)

  @OptionGroup var entry: EntryOptions
  @Option(help: ArgumentHelp("The provider's own id of the account, which never changes.", valueName: "id"))
  var account: String
  @Option(help: ArgumentHelp("What the provider calls the user.", valueName: "text"))
  var name: String?
  @Option(help: ArgumentHelp("What was granted; can be repeated. The token's scope unless told.", valueName: "text"))
  var scope: [String] = []
  @Flag(inversion: .prefixedNo, help: "Keep the access token, not only its hash; as before unless told.")
  var keepAccessToken: Bool?
  @Option(help: ArgumentHelp("Forget the account after this time: 90s, 15m, 12h, 30d.", valueName: "dur"))
  var ttl: TimeSpan?
  @Flag(help: "Only when there is nothing under this name; else exit 5.")
  var ifAbsent = false
  @Option(help: ArgumentHelp("Only when the name's newest write has this sequence; else exit 5.", valueName: "n"))
  var ifSeq: UInt64?
  @OptionGroup var origin: OriginOptions
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if entry.provider.isEmpty { throw ValidationError("Missing expected argument '--provider <name>'") }
    if ifAbsent, ifSeq != nil { throw ValidationError("--if-absent and --if-seq exclude each other") }
    if ttl?.milliseconds == 0 { throw ValidationError("--ttl must be longer than nothing") }
    if scopes.isEmpty, !scope.isEmpty { throw ValidationError("--scope must not be empty") }
  }

  func run(_ settings: Settings) throws {
    try TokenInput.check(settings)
    let id = try entry.tokenID()
    let account = try ProviderAccount(id: account, name: name)
    let context = try origin.context(settings)
    let sequence = try settings.write { (store) in
      var new = NewAccount(account, token: try TokenInput.read(settings))
      new.scopes = scopes
      new.keepsAccessToken = keepAccessToken
      new.ttl = ttl?.duration
      return try store.link(new, for: id, if: condition, by: context)
    }
    guard settings.json else { return }
    try Output.line(JSONValue.object(id.members + [("seq", .unsigned(sequence))] + account.members).text)
  }

  /// Providers part scopes by spaces, and so may whoever copies them.
  private var scopes: [[UInt8]] {
    scope.flatMap { $0.utf8.split(separator: UInt8(ascii: " ")).map { Array($0) } }
  }

  private var condition: WriteCondition {
    ifAbsent ? .absent : ifSeq.map { .version($0) } ?? .any
  }
}
