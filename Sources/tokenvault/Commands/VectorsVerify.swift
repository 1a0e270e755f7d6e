import ArgumentParser
import Glibc
import TokenVault
import VaultVectors

/// Runs vector files.
struct VectorsVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Run vector files; exit 6 when one fails, 64 when a file can't be read.",
    discussion: """
      Takes files and folders: vault scenarios (.tv-vector), Wycheproof JSON (v1), NIST CAVP .rsp for AES in CBC and GCM, \
      RFC 5869, RFC 7914 and PBKDF2 texts, XAES-256-GCM. What is not run is never counted as passed; what the algorithms \
      here can't take is counted as not applicable, with the reason.
      """)

  @Argument(help: "Files and folders.")
  var paths: [String]
  @Option(help: ArgumentHelp("Run the cases alone whose file name and number contain this.", valueName: "text"))
  var filter: String?
  @Flag(help: "Run what takes long too: the million rounds of XAES-256-GCM.")
  var long = false
  @Option(help: ArgumentHelp("Write the results as JUnit XML, too.", valueName: "file"))
  var junit: String?
  @Option(
    help: ArgumentHelp(
      "Test another implementation instead: cmd:PROGRAM ARG..., which speaks the protocol of testvectors/README.md.",
      valueName: "src"))
  var implementation: String?
  @OptionGroup var globals: GlobalOptions

  func run() throws {
    let primitives = try primitives()
    let isJSON = try globals.json || Variable.flag("TOKENVAULT_JSON")
    var progress = ProgressLine(try mode(), unit: "cases")
    let report = VectorRun.verify(paths: paths, filter: filter, longForm: long, primitives: primitives) {
      progress.show($0.file, done: $0.done, total: $0.total)
    }
    progress.end()
    if let junit { try TextFile.write(report.junit(), to: junit) }
    try Output.write(isJSON ? report.json() : report.table())
    try judge(report)
  }

  /// What was not run can't have passed: a run of nothing is a mistake of whoever asked for it.
  private func judge(_ report: VectorReport) throws {
    if let first = report.unreadable.first, let error = first.error {
      throw CommandFailure(.usage, "\(first.name): \(error)")
    }
    guard report.failed == 0 else {
      throw CommandFailure(.finding, "\(report.failed) of \(report.cases) cases failed")
    }
    guard report.cases > 0 else {
      throw CommandFailure(.usage, "no case was run", remedy: "look at --filter and the files given")
    }
  }

  private func primitives() throws -> Primitives {
    guard let implementation else { return .vaultCrypto }
    let prefix = "cmd:"
    guard implementation.hasPrefix(prefix),
      let words = CommandLineText.words(String(implementation.dropFirst(prefix.count))), !words.isEmpty
    else { throw CommandFailure(.usage, "--implementation takes cmd:PROGRAM ARG...") }
    do {
      return try ExternalImplementation(words).primitives
    } catch {
      throw CommandFailure(.unavailable, "the other implementation can't be started: \(error)")
    }
  }

  private func mode() throws -> ProgressMode {
    if try globals.quiet || Variable.flag("TOKENVAULT_QUIET") { return .never }
    return try globals.progressMode()
  }
}
