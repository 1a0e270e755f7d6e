import JSONText
import VaultEngine

/// Why a command ends with another code than 0.
struct CommandFailure: Error {
  /// The code to end with, but for ``end``.
  let exit: ExitCode
  /// The code to end with all the same, where those below belong to another program.
  var end: ExitCode?
  /// The library's finer code, such as `frame-damaged`.
  var kind: String?
  /// One sentence; when empty, nothing is said.
  var sentence: String
  /// What to do about it.
  var remedy: String?
  /// Byte offset in the vault file.
  var offset: UInt64?
  /// Sequence of the frame.
  var sequence: UInt64?

  /// A failure of the command line itself.
  init(_ exit: ExitCode, _ sentence: String, remedy: String? = nil) {
    self.exit = exit
    self.sentence = sentence
    self.remedy = remedy
  }

  /// What the library reports.
  init(_ error: VaultError) {
    exit = ExitCode(error.code)
    kind = error.code.description
    sentence = error.sentence
    remedy = error.remedy
    offset = error.offset
    sequence = error.sequence
  }

  /// Ends the command with `exit` and says nothing.
  static func silent(_ exit: ExitCode) -> Self { Self(exit, "") }

  /// The same about the part `name` of what was asked for.
  func concerning(_ name: String) -> Self {
    var failure = self
    failure.sentence = name + ": " + sentence
    return failure
  }

  /// Says it on standard error: as one line of JSON, or as a sentence and what to do next.
  func report(asJSON: Bool) {
    guard !sentence.isEmpty else { return }
    Output.note(asJSON ? json : text)
  }

  private var text: String {
    var place = ""
    if let offset { place += " (byte \(offset)" + (sequence.map { ", frame \($0)" } ?? "") + ")" }
    let first = "tokenvault: " + TerminalText.safe(sentence, keepsLines: true) + place
    return remedy.map { first + "\n" + TerminalText.safe($0, keepsLines: true) } ?? first
  }

  private var json: String {
    var members: [(String, JSONValue)] = [
      ("code", .string(exit.name)), ("exit", .integer(Int64((end ?? exit).rawValue))), ("message", .string(sentence)),
    ]
    if let kind { members.append(("kind", .string(kind))) }
    if let remedy { members.append(("remedy", .string(remedy))) }
    if let offset { members.append(("offset", .unsigned(offset))) }
    if let sequence { members.append(("sequence", .unsigned(sequence))) }
    return JSONValue.object([("error", .object(members))]).text
  }
}
