import ArgumentParser
import JSONText

/// Looks for what will go wrong.
struct Doctor: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", _superCommandName: "tokenvault",
    abstract: "Look at the vault's surroundings, key and machine, and say what to do. Changes nothing.",
    discussion: """
      Each thing is ok, a warning or a problem. With a problem it ends with the code that other commands will end with for it; \
      warnings alone end with 0. Whether the vault's bytes are whole is for 'tokenvault verify'.
      """)

  @OptionGroup var globals: GlobalOptions

  func run(_ settings: Settings) throws {
    let findings = FileExamination(settings.vault).findings + HostExamination(settings).findings
    try Output.write(settings.json ? Self.json(findings, settings) : Self.text(findings))
    let problems = findings.filter { $0.level == .problem }
    guard let first = problems.first else { return }
    throw CommandFailure(
      first.exit, counted(problems.count, "problem: \(first.subject)", "problems"),
      remedy: first.remedy)
  }

  private static func text(_ findings: [Diagnosis]) -> String {
    var table = Table()
    for finding in findings {
      table.add([finding.level.rawValue, finding.subject, TerminalText.safe(finding.sentence)])
      for line in (finding.remedy ?? "").split(separator: "\n") {
        table.add(["", "", "  " + TerminalText.safe(String(line))])
      }
    }
    return table.text
  }

  private static func json(_ findings: [Diagnosis], _ settings: Settings) -> String {
    JSONValue.object([
      ("vault", .string(settings.vault)),
      ("problems", .integer(Int64(findings.count { $0.level == .problem }))),
      ("warnings", .integer(Int64(findings.count { $0.level == .warning }))),
      ("checks", .array(findings.map(\.json))),
    ]).text + "\n"
  }
}
