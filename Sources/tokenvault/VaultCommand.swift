import ArgumentParser
import TokenVault
import VaultCrypto
import VaultEngine
import VaultFormat

/// A command with the global options.
protocol VaultCommand: ParsableCommand {
  /// The options as they were given.
  var globals: GlobalOptions { get }

  /// Does what the command is for.
  func run(_ settings: Settings) throws
}

extension VaultCommand {
  /// Settles the options, then runs.
  func run() throws { try run(Settings(globals)) }
}

/// Which entry a command is about.
struct EntryOptions: ParsableArguments {
  @Argument(help: "User id that the token is kept under.")
  var id: String
  @Option(help: ArgumentHelp("Provider, where a user has tokens of several.", valueName: "name"))
  var provider: String = ""

  /// The entry's key.
  func tokenID() throws(VaultError) -> TokenID { try TokenID(user: id, provider: provider) }
}

extension Settings {
  /// Opens the vault for reading, lets `body` use it, and closes it. Reads that are audited are recorded before it returns.
  func read<Result>(_ body: (TokenStore) throws -> Result) throws -> Result {
    try use(readOnly: true) { (vault) in
      let store = TokenStore(vault)
      let result = try body(store)
      do throws(VaultError) {
        try store.flush()
      } catch {
        store.forgetReads()
        note("warning: the read could not be recorded for the audit: \(error.sentence)")
      }
      return result
    }
  }

  /// Opens the vault for writing, lets `body` use it, and closes it.
  func write<Result>(_ body: (TokenStore) throws -> Result) throws -> Result {
    try use(readOnly: false) { (vault) in try body(TokenStore(vault)) }
  }

  /// Opens the vault, lets `body` use it, and closes it.
  func use<Result>(readOnly: Bool, _ body: (Vault) throws -> Result) throws -> Result {
    var options = VaultOptions()
    options.lockTimeout = lockTimeout
    options.readOnly = readOnly
    let credential = try credential()
    let vault = try Vault.open(at: vault, credential: credential, options: options)
    let result: Result
    do {
      result = try body(vault)
    } catch {
      // The first failure is the one to tell.
      try? vault.close()
      throw error
    }
    try vault.close()
    return result
  }

  /// The credential from the source that was named; else a passphrase from the terminal, if the vault takes one.
  func credential() throws -> Credential {
    if let source {
      // Nobody should type a passphrase for a vault that is not there.
      if source.place == .prompt { _ = try Vault.inspect(at: vault) }
      return try source.place.credential(source.kind, prompt: askForSecret(source.kind))
    }
    let inspection = try Vault.inspect(at: vault)
    if inspection.slots.isEmpty, let damage = inspection.damage { throw damage }
    guard inspection.slots.contains(where: { $0.kind == "passphrase" }) else {
      throw CommandFailure(VaultError(.noKey, "the vault needs a key, and none was given", remedy: Self.sources))
    }
    return try KeySource.prompt.credential(.passphrase, prompt: askForSecret(.passphrase))
  }

  private func askForSecret(_ kind: Credential.Kind) -> () throws(VaultError) -> SecretBytes {
    { () throws(VaultError) in
      try Prompt(settings: self).secret(kind == .key ? "Key: " : "Passphrase: ")
    }
  }

  /// What to do when there is no key: the sources that work without a terminal.
  static let sources = """
    give a key with --key or $TOKENVAULT_KEY, or a passphrase with --passphrase or $TOKENVAULT_PASSPHRASE, as
    \(KeySource.forms.split(separator: "\n").filter { !$0.contains("prompt") }.joined(separator: "\n"))
    """
}
