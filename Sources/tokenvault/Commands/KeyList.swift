import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Lists the key slots.
struct KeyList: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the vault's key slots. Needs no key; with one, says which slot it opens.")

  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let (slots, opened) = try slots(settings)
    guard !settings.json else {
      return try Output.write(slots.map { Self.json($0, opened: opened).text + "\n" }.joined())
    }
    var table = Table(["SLOT", "OPENS WITH", "COST", "SINCE", ""])
    for slot in slots {
      let mark = slot.number == opened ? "the one given" : ""
      table.add(["\(slot.number)", slot.kind, slot.cost, Timestamp.seconds(slot.created), mark])
    }
    try Output.write(table.text)
  }

  /// Without a source nobody is asked: to list the slots needs no key.
  private func slots(_ settings: Settings) throws -> ([Inspection.Slot], opened: UInt32?) {
    guard settings.source != nil else {
      let inspection = try Vault.inspect(at: settings.vault)
      if inspection.slots.isEmpty, let damage = inspection.damage { throw damage }
      return (inspection.slots, nil)
    }
    return try settings.use(readOnly: true) { (vault) in (try vault.keys(), try vault.openedKey()) }
  }

  private static func json(_ slot: Inspection.Slot, opened: UInt32?) -> JSONValue {
    .object([
      ("slot", .integer(Int64(slot.number))), ("kind", .string(slot.kind)), ("cost", .string(slot.cost)),
      ("created", .string(Timestamp.full(slot.created))), ("given", opened.map { .bool($0 == slot.number) } ?? .null),
    ])
  }
}
