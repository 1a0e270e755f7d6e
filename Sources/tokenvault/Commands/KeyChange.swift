import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Puts a new key slot in the place of the one that was given.
struct KeyChange: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "change",
    abstract: "Put a new key or passphrase in the place of the given one.",
    discussion: """
      In one step: at any moment one of the two opens the vault. The new one comes from --new-key or --new-passphrase, or is a \
      passphrase that is asked for on the terminal, and has a slot of a new number. Whoever has an older copy of the vault \
      still opens that copy with the former one, and can take from it the root key, which opens newer ones too: 'rekey' shuts \
      him out of what is written from then on.
      """)

  @OptionGroup var new: NewCredentialOptions
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let source = try new.source(settings)
    let (old, number) = try settings.use(readOnly: false) { (vault) in
      (try vault.openedKey(), try vault.changeKey(to: source.credential()))
    }
    guard settings.json else { return settings.note("key slot \(number) took the place of slot \(old)") }
    try Output.line(
      JSONValue.object([("slot", .integer(Int64(number))), ("removed", .integer(Int64(old)))]).text)
  }
}
