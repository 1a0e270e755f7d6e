import ArgumentParser
import TokenVault
import VaultEngine

/// Counts what is in the vault.
struct Stats: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", _superCommandName: "tokenvault",
    abstract: "Count entries, accounts, refreshes, events and bytes; as a table, as JSON, or for Prometheus.",
    discussion: """
      Names of users are never in it; names of providers are. With --out it takes the place of the file in one step, for the \
      textfile collector of node_exporter:

        tokenvault stats --format prometheus --out /var/lib/node_exporter/tokenvault.prom
      """)

  /// How it is shown.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, prometheus
  }

  @Option(help: "How it is shown; a table unless told.")
  var format: Format?
  @Option(help: ArgumentHelp("Put it in the place of this file, which everybody may read.", valueName: "file"))
  var out: String?
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if out?.isEmpty == true { throw ValidationError("--out needs a path") }
  }

  func run(_ settings: Settings) throws {
    let statistics = try settings.read { (store) in try store.statistics() }
    let text =
      switch format ?? (settings.json ? .json : .table) {
      case .table: Self.table(statistics)
      case .json: statistics.json + "\n"
      case .prometheus: statistics.prometheusText
      }
    guard let out else { return try Output.write(text) }
    try FileReplacement.write(text, to: out, mode: 0o644)
  }

  private static func table(_ statistics: VaultStatistics) -> String {
    var table = Table()
    for metric in statistics.metrics {
      let name = metric.name.replacing("_", with: " ")
      for (labels, value) in metric.samples {
        // Kinds of events that there are none of are for series, not for people.
        if metric.name == "events", value == "0" { continue }
        let label = labels.map { TerminalText.safe($0.1) }.joined(separator: " ")
        table.add([label.isEmpty ? name : "\(name) \(label)", value])
      }
    }
    return table.text
  }
}
