import ArgumentParser
import JSONText
import VaultCrypto

/// Makes a key.
struct Keygen: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen", _superCommandName: "tokenvault",
    abstract: "Make a new random key: 64 hexadecimal digits.",
    discussion: """
      On standard output, or with --out in a new file that only you can read. Whoever has the key has the tokens; without it \
      nobody has them: keep a copy in another place than the vault.
      """)

  @Option(help: ArgumentHelp("A new file for the key. An existing one is left alone.", valueName: "file"))
  var out: String?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let digits = try KeyFile.newKey()
    guard let out else {
      guard settings.json else { return try Output.write(digits.span) }
      try Output.write("{\"key\":\"")
      try Output.write(digits.span.extracting(0..<64))
      return try Output.line("\"}")
    }
    try KeyFile.create(at: out, digits: digits)
    if settings.json { try Output.line(JSONValue.object([("key_file", .string(out))]).text) }
  }
}
