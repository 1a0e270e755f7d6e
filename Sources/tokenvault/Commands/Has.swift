import ArgumentParser
import TokenVault

/// Tells by its exit code alone whether there is a token.
struct Has: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "has", _superCommandName: "tokenvault",
    abstract: "Exit 0 when there is a token, 3 when not, 4 when it expires too soon.")

  @OptionGroup var entry: EntryOptions
  @Option(help: ArgumentHelp("How long the token must be valid yet.", valueName: "dur"))
  var validFor: TimeSpan?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    let stored = try settings.read { (store) in try store.tokenUnread(for: id) }
    guard let stored else { throw CommandFailure.silent(.notFound) }
    if let validFor, !stored.token.isValid(for: validFor) { throw CommandFailure.silent(.reauthNeeded) }
  }
}
