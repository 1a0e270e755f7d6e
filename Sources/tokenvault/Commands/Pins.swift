import ArgumentParser

/// What has to do with pins.
struct Pins: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin", _superCommandName: "tokenvault",
    abstract: "Write down the vault's head, to notice later that an older copy took its place.",
    discussion: """
      A vault's file proves that nothing in it was changed, moved or repeated. It can't prove that it is the newest: a copy \
      from last week is whole, and brings back tokens that were revoked since. A pin is 192 hexadecimal digits that name the \
      vault and its last write. 'verify --pin FILE' then fails with exit 76 when the vault is older than that, was cut off \
      before it, or has another history up to it, whoever made it, the holder of the key included.

      A pin is no secret, but whoever can change the pin can undo it: keep it where those who can write to the vault can't, on \
      another machine for instance. There is no place for it by default, because a pin beside the vault goes back with it. \
      An old pin stays good; a newer one covers more. Write one after each backup, or every night:

        tokenvault pin write - | ssh other-machine 'cat > vault.pin'
        tokenvault verify --pin <(ssh other-machine cat vault.pin)
      """,
    subcommands: [PinWrite.self, PinShow.self])
}
