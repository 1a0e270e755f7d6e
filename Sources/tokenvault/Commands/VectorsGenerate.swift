import ArgumentParser
import VaultVectors

/// Makes the test vectors of our own format.
struct VectorsGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Write all test vectors of the vault format into a folder, always the same bytes.",
    discussion: "The folders vaults and records are made in it; files of the same names are replaced, others stay.")

  @Argument(help: "The folder.")
  var folder: String
  @OptionGroup var globals: GlobalOptions

  func run() throws {
    do {
      let count = try VectorGenerator.generate(into: folder)
      if try !globals.quiet && !Variable.flag("TOKENVAULT_QUIET") {
        Output.note("tokenvault: wrote \(count) files to \(TerminalText.safe(folder))")
      }
    } catch let error as VectorError {
      throw CommandFailure(.cannotCreate, "\(error)")
    }
  }
}
