import ArgumentParser
import Glibc
import VaultEngine

/// The command `tokenvault`.
struct TokenVaultCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenvault",
    abstract: "Keeps OAuth tokens in one encrypted file.",
    discussion: """
      Secrets come in on standard input, a descriptor or a file, never as an argument. 'tokenvault demo' shows how it works; \
      'tokenvault help exit-codes' lists what scripts can rely on.
      """,
    version: "tokenvault 0.1.0",
    groupedSubcommands: [
      CommandGroup(
        name: "Token",
        subcommands: [Put.self, Get.self, Has.self, Show.self, List.self, Delete.self, History.self, Refresh.self]),
      CommandGroup(name: "Account", subcommands: [Link.self, Revoke.self, Unlink.self]),
      CommandGroup(name: "Audit", subcommands: [Audit.self]),
      CommandGroup(name: "Use", subcommands: [Exec.self, Inject.self, Redact.self]),
      CommandGroup(name: "Leak", subcommands: [LeakCheck.self, Scan.self]),
      CommandGroup(
        name: "Vault",
        subcommands: [
          Init.self, Keygen.self, Keys.self, Verify.self, Pins.self, Inspect.self, Doctor.self, Stats.self,
          Compact.self, Rotate.self, Rekey.self, Backup.self, Restore.self, Salvage.self, Upgrade.self,
          Import.self, Export.self,
        ]),
      CommandGroup(name: "Vector", subcommands: [Vectors.self]),
      CommandGroup(name: "Trial", subcommands: [Demo.self]),
    ])

  @OptionGroup var globals: GlobalOptions
}

/// The process: settles its surroundings, runs one command, and ends with its code.
///
/// Not asynchronous: starting the concurrency runtime costs a static executable 10 ms.
@main
enum EntryPoint {
  static func main() {
    let code: ExitCode
    let arguments = Array(CommandLine.arguments.dropFirst())
    let (command, rest) = dispatch(arguments)
    do {
      try Host.prepare()
      if arguments == ["help", "exit-codes"] {
        try Output.write(ExitCode.table)
      } else {
        try checkCommand(arguments)
        var command = try command.parseAsRoot(rest)
        try command.run()
      }
      code = .ok
    } catch {
      code = end(with: error, of: command)
    }
    Host.end(code)
  }

  private static let commands = TokenVaultCommand.configuration.groupedSubcommands.flatMap(\.subcommands)

  /// A command that is not there would be an argument too many, and help on it the help on all, as if that had been asked for.
  private static func checkCommand(_ arguments: [String]) throws(CommandFailure) {
    let name = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
    guard let name, !name.hasPrefix("-"), !commands.contains(where: { $0.configuration.commandName == name }) else {
      return
    }
    throw CommandFailure(.usage, "there is no such command", remedy: "'tokenvault help' lists them")
  }

  /// The command that the first argument names, and its arguments: parsing it alone takes half the time of parsing the tree
  /// of all commands, which is left to those who put options first.
  private static func dispatch(_ arguments: [String]) -> (any ParsableCommand.Type, [String]) {
    let named = commands.first { $0.configuration.commandName == arguments.first }
    guard let named else { return (TokenVaultCommand.self, arguments) }
    return (named, Array(arguments.dropFirst()))
  }

  /// Tells what `error` says to whom it concerns, and gives the code to end with.
  private static func end(with error: any Error, of command: any ParsableCommand.Type) -> ExitCode {
    switch error {
    case var failure as CommandFailure:
      if isExec(command), failure.exit != .cannotExecute, failure.exit != .programNotFound { failure.end = .execFailed }
      failure.report(asJSON: wantsJSON)
      return failure.end ?? failure.exit
    case let failure as VaultError:
      return end(with: CommandFailure(failure), of: command)
    default:
      return command.exitCode(for: error).isSuccess ? give(error, of: command) : refuse(error, of: command)
    }
  }

  /// Help and version are answers, not errors.
  private static func give(_ answer: any Error, of command: any ParsableCommand.Type) -> ExitCode {
    do {
      try Output.line(command.fullMessage(for: answer))
      return .ok
    } catch {
      return end(with: error, of: command)
    }
  }

  private static func refuse(_ error: any Error, of command: any ParsableCommand.Type) -> ExitCode {
    let found = command.message(for: error)
    let message = ArgumentPrivacy.concealed(found) + (hasFileTooMany(found) ? ": a vault's path goes with --vault" : "")
    let name = command == TokenVaultCommand.self ? "" : (command.configuration.commandName ?? "") + " "
    let usage = "Usage: \(command.usageString())\n  See 'tokenvault \(name)--help' for more information."
    return end(with: CommandFailure(.usage, message, remedy: usage), of: command)
  }

  /// Whether a file was given as an argument, as most people do with the vault at first.
  private static func hasFileTooMany(_ message: String) -> Bool {
    message.contains("nexpected argument")
      && CommandLine.arguments.dropFirst().contains { message.contains("'\($0)'") && FileFacts.exists($0) }
  }

  /// Whether other codes than 125 to 127 belong to a program that is run: then nothing that fails here may end with one.
  private static func isExec(_ command: any ParsableCommand.Type) -> Bool {
    guard command == TokenVaultCommand.self else { return command == Exec.self }
    // Options came first; one of them may have a value that is the name of a command, but not of this one.
    return CommandLine.arguments.dropFirst().prefix { $0 != "--" }.contains("exec")
  }

  /// Asked before the arguments are parsed too, as that may be what fails.
  private static var wantsJSON: Bool {
    let arguments = CommandLine.arguments.dropFirst().prefix { $0 != "--" }
    return arguments.contains("--json") || (try? Variable.flag("TOKENVAULT_JSON")) == true
  }
}

/// A secret given as an argument by mistake must not be repeated in a message, which ends up in logs.
enum ArgumentPrivacy {
  /// `message` without the arguments that may be secrets.
  static func concealed(_ message: String) -> String {
    var message = message
    for argument in CommandLine.arguments.dropFirst() where argument.utf8.count > 16 {
      let value = argument.utf8.first == UInt8(ascii: "-") ? value(ofOption: argument) : argument
      guard let value, value.utf8.count > 16 else { continue }
      message.replace(value, with: "(an argument of \(value.utf8.count) bytes, not shown)")
    }
    return message
  }

  private static func value(ofOption argument: String) -> String? {
    argument.firstIndex(of: "=").map { String(argument[argument.index(after: $0)...]) }
  }
}
