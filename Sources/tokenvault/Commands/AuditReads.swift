import ArgumentParser
import JSONText
import TokenVault
import VaultEngine

/// Shows or settles which reads are audited.
struct AuditReads: VaultCommand {
  static let configuration = CommandConfiguration(
    commandName: "reads", _superCommandName: "tokenvault audit",
    abstract: "Say which reads of tokens are noted, or settle it: off, on, or sampled.",
    discussion: """
      It is kept in the vault, and every program that uses the vault keeps to it. A read that can't be noted, on a disk without \
      room for instance, succeeds all the same, with a note on standard error.
      """)

  /// What may be settled.
  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case off, on, sampled
  }

  @Argument(help: "off, on, or sampled: one read in so many, drawn by lot.")
  var mode: Mode?
  @Option(help: ArgumentHelp("Of how many reads one is noted; 100 unless told.", valueName: "n"))
  var oneIn: Int?
  @OptionGroup var globals: GlobalOptions

  func validate() throws {
    if oneIn != nil, mode != .sampled { throw ValidationError("--one-in goes with sampled") }
    if let oneIn, !(1...1_000_000_000).contains(oneIn) {
      throw ValidationError("--one-in takes a number from 1 to 1000000000")
    }
  }

  func run(_ settings: Settings) throws {
    guard let mode else {
      let setting = try settings.read { (store) in try store.readAuditing() }
      return try Output.line(settings.json ? Self.json(setting).text : Self.text(setting))
    }
    let setting =
      switch mode {
      case .off: ReadAuditing.off
      case .on: ReadAuditing.on
      case .sampled: ReadAuditing.sampled(oneIn: oneIn ?? 100)
      }
    try settings.write { (store) in try store.setReadAuditing(setting, by: settings.context) }
    if settings.json {
      try Output.line(Self.json(setting).text)
    } else {
      settings.note("reads are noted from now on: \(Self.text(setting))")
    }
  }

  private static func text(_ setting: ReadAuditing) -> String {
    switch setting {
    case .off: "off"
    case .on: "on"
    case .sampled(let period): "sampled, one in \(period)"
    }
  }

  private static func json(_ setting: ReadAuditing) -> JSONValue {
    switch setting {
    case .off: .object([("audit_reads", .string("off"))])
    case .on: .object([("audit_reads", .string("on"))])
    case .sampled(let period):
      .object([("audit_reads", .string("sampled")), ("one_in", .integer(Int64(period)))])
    }
  }
}
