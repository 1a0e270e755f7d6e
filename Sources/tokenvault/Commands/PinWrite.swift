import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Writes a pin.
struct PinWrite: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "write",
    abstract: "Verify the vault with its key, and write the pin of its last write.",
    discussion: """
      A damaged vault is not pinned. Where there is a pin already, the vault is held against it first, and an older one is not \
      pinned either (exit 76): if it is meant, remove the file.
      """)

  @Argument(help: "The file, or - for standard output. [$TOKENVAULT_PIN]")
  var file: String?
  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let path = try PinPlace.named(file)
    // Before it is read: nobody may ever write to a pipe that stands there.
    if path != "-" { try FileReplacement.checkIsFile(path) }
    let former = path != "-" && FileFacts.exists(path) ? try PinFile.read(path) : nil
    let check = try VaultCheck(settings.vault, settings.credential(), pin: former, settings.progress)
    if let failure = check.failure {
      // All that a pin says can be vouched for without the index.
      guard failure.kind == VaultError.Code.indexDamaged.description else { throw failure }
      settings.note("warning: \(failure.sentence)")
    }
    guard let pin = check.report.pin else { throw CommandFailure(.failure, "the vault has no head to pin") }
    if path != "-" { try PinFile.write(pin, to: path) }
    if settings.json {
      try Output.line(PinShow.json(pin).text)
    } else if path == "-" {
      try Output.line(pin.text)
    } else {
      settings.note("pinned frame \(pin.sequence) of generation \(pin.generation) in \(path)")
    }
  }
}
