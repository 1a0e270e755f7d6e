import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Shows a pin.
struct PinShow: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what a pin says. Needs neither key nor vault; 'verify --pin' compares.")

  @Argument(help: "The file with the pin. [$TOKENVAULT_PIN]")
  var file: String?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let pin = try PinFile.read(PinPlace.named(file))
    guard !settings.json else { return try Output.line(Self.json(pin).text) }
    var table = Table()
    table.add(["vault id", pin.vaultID.hex])
    table.add(["file id", pin.fileID.hex])
    table.add(["generation", "\(pin.generation)"])
    table.add(["sequence", "\(pin.sequence)"])
    table.add(["head", pin.head.hex])
    try Output.write(table.text)
  }

  /// The pin's parts, and its text as a whole.
  static func json(_ pin: Pin) -> JSONValue {
    .object([
      ("vault_id", .string(pin.vaultID.hex)), ("file_id", .string(pin.fileID.hex)),
      ("generation", .unsigned(pin.generation)), ("sequence", .unsigned(pin.sequence)), ("head", .string(pin.head.hex)),
      ("pin", .string(pin.text)),
    ])
  }
}
