import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Stores a token, or many.
struct Put: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", _superCommandName: "tokenvault",
    abstract: "Store a token, or many: their JSON comes in on standard input.",
    discussion: """
      The JSON is what a token endpoint answers with. It is kept as it comes, members that nobody knows included. Under the \
      name of a linked account it takes the place of the account's token; 'tokenvault link' says more of who the user is.

        curl ... https://provider.example/token | tokenvault put ada@example.com

      With --jsonl it is an object a line: the members user_id, and where they are wanted provider and ttl, and all others are \
      the token. A token that has such members itself goes into the member token as a whole.

        {"user_id":"ada@example.com","access_token":"...","refresh_token":"..."}
        {"user_id":"bob@example.com","provider":"reddit","ttl":"30d","token":{"access_token":"...","user_id":7}}

      They are stored in batches. Should it end early, it says how many are stored; running it again does no harm.
      """)

  @Argument(help: "User id that the token is kept under.")
  var id: String?
  @Option(help: ArgumentHelp("Provider, where a user has tokens of several.", valueName: "name"))
  var provider: String = ""
  @Flag(help: "Store many tokens, one object a line.")
  var jsonl = false
  @Flag(help: "Only when there is no token under this name; else exit 5.")
  var ifAbsent = false
  @Option(help: ArgumentHelp("Only when the name's newest write has this sequence; else exit 5.", valueName: "n"))
  var ifSeq: UInt64?
  @Option(help: ArgumentHelp("Forget the token after this time: 90s, 15m, 12h, 30d.", valueName: "dur"))
  var ttl: TimeSpan?
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if ifAbsent, ifSeq != nil { throw ValidationError("--if-absent and --if-seq exclude each other") }
    if ttl?.milliseconds == 0 { throw ValidationError("--ttl must be longer than nothing") }
    if jsonl, id != nil { throw ValidationError("--jsonl takes the user ids from the lines, and excludes ID") }
    if jsonl, ifSeq != nil { throw ValidationError("--jsonl and --if-seq exclude each other") }
    if !jsonl, id == nil { throw ValidationError("Missing expected argument '<id>'") }
  }

  func run(_ settings: Settings) throws {
    try TokenInput.check(settings)
    guard let id else {
      let form = TokenLine(provider: provider, ttl: ttl?.duration)
      return try LineLoad(form: form, ifAbsent: ifAbsent).run(settings, progress: globals.progressMode())
    }
    let name = try TokenID(user: id, provider: provider)
    let sequence = try settings.write { (store) in
      let token = try TokenInput.read(settings)
      return try store.put(token, for: name, if: condition, ttl: ttl?.duration, by: settings.context)
    }
    guard settings.json else { return }
    try Output.line(JSONValue.object(name.members + [("seq", .unsigned(sequence))]).text)
  }

  private var condition: WriteCondition {
    ifAbsent ? .absent : ifSeq.map { .version($0) } ?? .any
  }
}
