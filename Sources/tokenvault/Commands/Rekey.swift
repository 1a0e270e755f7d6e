import ArgumentParser
import TokenVault
import VaultEngine
import VaultFormat

/// Changes all keys of the vault.
struct Rekey: GenerationCommand {
  static let configuration = CommandConfiguration(
    commandName: "rekey", _superCommandName: "tokenvault",
    abstract: "Change every key of the vault; only the credentials named here open it then.",
    discussion: """
      --key or --passphrase opens the vault as it is. The new one opens with --new-key and --new-passphrase, and with nothing \
      else: slots whose credential is not named again are dropped, and listed. Name the old source again to keep it.

      Others may read and write the vault meanwhile; programs that have it open must open it again with a new key. Refreshes \
      that are under way are waited for, as long as --lock-timeout says, and others begin when it is done.

      It revokes nothing: whoever has a copy of the old file, and a key to it, still has every token that it held.
      """)
  static let done = "changed the keys of"
  static let event = AuditEvent.Kind.rekeyed

  @Option(help: ArgumentHelp("Where a key that will open it is read from.", valueName: "src"))
  var newKey: String?
  @Option(help: ArgumentHelp("Where a passphrase that will open it is read from.", valueName: "src"))
  var newPassphrase: String?
  @OptionGroup var generation: GenerationOptions
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if newKey == nil, newPassphrase == nil {
      throw ValidationError("name what will open the vault: --new-key SRC or --new-passphrase SRC")
    }
  }

  func run(_ settings: Settings) throws {
    let key = try newKey.map { (text) in try KeySource(parsing: text) }
    let passphrase = try newPassphrase.map { (text) in try KeySource(parsing: text) }
    let sources = [settings.source?.place, key, passphrase]
    guard sources.count(where: { $0 == .standardInput }) <= 1 else {
      throw CommandFailure(.usage, "standard input can be only one of the old and new keys and passphrases")
    }
    let credential = try settings.credential()
    let options = options(settings, shreds: generation.shred, skipsDamaged: generation.skipDamaged)
    let prompt = Prompt(settings: settings)
    let newKey = try key?.credential(.key) { () throws(VaultError) in try prompt.secret("New key: ") }
    let newPassphrase = try passphrase?.credential(.passphrase) { () throws(VaultError) in try prompt.newPassphrase() }
    let report = try showingProgress(settings) { (progress) in
      try Vault.rekey(
        at: settings.vault, credential: credential, newKey: newKey, newPassphrase: newPassphrase, options: options,
        progress: progress)
    }
    for slot in report.droppedSlots { settings.note("key slot \(slot) opens the vault no more") }
    try tell(report, settings, shreds: generation.shred)
  }
}
