import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Takes an account's secrets out.
struct Revoke: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", _superCommandName: "tokenvault",
    abstract: "Take an account's tokens out, and keep who it is and what happened to it; 'link' takes that back.",
    discussion: """
      From then on 'get' and 'has' end with 4. The provider is not told: revoke the token there, too. Earlier values stay in \
      the vault's file until 'tokenvault compact' leaves them out.
      """)

  @OptionGroup var entry: EntryOptions
  @OptionGroup var origin: OriginOptions
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    let context = try origin.context(settings)
    let wasActive: Bool
    do {
      wasActive = try settings.write { (store) in try store.revoke(id, by: context) }
    } catch let error as VaultError where error.code == .notFound {
      throw CommandFailure.noSuchName
    }
    settings.note(
      wasActive
        ? "revoked; the provider was not told, and old values stay in the file until 'tokenvault compact'"
        : "it was revoked already")
    guard settings.json else { return }
    try Output.line(
      JSONValue.object(id.members + [("revoked", .bool(true)), ("was_active", .bool(wasActive))]).text)
  }
}
