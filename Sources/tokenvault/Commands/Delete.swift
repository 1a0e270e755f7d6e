import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Deletes a token.
struct Delete: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", _superCommandName: "tokenvault",
    abstract: "Delete a token. Its history stays until the vault is compacted.")

  @OptionGroup var entry: EntryOptions
  @Flag(help: "Do not ask.")
  var yes = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    let prompt = Prompt(settings: settings)
    guard yes || prompt.isPossible else { throw Self.mustSayYes }
    let deleted = try settings.write { (store) in
      guard try store.tokenUnread(for: id) != nil else { return false }
      if !yes { try Self.confirm(prompt, id) }
      return try store.delete(id)
    }
    guard deleted else { throw CommandFailure.noSuchName }
    guard settings.json else { return }
    try Output.line(JSONValue.object(id.members + [("deleted", .bool(true))]).text)
  }

  private static func confirm(_ prompt: Prompt, _ id: TokenID) throws {
    switch try prompt.confirm("Delete the token of \(TerminalText.safe(id.user))?") {
    case true?: return
    case false?: throw CommandFailure(.interrupted, "nothing was deleted")
    case nil: throw mustSayYes
    }
  }

  private static let mustSayYes = CommandFailure(
    .usage, "there is no terminal to ask on whether to delete", remedy: "say so with --yes")
}
