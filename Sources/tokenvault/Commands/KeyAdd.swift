import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Adds a key slot.
struct KeyAdd: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Let another key or passphrase open the vault too.",
    discussion: """
      The vault is opened with --key or --passphrase. What is added comes from --new-key or --new-passphrase, or is a \
      passphrase that is asked for on the terminal.

        tokenvault keygen --out second.key
        tokenvault key add --new-key file:second.key
      """)

  @OptionGroup var new: NewCredentialOptions
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let source = try new.source(settings)
    let number = try settings.use(readOnly: false) { (vault) in try vault.addKey(source.credential()) }
    guard settings.json else { return settings.note("key slot \(number) was added") }
    try Output.line(JSONValue.object([("slot", .integer(Int64(number)))]).text)
  }
}
