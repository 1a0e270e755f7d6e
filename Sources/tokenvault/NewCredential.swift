import ArgumentParser
import TokenVault
import VaultEngine
import VaultFormat

/// Where a new key or passphrase is read from, apart from the one that opens the vault.
struct NewCredentialOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Where the new key is read from. [$TOKENVAULT_NEW_KEY]", valueName: "src"))
  var newKey: String?
  @Option(help: ArgumentHelp("Where the new passphrase is read from. [$TOKENVAULT_NEW_PASSPHRASE]", valueName: "src"))
  var newPassphrase: String?

  /// Where it is to be read from; a new passphrase is asked for on the terminal if nobody named a source.
  ///
  /// - Throws: ``ExitCode/usage`` when two sources are named, or standard input is to be both credentials.
  func source(_ settings: Settings) throws -> NewCredentialSource {
    let (kind, place) = try named() ?? (.passphrase, .prompt)
    if place == .standardInput, settings.source?.place == .standardInput {
      throw CommandFailure(
        .usage, "standard input can't be both credentials", remedy: "give one of them with file:, env:, fd: or cmd:")
    }
    return NewCredentialSource(kind: kind, place: place, settings: settings)
  }

  private func named() throws -> (kind: Credential.Kind, place: KeySource)? {
    let names = "--new-key and --new-passphrase"
    if let given = try Settings.source(key: newKey, passphrase: newPassphrase, named: names) { return given }
    return try Settings.source(
      key: Variable.text("TOKENVAULT_NEW_KEY"), passphrase: Variable.text("TOKENVAULT_NEW_PASSPHRASE"),
      named: "TOKENVAULT_NEW_KEY and TOKENVAULT_NEW_PASSPHRASE")
  }
}

/// A new key or passphrase that was not read yet: only once the vault is open is anybody asked for it.
struct NewCredentialSource {
  fileprivate let kind: Credential.Kind
  fileprivate let place: KeySource
  fileprivate let settings: Settings

  /// Reads it, or asks for it on the terminal.
  func credential() throws(VaultError) -> Credential {
    let prompt = Prompt(settings: settings)
    return try place.credential(kind) { () throws(VaultError) in
      kind == .key ? try prompt.secret("New key: ") : try prompt.newPassphrase()
    }
  }
}
