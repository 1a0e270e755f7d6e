import ArgumentParser
import Glibc
import JSONText
import VaultCrypto

/// The command `vaultbench`: loads a vault and measures it.
@main
struct VaultBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vaultbench",
    abstract: "Load a vault on this machine and measure it: one line each, name, value, unit.",
    discussion: """
      Figures differ from machine to machine and from hour to hour: compare only what ran side by side. The tokens, their \
      names and the order of the reads are those of the programs that spec/BENCHMARKS.md compares with.
      """,
    subcommands: [ColdGet.self, IndexMemory.self, LinkedVault.self])

  @Option(help: ArgumentHelp("Tokens in the vault.", valueName: "n"))
  var records = 200_000
  @Option(help: ArgumentHelp("Where to work, in a new folder that is removed in the end.", valueName: "dir"))
  var folder = "/var/tmp"
  @Option(help: ArgumentHelp("Measure these alone: names with commas between.", valueName: "names"))
  var only: String?
  @Flag(help: "Write one line of JSON for each.")
  var json = false

  static func main() {
    CryptoLibrary.startLean()
    main(nil)
  }

  func validate() throws {
    guard (1...100_000_000).contains(records) else { throw ValidationError("--records takes 1 to 100000000") }
    _ = try chosen()
  }

  func run() throws {
    let scratch = try ScratchFolder(in: folder)
    defer { scratch.remove() }
    let subject = try Subject(in: scratch.path, records: records)
    for measurement in try chosen() {
      print(line(measurement, try measurement.value(of: subject)))
      // Whoever reads a pipe sees each line when it is had.
      fflush(nil)
    }
  }

  private func chosen() throws -> [Measurement] {
    guard let only else { return Measurement.allCases }
    let names = only.split(separator: ",").map { String($0) }
    for name in names where Measurement(rawValue: name) == nil {
      let known = Measurement.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--only takes names of these: \(known)")
    }
    return Measurement.allCases.filter { names.contains($0.rawValue) }
  }

  private func line(_ measurement: Measurement, _ value: Double) -> String {
    let number = measurement.text(of: value)
    guard json else { return "\(measurement.rawValue) \(number) \(measurement.unit)" }
    return JSONValue.object([
      ("name", .string(measurement.rawValue)), ("value", .number(number)), ("unit", .string(measurement.unit)),
    ]).text
  }
}
