import ArgumentParser
import Glibc
import VaultLaboratory

struct CallsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calls",
    abstract: "Fail every system call of every command in every way that it may fail, and look at what is left.",
    discussion: "Needs strace, and prlimit. --sample makes it short.")

  @Option(help: ArgumentHelp("The real 'tokenvault'.", valueName: "path"))
  var command: String
  @Option(help: "How many faults of each command are drawn; all of them unless told.")
  var sample: Int?
  @Option(help: "Fixes what is drawn.")
  var seed: UInt64 = 2026
  @Option(help: "The only command that is tried, as the sentences name it.")
  var only: String?

  func run() throws {
    let start = ContinuousClock.now
    for tool in ["/usr/bin/strace", "/usr/bin/prlimit", command] where unsafe access(tool, X_OK) != 0 {
      throw ValidationError("\(tool) is not there")
    }
    try CallMatrix(program: command, seed: seed, sample: sample, only: only).report().finish("calls", since: start)
  }
}
