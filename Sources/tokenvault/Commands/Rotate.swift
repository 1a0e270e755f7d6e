import ArgumentParser
import TokenVault
import VaultEngine

/// Changes the key that records are sealed under.
struct Rotate: GenerationCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", _superCommandName: "tokenvault",
    abstract: "Seal every record anew under a new data key; keys and passphrases that open the vault stay.",
    discussion: """
      Others may read and write the vault meanwhile. The new file is opened under the new key and compared with the old one \
      before it takes its place.

      It revokes nothing: whoever has a copy of the old file, and a key to it, still has every token that it held, and a key \
      that opens the vault opens it still. To change those, 'tokenvault rekey'.
      """)
  static let done = "rotated"
  static let event = AuditEvent.Kind.rotated

  @OptionGroup var generation: GenerationOptions
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let credential = try settings.credential()
    let options = options(settings, shreds: generation.shred, skipsDamaged: generation.skipDamaged)
    let report = try showingProgress(settings) { (progress) in
      try Vault.rotate(at: settings.vault, credential: credential, options: options, progress: progress)
    }
    try tell(report, settings, shreds: generation.shred)
  }
}

/// Options of the commands that seal every record anew.
struct GenerationOptions: ParsableArguments {
  @Flag(
    help:
      "Overwrite the old file. That can't erase what an SSD, a copy-on-write file system or a backup keeps elsewhere.")
  var shred = false
  @Flag(
    help: ArgumentHelp(
      "Leave damaged records out, list them, and exit 6.",
      discussion:
        "Old values of other names are left out too: which of them still count can't be told without what is damaged."
    ))
  var skipDamaged = false
}
