import ArgumentParser
import JSONText
import TokenVault

/// Lists every write of a name.
struct History: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", _superCommandName: "tokenvault",
    abstract: "List every write of a name since the vault was last compacted.")

  @OptionGroup var entry: EntryOptions
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let id = try entry.tokenID()
    let writes = try settings.read { (store) in try store.history(of: id) }
    guard !writes.isEmpty else { throw CommandFailure.noSuchName }
    try Output.write(settings.json ? Self.lines(writes, of: id) : Self.table(writes))
  }

  private static func lines(_ writes: [TokenHistoryEntry], of id: TokenID) -> String {
    var text = ""
    for write in writes {
      let members: [(String, JSONValue)] = [
        ("seq", .unsigned(write.seq)), ("time", .string(Timestamp.full(write.time))),
        ("operation", .string(write.operation.rawValue)), ("bytes", .integer(Int64(write.bytes))),
      ]
      text += JSONValue.object(id.members + members).text + "\n"
    }
    return text
  }

  private static func table(_ writes: [TokenHistoryEntry]) -> String {
    var table = Table(["SEQ", "TIME", "WHAT", "BYTES"])
    for write in writes {
      table.add(["\(write.seq)", Timestamp.seconds(write.time), write.operation.rawValue, "\(write.bytes)"])
    }
    return table.text
  }
}
