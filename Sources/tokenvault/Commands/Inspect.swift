import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Shows how a vault is built.
struct Inspect: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", _superCommandName: "tokenvault",
    abstract: "Show how the vault is built: header, key slots, frames. Needs no key.")

  @Flag(help: "List every frame.")
  var frames = false
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let inspection = try Vault.inspect(at: settings.vault)
    switch (frames, settings.json) {
    case (false, false): try Output.write(Self.table(inspection, settings))
    case (false, true): try Output.line(Self.json(inspection, settings).text)
    case (true, false): try Output.write(Self.frameTable(inspection))
    case (true, true): try Output.write(Self.frameLines(inspection))
    }
    if let damage = inspection.damage { throw damage }
  }

  private static func table(_ vault: Inspection, _ settings: Settings) -> String {
    var table = Table()
    table.add(["vault", TerminalText.safe(settings.vault)])
    table.add(["format", "\(vault.majorVersion).\(vault.minorVersion)"])
    table.add(["vault id", vault.vaultID])
    table.add(["file id", vault.fileID])
    table.add(["generation", "\(vault.generation)"])
    table.add(["length", "\(vault.fileLength) bytes, \(vault.committedLength) of them committed"])
    table.add(["padding", "to \(vault.padding) bytes"])
    table.add(["deflate", vault.allowsDeflate ? "allowed" : "off"])
    table.add(["batches", "\(vault.batches)"])
    table.add(["terms", terms(vault).map { "\($0)" }.joined(separator: ", ")])
    table.add(["head", vault.head])
    return table.text + "\n" + slotTable(vault) + "\n" + kindTable(vault)
  }

  private static func slotTable(_ vault: Inspection) -> String {
    var table = Table(["SLOT", "OPENS WITH", "COST", "SINCE"])
    for slot in vault.slots {
      table.add(["\(slot.number)", slot.kind, slot.cost.isEmpty ? "-" : slot.cost, Timestamp.seconds(slot.created)])
    }
    return table.text
  }

  private static func kindTable(_ vault: Inspection) -> String {
    var table = Table(["FRAMES OF", "COUNT", "BYTES"])
    for kind in vault.kinds { table.add([kind.name, "\(kind.frames)", "\(kind.bytes)"]) }
    return table.text
  }

  private static func terms(_ vault: Inspection) -> [UInt64] {
    Set(vault.frames.map { UInt64($0.term) }).subtracting([0]).sorted()
  }

  private static func json(_ vault: Inspection, _ settings: Settings) -> JSONValue {
    let slots = vault.slots.map { (slot) in
      JSONValue.object([
        ("slot", .integer(Int64(slot.number))), ("kind", .string(slot.kind)), ("cost", .string(slot.cost)),
        ("created", .string(Timestamp.full(slot.created))),
      ])
    }
    let kinds = vault.kinds.map { (kind) in
      JSONValue.object([
        ("type", .string(kind.name)), ("frames", .unsigned(UInt64(kind.frames))),
        ("bytes", .unsigned(UInt64(kind.bytes))),
      ])
    }
    return .object([
      ("vault", .string(settings.vault)), ("format", .string("\(vault.majorVersion).\(vault.minorVersion)")),
      ("vault_id", .string(vault.vaultID)), ("file_id", .string(vault.fileID)),
      ("generation", .unsigned(vault.generation)),
      ("bytes", .unsigned(vault.fileLength)), ("committed_bytes", .unsigned(vault.committedLength)),
      ("padding", .integer(Int64(vault.padding))), ("deflate", .bool(vault.allowsDeflate)),
      ("batches", .unsigned(vault.batches)), ("terms", .array(terms(vault).map { .unsigned($0) })),
      ("head", .string(vault.head)), ("slots", .array(slots)), ("types", .array(kinds)),
    ])
  }

  private static func frameTable(_ vault: Inspection) -> String {
    var table = Table(["SEQ", "BYTE", "LENGTH", "TYPE", "TERM", "POSITION", "BATCH"])
    for frame in vault.frames {
      table.add([
        "\(frame.sequence)", "\(frame.offset)", "\(frame.length)", frame.type, "\(frame.term)", "\(frame.position)",
        frame.endsBatch ? "end" : "",
      ])
    }
    return table.text
  }

  private static func frameLines(_ vault: Inspection) -> String {
    var text = ""
    for frame in vault.frames {
      let members: [(String, JSONValue)] = [
        ("sequence", .unsigned(frame.sequence)), ("offset", .unsigned(frame.offset)),
        ("length", .unsigned(UInt64(frame.length))), ("type", .string(frame.type)),
        ("term", .unsigned(UInt64(frame.term))),
        ("position", .unsigned(UInt64(frame.position))), ("ends_batch", .bool(frame.endsBatch)),
      ]
      text += JSONValue.object(members).text + "\n"
    }
    return text
  }
}
