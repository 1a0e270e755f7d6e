import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Shows how a vault is built.
struct Inspect: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", _superCommandName: "tokenvault",
    abstract: "Show how the vault is built: header, key slots, terms, index, frames. Needs no key.",
    discussion: """
      With a key it shows besides: the vault's generations, how many bytes a compaction would spare, the runs of the index, \
      and the times of records. Names and tokens are never shown.
      """)

  @Flag(help: "List every frame; with a key, what records do and when.")
  var frames = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let damage = frames ? try listFrames(settings) : try describe(settings)
    if let damage { throw damage }
  }

  private func describe(_ settings: Settings) throws -> VaultError? {
    let inspection =
      settings.source == nil
      ? try Vault.inspect(at: settings.vault)
      : try Vault.inspect(at: settings.vault, credential: settings.credential())
    if settings.json {
      try Output.line(InspectionJSON(inspection, path: settings.vault).value.text)
    } else {
      try Output.write(InspectionText(inspection, path: settings.vault).text)
    }
    return inspection.damage
  }

  private func listFrames(_ settings: Settings) throws -> VaultError? {
    let credential = settings.source == nil ? nil : try settings.credential()
    var list = FrameList(asJSON: settings.json, withRecords: credential != nil)
    var failure: CommandFailure?
    do {
      let damage = try Vault.forEachFrame(at: settings.vault, credential: credential) { (frame) throws(VaultError) in
        do throws(CommandFailure) {
          try list.add(frame)
        } catch {
          failure = error
          throw VaultError(.io, "the list can't be written")
        }
      }
      try list.end()
      return damage
    } catch {
      throw failure ?? error
    }
  }
}
