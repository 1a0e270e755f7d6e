import ArgumentParser
import Glibc
import TokenVault
import VaultCrypto
import VaultEngine

/// Runs a program with secrets.
struct Exec: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", _superCommandName: "tokenvault",
    abstract: "Run a program with tokens in its environment, on its standard input, or in files in memory.",
    usage: "tokenvault exec [<options>] -- <program> [<argument> ...]",
    discussion: """
      Each option can be given several times, and each names a token:

        tokenvault exec --env GH_TOKEN=ada@example.com -- gh repo list
        tokenvault exec --file KEY=ada.refresh_token -- sh -c 'wc -c "$KEY"'

      ID                            the access token of the user ID
      ID.MEMBER                     another member of the token
      tv://ID/MEMBER?provider=NAME  the same; only tv://ID is needed

      User ids hold dots. A token under the whole text is the one that is meant; only when there is none, and letters, \
      digits and underscores alone stand behind the last dot, are they a member. A text that begins with tv:// always means \
      the same: in its parts, white space, control characters and / ? # & % { } are written as %2F and so on. --provider is \
      for all that do not begin so.

      No secret is written to a disk, or put among arguments. TOKENVAULT_KEY, TOKENVAULT_PASSPHRASE and the variables that \
      they or --key name are taken out of the program's environment, and it can't leave a core dump. Signals that others \
      send are passed on to it.

      The exit code is the program's, or 128 and the number of the signal that ended it; 125 when something failed here, \
      126 when the program can't be executed, 127 when it is not there.
      """)

  @Option(
    name: .customLong("env"),
    help: ArgumentHelp("Put a secret into an environment variable.", valueName: "name=id"))
  var variables: [String] = []
  @Option(help: ArgumentHelp("Put a secret on standard input.", valueName: "id"))
  var stdin: String?
  @Option(
    name: .customLong("fd"), help: ArgumentHelp("Put a secret on a descriptor, 3 or more.", valueName: "n=id"))
  var descriptors: [String] = []
  @Option(
    name: .customLong("file"),
    help: ArgumentHelp("Put a secret into a file in memory, and its path into a variable.", valueName: "name=id"))
  var files: [String] = []
  @Flag(help: "Of this environment keep only PATH, HOME, TERM, LANG, USER and TMPDIR.")
  var pristine = false
  @Flag(help: "Put the program in the place of this process, instead of waiting for it.")
  var replace = false
  @Option(help: ArgumentHelp("Provider of the tokens.", valueName: "name"))
  var provider: String = ""
  @Option(help: ArgumentHelp("Fail when a token expires sooner than in this time.", valueName: "dur"))
  var validFor: TimeSpan?
  @OptionGroup var globals: GlobalOptions
  @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments.", valueName: "program"))
  var words: [String] = []

  func validate() throws {
    if words.first?.isEmpty ?? true { throw ValidationError("behind -- there is no program to run") }
  }

  func run(_ settings: Settings) throws {
    let handovers = try handovers()
    SecretVariables.noteSources()
    var secrets = try ProgramSecrets(without: SecretVariables.sources, isPristine: pristine)
    if !handovers.isEmpty {
      try settings.read { (store) in
        for handover in handovers {
          try handover.perform(on: &secrets, from: store, provider: provider, validFor: validFor)
        }
      }
    }
    SecretVariables.wipe()
    try end(secrets)
  }

  /// All of them, those with descriptors of their own before the files, which take what is left.
  private func handovers() throws -> [Handover] {
    var handovers: [Handover] = []
    for text in variables { handovers.append(try Handover(variable: text)) }
    if let stdin { handovers.append(Handover(standardInput: stdin)) }
    for text in descriptors { handovers.append(try Handover(descriptor: text)) }
    for text in files { handovers.append(try Handover(file: text)) }
    for (index, handover) in handovers.enumerated() {
      guard !handovers[..<index].contains(where: { $0.excludes(handover) }) else {
        throw CommandFailure(.usage, "\(handover.option) is given twice")
      }
    }
    return handovers
  }

  private func end(_ secrets: consuming ProgramSecrets) throws {
    let end: ChildProgram.End
    do throws(ProgramFailure) {
      if replace { throw secrets.replaceProcess(words) }
      var kept = Optional(secrets)
      end = try ForegroundChild.run { () throws(ProgramFailure) in
        // Wiped as soon as the child has them.
        guard let secrets = kept.take() else { throw .noMemory }
        return try secrets.start(words)
      }
    } catch {
      throw failure(error)
    }
    switch end {
    case .exited(let code): Host.end(status: code)
    case .signal(let number): Host.end(status: 128 + number)
    case .unknown: throw CommandFailure(.failure, "the program ended, and it can't be learned how")
    }
  }

  private func failure(_ failure: ProgramFailure) -> CommandFailure {
    let program = CommandLineText.quoted(words[0])
    switch failure {
    case .cannotStart(ENOENT):
      return CommandFailure(.programNotFound, "there is no program \(program), or not what it needs to run")
    case .cannotStart(let number):
      return CommandFailure(.cannotExecute, "the program \(program) can't be executed: \(systemMessage(number))")
    default: return CommandFailure(.failure, "there is no memory to start the program \(program)")
    }
  }
}

/// One secret, and how the program gets it.
struct Handover {
  private enum Place: Equatable {
    case variable(String)
    case descriptor(Int32)
    case file(String)
  }

  private let place: Place
  private let reference: String

  /// The option as it was given, without the token.
  let option: String

  /// - Parameter text: `NAME=REFERENCE`.
  init(variable text: String) throws(CommandFailure) {
    let (name, reference) = try Self.parts(text, of: "--env", "NAME=ID")
    (place, self.reference, option) = (.variable(name), reference, "--env \(name)")
  }

  /// - Parameter reference: to the token.
  init(standardInput reference: String) {
    (place, self.reference, option) = (.descriptor(0), reference, "--stdin")
  }

  /// - Parameter text: `N=REFERENCE`.
  init(descriptor text: String) throws(CommandFailure) {
    let (name, reference) = try Self.parts(text, of: "--fd", "N=ID")
    guard let number = Int32(name), number > 2 else {
      throw CommandFailure(.usage, "--fd takes N=ID, where N is 3 or more", remedy: "standard input is --stdin ID")
    }
    (place, self.reference, option) = (.descriptor(number), reference, "--fd \(number)")
  }

  /// - Parameter text: `NAME=REFERENCE`.
  init(file text: String) throws(CommandFailure) {
    let (name, reference) = try Self.parts(text, of: "--file", "NAME=ID")
    (place, self.reference, option) = (.file(name), reference, "--file \(name)")
  }

  /// The text is not repeated in the sentence: it may be a secret, given by mistake.
  private static func parts(
    _ text: String, of option: String, _ form: String
  ) throws(CommandFailure) -> (String, String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let name = String(parts[0]), let reference = String(parts[1]), !name.isEmpty,
      !reference.isEmpty
    else { throw CommandFailure(.usage, "\(option) takes \(form)") }
    return (name, reference)
  }

  /// Whether both can't be: they would set the same.
  func excludes(_ other: Handover) -> Bool {
    switch (place, other.place) {
    case (.variable(let name), .file(let second)), (.file(let name), .variable(let second)): name == second
    default: place == other.place
    }
  }

  /// Finds the secret and puts it where it belongs.
  ///
  /// - Throws: what kept it from doing so, with the option that it was for.
  func perform(
    on secrets: inout ProgramSecrets, from store: TokenStore, provider: String, validFor: TimeSpan?
  ) throws(CommandFailure) {
    do {
      let found = try store.token(named: reference, provider: provider)
      try found.token.check(validFor: validFor)
      let secret = try found.secret()
      switch place {
      case .variable(let name): try secrets.setVariable(name, to: secret)
      case .descriptor(let number): try secrets.setDescriptor(number, to: secret)
      case .file(let name): try secrets.setFile(name, to: secret)
      }
    } catch let error as VaultError {
      throw CommandFailure(error).concerning(option)
    } catch let error as CommandFailure {
      throw error.concerning(option)
    } catch {
      throw CommandFailure(.failure, "\(error)")
    }
  }
}
