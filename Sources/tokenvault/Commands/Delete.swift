import ArgumentParser
import TokenVault

/// Deletes a token.
struct Delete: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", _superCommandName: "tokenvault",
    abstract: "Delete a token; an account is unlinked. Its history stays until the vault is compacted.")

  @OptionGroup var entry: EntryOptions
  @Flag(help: "Do not ask.")
  var yes = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    let removal = EntryRemoval(id: id, isAgreed: yes, verb: "Delete", outcome: "deleted")
    try removal.run(settings) { (store) throws(VaultError) in try store.delete(id, by: settings.context) }
  }
}
