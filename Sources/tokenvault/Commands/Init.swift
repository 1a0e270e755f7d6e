import ArgumentParser
import JSONText
import TokenVault
import VaultEngine
import VaultFormat

/// Makes a vault.
struct Init: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", _superCommandName: "tokenvault",
    abstract: "Make a new vault.",
    discussion: """
      It opens with the key from --key, the passphrase from --passphrase, or the passphrase that is asked for on the terminal. \
      There is no other way in: keep a copy of the key or passphrase.
      """)

  @Flag(help: "For development: make a key and leave it beside the vault, in VAULT.key.")
  var dev = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    if dev, globals.key != nil || globals.passphrase != nil {
      throw CommandFailure(.usage, "--dev makes a key of its own, and excludes --key and --passphrase")
    }
    guard !FileFacts.exists(settings.vault) else {
      throw CommandFailure(.conflict, "there is something at \(settings.vault) already; it was left alone")
    }
    let folder = FileFacts.folder(of: settings.vault)
    if settings.isDefaultVault { try FileFacts.makePrivateFolder(for: settings.vault) }
    guard FileFacts.exists(folder) else {
      throw CommandFailure(
        .cannotCreate, "there is no folder \(folder) to make a vault in",
        remedy: "make it, or name another with --vault")
    }
    try dev ? makeWithKeyBeside(settings) : make(settings, with: newCredential(settings))
  }

  private func newCredential(_ settings: Settings) throws -> Credential {
    let prompt = Prompt(settings: settings)
    if let source = settings.source, source.place != .prompt {
      return try source.place.credential(source.kind) { () throws(VaultError) in try prompt.newPassphrase() }
    }
    return try KeySource.prompt.credential(settings.source?.kind ?? .passphrase) { () throws(VaultError) in
      settings.source?.kind == .key ? try prompt.secret("Key: ") : try prompt.newPassphrase()
    }
  }

  private func makeWithKeyBeside(_ settings: Settings) throws {
    let path = settings.vault + ".key"
    // A key that an attempt which failed has left opens nothing yet, or the very vault that it could not bring to the disk: it is
    // never taken away, and used by the next attempt.
    if !FileFacts.exists(path) { try KeyFile.create(at: path, digits: KeyFile.newKey()) }
    try make(settings, with: KeySource.file(path).credential(.key))
    settings.note("warning: the key lies beside the vault, in \(path). Whoever copies the folder has the tokens.")
    let option = CommandLineText.quoted("file:" + path)
    settings.note("use it with: export TOKENVAULT_KEY=\(option)")
  }

  private func make(_ settings: Settings, with credential: consuming Credential) throws {
    var options = VaultOptions()
    options.lockTimeout = settings.lockTimeout
    try Vault.create(at: settings.vault, credential: credential, options: options).close()
    guard settings.json else { return settings.note("made \(settings.vault)") }
    let made = try Vault.inspect(at: settings.vault)
    let members: [(String, JSONValue)] = [
      ("vault", .string(settings.vault)), ("vault_id", .string(made.vaultID)),
      ("slots", .array(made.slots.map { .string($0.kind) })),
    ]
    try Output.line(JSONValue.object(members).text)
  }
}
