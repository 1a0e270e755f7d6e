import ArgumentParser
import Glibc
import JSONText
import TokenVault
import VaultCrypto
import VaultEngine

/// Stores a token.
struct Put: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", _superCommandName: "tokenvault",
    abstract: "Store a token: its JSON comes in on standard input.",
    discussion: """
      The JSON is what a token endpoint answers with. It is kept as it comes, members that nobody knows included.

        curl ... https://provider.example/token | tokenvault put ada@example.com
      """)

  @OptionGroup var entry: EntryOptions
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
  }

  func run(_ settings: Settings) throws {
    if settings.source?.place == .standardInput {
      throw CommandFailure(
        .usage, "standard input can't be both the key and the token",
        remedy: "give the key with file:, env:, fd: or cmd:")
    }
    let id = try entry.tokenID()
    let sequence = try settings.write { (store) in
      let token = try Self.token(settings)
      return try store.put(token, for: id, if: condition, ttl: ttl?.duration)
    }
    guard settings.json else { return }
    try Output.line(JSONValue.object(id.members + [("seq", .unsigned(sequence))]).text)
  }

  private var condition: WriteCondition {
    ifAbsent ? .absent : ifSeq.map { .version($0) } ?? .any
  }

  private static func token(_ settings: Settings) throws -> OAuthToken {
    if isatty(STDIN_FILENO) == 1 { settings.note("reading the token's JSON from the terminal, end with ctrl-D") }
    let json: SecretBytes
    do {
      json = try SecretBytes.reading(STDIN_FILENO, limit: VaultLimits.value)
    } catch {
      throw failure(error)
    }
    return try OAuthToken(json: json.span)
  }

  private static func failure(_ failure: ReadFailure) -> CommandFailure {
    switch failure {
    case .tooLong:
      CommandFailure(VaultError(.valueTooLarge, "the token is longer than \(VaultLimits.value) bytes"))
    case .system(let number):
      CommandFailure(.io, "standard input can't be read: \(systemMessage(number))")
    case .memory(let sentence): CommandFailure(.failure, sentence)
    }
  }
}
