import ArgumentParser
import Glibc
import TokenVault
import VaultFormat

/// The options that every command takes, before or after its name.
///
/// Those with a value are texts, read later: each type of option costs every command a twentieth of a millisecond at its
/// start.
struct GlobalOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The vault file. [$TOKENVAULT_FILE]", valueName: "path"))
  var vault: String?
  @Option(
    help: ArgumentHelp("Where the key is read from: file:PATH, env:NAME, ... [$TOKENVAULT_KEY]", valueName: "src"))
  var key: String?
  @Option(help: ArgumentHelp("Where the passphrase is read from. [$TOKENVAULT_PASSPHRASE]", valueName: "src"))
  var passphrase: String?
  @Flag(help: "Write JSON, errors too. [$TOKENVAULT_JSON]")
  var json = false
  @Flag(help: "No notes and warnings. [$TOKENVAULT_QUIET]")
  var quiet = false
  @Flag(help: "Never ask on the terminal. [$TOKENVAULT_NO_INPUT]")
  var noInput = false
  @Option(help: ArgumentHelp("How long to wait for other writers: 10s. [$TOKENVAULT_LOCK_TIMEOUT]", valueName: "dur"))
  var lockTimeout: String?
  @Option(
    help: ArgumentHelp("Who acts, for the audit. [$TOKENVAULT_ACTOR]", valueName: "name"))
  var actor: String?
  @Option(help: ArgumentHelp("Why, for the audit. [$TOKENVAULT_REASON]", valueName: "text"))
  var reason: String?
  @Option(help: ArgumentHelp("Of long work: auto, always, never or json. [$TOKENVAULT_PROGRESS]", valueName: "when"))
  var progress: String?
}

extension GlobalOptions {
  /// When progress is shown.
  ///
  /// - Throws: ``ExitCode/usage`` for another text.
  func progressMode() throws(CommandFailure) -> ProgressMode {
    try Variable.value("TOKENVAULT_PROGRESS", or: progress, of: "--progress") ?? .auto
  }
}

/// When progress is shown.
enum ProgressMode: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never, json
}

/// The options as they count: given, from the environment, or by default.
struct Settings: Sendable {
  /// Path of the vault file.
  let vault: String
  /// True when nobody named the vault.
  let isDefaultVault: Bool
  /// Where the credential comes from, and what it is; `nil` when nobody said.
  let source: (kind: Credential.Kind, place: KeySource)?
  /// Write JSON.
  let json: Bool
  /// No notes.
  let quiet: Bool
  /// Never ask.
  let noInput: Bool
  /// How long to wait for the vault's lock.
  let lockTimeout: Duration
  /// When progress is shown; never when nobody wants notes.
  let progress: ProgressMode
  /// Who acts, and why.
  let context: AuditContext

  /// - Throws: ``ExitCode/usage`` when a variable or an option makes no sense.
  init(_ options: GlobalOptions) throws {
    let named = options.vault ?? Variable.text("TOKENVAULT_FILE")
    if let named, named.isEmpty { throw CommandFailure(.usage, "--vault needs a path") }
    isDefaultVault = named == nil
    vault = try named ?? Self.defaultVault()
    source = try Self.source(options)
    json = try options.json || Variable.flag("TOKENVAULT_JSON")
    quiet = try options.quiet || Variable.flag("TOKENVAULT_QUIET")
    noInput = try options.noInput || Variable.flag("TOKENVAULT_NO_INPUT")
    let timeout: TimeSpan? = try Variable.value(
      "TOKENVAULT_LOCK_TIMEOUT", or: options.lockTimeout, of: "--lock-timeout")
    lockTimeout = timeout?.duration ?? .seconds(10)
    let mode = try options.progressMode()
    progress = quiet ? .never : mode
    context = try AuditContext(
      actor: options.actor ?? Variable.text("TOKENVAULT_ACTOR"),
      reason: options.reason ?? Variable.text("TOKENVAULT_REASON"))
  }

  /// Options outdo variables; two of a kind contradict each other.
  private static func source(_ options: GlobalOptions) throws -> (kind: Credential.Kind, place: KeySource)? {
    let fromOptions = try source(key: options.key, passphrase: options.passphrase, named: "--key and --passphrase")
    if let fromOptions { return fromOptions }
    return try source(
      key: Variable.text("TOKENVAULT_KEY"), passphrase: Variable.text("TOKENVAULT_PASSPHRASE"),
      named: "TOKENVAULT_KEY and TOKENVAULT_PASSPHRASE")
  }

  static func source(
    key: String?, passphrase: String?, named names: String
  ) throws -> (kind: Credential.Kind, place: KeySource)? {
    switch (key, passphrase) {
    case (nil, nil): return nil
    case (let key?, nil): return (.key, try KeySource(parsing: key))
    case (nil, let passphrase?): return (.passphrase, try KeySource(parsing: passphrase))
    case (_?, _?): throw CommandFailure(.usage, "\(names) exclude each other")
    }
  }

  private static func defaultVault() throws -> String {
    if let folder = Variable.text("XDG_DATA_HOME"), folder.utf8.first == UInt8(ascii: "/") {
      return folder + "/tokenvault/vault.tv"
    }
    guard let home = Variable.text("HOME") else {
      throw CommandFailure(
        .usage, "there is no home directory to look for the vault in", remedy: "name it with --vault")
    }
    return home + "/.local/share/tokenvault/vault.tv"
  }

  /// Says `text` on standard error, unless nobody wants to hear.
  func note(_ text: String) {
    if !quiet { Output.note("tokenvault: " + TerminalText.safe(text, keepsLines: true)) }
  }
}

/// Environment variables; an empty one counts as not set.
enum Variable {
  /// The text of the variable `name`.
  static func text(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// The variable `name` as a switch.
  static func flag(_ name: String) throws(CommandFailure) -> Bool {
    switch text(name) {
    case nil, "0", "false", "no", "off": return false
    case "1", "true", "yes", "on": return true
    default: throw CommandFailure(.usage, "the variable \(name) must be 1 or 0")
    }
  }

  /// The text of an option, or else the variable `name` that stands for it.
  static func value<Value: ExpressibleByArgument>(
    _ name: String, or given: String?, of option: String
  ) throws(CommandFailure) -> Value? {
    guard let text = given ?? text(name) else { return nil }
    guard let value = Value(argument: text) else {
      throw CommandFailure(.usage, "\(given == nil ? "the variable \(name)" : option) does not take such a value")
    }
    return value
  }
}
