import ArgumentParser
import TokenVault

/// Removes an account.
struct Unlink: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlink", _superCommandName: "tokenvault",
    abstract: "Remove an account, so that another user can have it. What happened to it stays in the audit.",
    discussion: """
      The provider is not told: revoke the token there first. Earlier values stay in the vault's file until 'tokenvault \
      compact' leaves them out.
      """)

  @OptionGroup var entry: EntryOptions
  @Flag(help: "Do not ask.")
  var yes = false
  @OptionGroup var origin: OriginOptions
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    let context = try origin.context(settings)
    let removal = EntryRemoval(id: id, isAgreed: yes, verb: "Unlink", outcome: "unlinked")
    try removal.run(settings) { (store) throws(VaultError) in try store.unlink(id, by: context) }
  }
}
