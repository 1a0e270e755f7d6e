import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Removes a key slot.
struct KeyRemove: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Take away a key or passphrase by the number of its slot. The last one stays.",
    discussion: """
      Whoever has an older copy of the vault still opens that copy with it, and can take from it the root key, which opens \
      newer ones too: 'rekey' shuts him out of what is written from then on.
      """)

  @Argument(help: "Number of the slot, as 'key list' shows it.")
  var slot: UInt32
  @Flag(help: "Also the slot that the given key or passphrase opens.")
  var evenInUse = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    try settings.use(readOnly: false) { (vault) in
      if try slot == vault.openedKey(), !evenInUse, try vault.keys().count > 1 {
        throw CommandFailure(
          .conflict, "key slot \(slot) is the one that the given key or passphrase opens",
          remedy: "if it is meant, say so with --even-in-use; to put another in its place, use 'tokenvault key change'")
      }
      try vault.removeKey(slot, evenInUse: evenInUse)
    }
    guard settings.json else { return settings.note("key slot \(slot) was removed") }
    try Output.line(JSONValue.object([("removed", .integer(Int64(slot)))]).text)
  }
}
