import ArgumentParser

/// What has to do with the keys and passphrases that open a vault.
struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", _superCommandName: "tokenvault",
    abstract: "List, add, remove or change the keys and passphrases that open the vault.",
    discussion: """
      Each key or passphrase has a slot of its own, which holds the vault's root key under it. Removing or changing one takes \
      nothing away from whoever has an older copy of the vault: he opens that copy as before, and can take the root key from \
      it, which opens newer ones too. 'rekey' makes a new root key and shuts him out of what is written from then on. What he \
      has read by then is known: revoke those tokens.
      """,
    subcommands: [KeyList.self, KeyAdd.self, KeyRemove.self, KeyChange.self])
}
