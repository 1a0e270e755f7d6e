import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Copies the vault.
struct Backup: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", _superCommandName: "tokenvault",
    abstract: "Copy the vault as it is now to a new file, and verify the copy.",
    discussion: """
      Others go on reading and writing meanwhile. The copy has its name only when it is whole, on the disk and verified: with \
      a key or passphrase every frame of it is opened, without one only its structure is checked. A damaged vault is not \
      copied. The copy opens with the keys and passphrases of this moment, whatever becomes of them in the vault: keep it \
      where you would keep the vault. 'pin write' right after it tells a restored copy from a newer one later.
      """)

  @Argument(help: "The file to make.")
  var destination: String
  @Flag(help: "Put the copy in the place of a file that is there.")
  var replace = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let credential = settings.source == nil ? nil : try settings.credential()
    let report = try copy(settings, credential)
    guard settings.json else {
      let checked = report.usedKey ? "everything in it was opened" : "its structure was checked, for want of a key"
      return settings.note("copied \(report.bytes) bytes to \(destination); \(checked)")
    }
    let members: [(String, JSONValue)] = [
      ("backup", .string(destination)), ("bytes", .unsigned(report.bytes)), ("used_key", .bool(report.usedKey)),
      ("records", .unsigned(report.records)), ("names", report.liveNames.map { .integer(Int64($0)) } ?? .null),
      ("generation", .unsigned(report.generation)), ("sequence", .unsigned(report.sequence)),
      ("head", .string(report.head)),
    ]
    try Output.line(JSONValue.object(members).text)
  }

  private func copy(_ settings: Settings, _ credential: consuming Credential?) throws -> VerifyReport {
    var progress = ProgressLine(settings.progress, unit: "MiB")
    defer { progress.end() }
    return try Vault.backup(at: settings.vault, credential: credential, to: destination, replacing: replace) {
      progress.show("backup", done: Int(clamping: $0.bytesDone >> 20), total: Int(clamping: $0.bytesTotal >> 20))
    }
  }
}
